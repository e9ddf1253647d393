// Random: SplitMix64, small, fast and the same everywhere, which the standard's distributions are
// not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace accounting::testing {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }

  /// smallest … largest, both included.
  std::int64_t between(std::int64_t smallest, std::int64_t largest) {
    const auto span = static_cast<std::uint64_t>(largest - smallest) + 1;
    return smallest + static_cast<std::int64_t>(next() % span);
  }

  bool chance(std::int64_t percent) { return between(1, 100) <= percent; }

  template <class List>
  auto& pick(List& list) {
    return list[static_cast<std::size_t>(next() % list.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace accounting::testing
