// Wrapping: sums of stored numbers that may be anything. They wrap around instead of overflowing,
// so that a corrupt row is a wrong sum to report and never undefined behaviour.
#pragma once

#include <cstdint>

namespace accounting::domain {

constexpr std::int64_t wrapping_add(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                   static_cast<std::uint64_t>(right));
}

constexpr std::int64_t wrapping_subtract(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) -
                                   static_cast<std::uint64_t>(right));
}

constexpr std::int64_t wrapping_multiply(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) *
                                   static_cast<std::uint64_t>(right));
}

}  // namespace accounting::domain
