// How much a test has to do: whether the long versions are asked for (tests/run --long), and
// whether a sanitizer slows the build down.
#pragma once

#include <cstdlib>

namespace accounting::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

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
