// Whether the long versions of the tests are asked for (tests/run --long).
#pragma once

#include <cstdlib>

namespace accounting::testing {

inline bool is_long_run() {
  const char* text = std::getenv("ACCOUNTING_TEST_LONG");
  return text != nullptr && *text != '\0';
}

/// One of two counts or times.
template <class Value>
Value short_or_long(Value shorter, Value longer) {
  return is_long_run() ? longer : shorter;
}

}  // namespace accounting::testing
