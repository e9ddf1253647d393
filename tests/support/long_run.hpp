// How much a test has to do: whether the long versions are asked for (tests/run --long), whether a
// sanitizer slows the build down, and what the environment says otherwise.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace accounting::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// The number that the environment gives, or `otherwise` where it gives none.
inline std::uint64_t setting(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr || *text == '\0' ? otherwise : std::stoull(text);
}

/// Where a random test begins: ACCOUNTING_TEST_SEED, or anywhere.
inline std::uint64_t first_seed() {
  return setting("ACCOUNTING_TEST_SEED", std::random_device()());
}

inline bool is_long_run() {
  const char* text = std::getenv("ACCOUNTING_TEST_LONG");
  return text != nullptr && *text != '\0';
}

/// One of two counts or times.
template <class Value>
Value short_or_long(Value shorter, Value longer) {
  return is_long_run() ? longer : shorter;
}

/// The same for what plays random sequences: a sanitizer sees in the short version what it would
/// see in the long one.
template <class Value>
Value short_or_long_sequences(Value shorter, Value longer) {
  return kSanitized ? shorter : short_or_long(shorter, longer);
}

}  // namespace accounting::testing
