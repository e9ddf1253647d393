// Random: draws that are the same on every machine. The engines of <random> are; its distributions
// differ between standard libraries, and then a seed would not name one day.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace chat_day {

/// SplitMix64. Whole numbers only: no rounding can make two machines differ.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// The `index`-th of many independent generators, so that what one request draws does not depend
  /// on how much another one drew.
  Random(std::uint64_t seed, std::uint64_t index) : state_(mix(seed + mix(index + 1))) {}

  std::uint64_t next() { return mix(state_ += 0x9E37'79B9'7F4A'7C15U); }

  /// Evenly one of 0 … bound − 1; `bound` must be positive.
  std::int64_t below(std::int64_t bound) {
    const auto range = static_cast<std::uint64_t>(bound);
    const std::uint64_t overhang = (UINT64_MAX % range + 1) % range;
    std::uint64_t number = next();
    while (number > UINT64_MAX - overhang) {  // the last, incomplete round would favour the small
      number = next();
    }
    return static_cast<std::int64_t>(number % range);
  }

  /// Evenly one of low … high.
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }

  /// True in so many of a million draws.
  bool chance(std::int64_t per_million) { return below(1'000'000) < per_million; }

 private:
  static std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
    value = (value ^ (value >> 27U)) * 0x94D0'49BB'1331'11EBU;
    return value ^ (value >> 31U);
  }

  std::uint64_t state_;
};

/// Zipf's law: the user of rank k is drawn in proportion to 1/k, as the traffic of real services
/// is spread over their users.
class Zipf {
 public:
  explicit Zipf(std::int64_t users) {
    std::int64_t sum = 0;
    for (std::int64_t rank = 1; rank <= users; ++rank) {
      sum += one / rank;
      sums_.push_back(sum);
    }
  }

  /// A rank, counted from 0.
  std::int64_t draw(Random& random) const {
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), random.below(sums_.back()));
    return found - sums_.begin();
  }

  /// The part of all draws that a rank can expect.
  [[nodiscard]] double share(std::int64_t rank) const {
    return static_cast<double>(one / (rank + 1)) / static_cast<double>(sums_.back());
  }

 private:
  static constexpr std::int64_t one = 1'000'000'000;

  std::vector<std::int64_t> sums_;
};

}  // namespace chat_day
