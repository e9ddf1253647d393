// The reference's arithmetic: exact, because nothing that is priced fills 128 bits.
#include "property/reference_books.hpp"

namespace accounting::testing {
namespace {

__extension__ typedef __int128 Wide;

constexpr Wide most_credits = 1'000'000'000'000'000;

/// A price in units of 10^-10.
Wide units(const Price& price) { return Wide(price.whole()) * 10'000'000'000 + price.fraction(); }

std::optional<std::int64_t> at_most(Wide credits) {
  return credits <= most_credits ? std::optional(static_cast<std::int64_t>(credits)) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> reference_cost(const Tokens& tokens,
                                           const domain::TokenPrices& prices) {
  const Price& base = prices.price_per_1k_tokens;
  const TokenCounts counts = tokens.counts();
  const Wide sum = Wide(tokens.number()) * units(base) +
                   Wide(counts.input) * units(prices.input.value_or(base)) +
                   Wide(counts.output) * units(prices.output.value_or(base)) +
                   Wide(counts.cached_input) * units(prices.cached_input.value_or(base));
  const Wide one_credit = Wide(10'000'000'000) * 1'000;
  return at_most((sum + one_credit - 1) / one_credit);
}

std::optional<std::int64_t> reference_hold(std::int64_t estimate, std::int64_t buffer) {
  return at_most((Wide(estimate) * (10'000 + buffer) + 9'999) / 10'000);
}

}  // namespace accounting::testing
