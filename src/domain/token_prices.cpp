#include "domain/token_prices.hpp"

#include "domain/validation.hpp"

#include <algorithm>

namespace accounting::domain {
namespace {

/// A sum of tokens × price, in credits per 1,000 tokens, exact: whole credits, and the fraction in
/// two halves of five digits, since tokens (≤ 10^12) times ten digits would not fit 64 bits.
class ExactCost {
 public:
  static constexpr std::int64_t half_base = 100'000;
  static constexpr std::int64_t largest_whole = largest_credits * 1'000;

  void add(std::int64_t tokens, const Price& price) {
    if (tokens != 0 && price.whole() > (largest_whole - whole_) / tokens) {
      too_large_ = true;
      return;
    }
    whole_ += tokens * price.whole();
    upper_ += tokens * (price.fraction() / half_base);
    lower_ += tokens * (price.fraction() % half_base);
  }

  [[nodiscard]] std::optional<std::int64_t> credits() const {
    if (too_large_) {
      return std::nullopt;
    }
    const std::int64_t upper = upper_ + lower_ / half_base;
    const std::int64_t whole = whole_ + upper / half_base;
    const bool has_fraction = lower_ % half_base != 0 || upper % half_base != 0;
    const std::int64_t credits = whole / 1'000 + (whole % 1'000 != 0 || has_fraction ? 1 : 0);
    return credits <= largest_credits ? std::optional(credits) : std::nullopt;
  }

 private:
  std::int64_t whole_ = 0;
  std::int64_t upper_ = 0;
  std::int64_t lower_ = 0;
  bool too_large_ = false;
};

}  // namespace

std::optional<std::int64_t> credits_for(const Tokens& tokens, const TokenPrices& prices) {
  ExactCost cost;
  if (tokens.by_kind()) {
    const TokenCounts counts = tokens.counts();
    const Price& base = prices.price_per_1k_tokens;
    cost.add(counts.input, prices.input.value_or(base));
    cost.add(counts.output, prices.output.value_or(base));
    cost.add(counts.cached_input, prices.cached_input.value_or(base));
  } else {
    cost.add(tokens.number(), prices.price_per_1k_tokens);
  }
  return cost.credits();
}

std::optional<Tokens> add_tokens(const Tokens& left, const Tokens& right) {
  if (!left.by_kind()) {
    const std::int64_t sum = left.number() + right.number();
    return sum <= largest_tokens ? std::optional(Tokens(sum)) : std::nullopt;
  }
  const TokenCounts a = left.counts();
  const TokenCounts b = right.counts();
  const TokenCounts sum{.input = a.input + b.input,
                        .output = a.output + b.output,
                        .cached_input = a.cached_input + b.cached_input};
  const bool fits = std::max({sum.input, sum.output, sum.cached_input}) <= largest_tokens;
  return fits ? std::optional(Tokens(sum)) : std::nullopt;
}

Tokens largest_of_each(const Tokens& left, const Tokens& right) {
  if (!left.by_kind()) {
    return Tokens(std::max(left.number(), right.number()));
  }
  const TokenCounts a = left.counts();
  const TokenCounts b = right.counts();
  return Tokens(TokenCounts{.input = std::max(a.input, b.input),
                            .output = std::max(a.output, b.output),
                            .cached_input = std::max(a.cached_input, b.cached_input)});
}

}  // namespace accounting::domain
