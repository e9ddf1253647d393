#include "random.hpp"
#include "trace.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>

namespace chat_day {

namespace {

using Quantiles = std::array<std::int64_t, 21>;

// Every twentieth of the Azure LLM inference trace 2023, conversation (Azure Public Dataset, CC-BY;
// Patel et al., "Splitwise", ISCA 2024).
constexpr Quantiles context_tokens = {2,    181,  207,  372,  387,  396,  403,
                                      414,  703,  984,  1020, 1045, 1071, 1097,
                                      1130, 1189, 1315, 1876, 2734, 4083, 14050};
constexpr Quantiles generated_tokens = {7,   41,  54,  67,  77,  85,  91,  96,  103, 113, 129,
                                        151, 177, 217, 384, 395, 400, 411, 424, 451, 1000};

// How busy each hour of the day is, against the others.
constexpr std::array<std::int64_t, 24> hours = {2,  1,  1,  1,  1,  2,  4,  7,  11, 15, 17, 17,
                                                16, 18, 19, 18, 16, 14, 12, 11, 10, 8,  5,  3};

constexpr auto midnight = std::chrono::sys_days(std::chrono::year(2026) / std::chrono::January / 5);

/// A number whose quantiles are these, evenly drawn between two of them.
std::int64_t draw(Random& random, const Quantiles& quantiles) {
  const auto step = static_cast<std::size_t>(random.below(quantiles.size() - 1));
  return random.between(quantiles[step], quantiles[step + 1]);
}

std::chrono::microseconds draw_time_of_day(Random& random) {
  std::int64_t rest = random.below(std::accumulate(hours.begin(), hours.end(), std::int64_t{0}));
  std::size_t hour = 0;
  while (rest >= hours[hour]) {
    rest -= hours[hour];
    ++hour;
  }
  constexpr std::chrono::microseconds one_hour = std::chrono::hours(1);
  return std::chrono::hours(hour) + std::chrono::microseconds(random.below(one_hour.count()));
}

}  // namespace

std::vector<Request> generate_trace(std::int64_t requests, std::uint64_t seed) {
  Random random(seed);
  std::vector<Request> trace;
  trace.reserve(static_cast<std::size_t>(requests));
  for (std::int64_t index = 0; index < requests; ++index) {
    const auto time = midnight + draw_time_of_day(random);
    const auto context = draw(random, context_tokens);
    trace.push_back({.time = time,
                     .context_tokens = context,
                     .generated_tokens = draw(random, generated_tokens)});
  }
  const auto earlier = [](const Request& a, const Request& b) { return a.time < b.time; };
  std::stable_sort(trace.begin(), trace.end(), earlier);
  return trace;
}

}  // namespace chat_day
