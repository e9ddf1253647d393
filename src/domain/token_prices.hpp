// TokenPrices: what tokens of each kind cost, and the one place where tokens become credits.
#pragma once

#include "accounting/price.hpp"
#include "accounting/types.hpp"

#include <cstdint>
#include <optional>

namespace accounting::domain {

struct TokenPrices {
  Price price_per_1k_tokens;
  std::optional<Price> input;
  std::optional<Price> output;
  std::optional<Price> cached_input;

  friend bool operator==(const TokenPrices&, const TokenPrices&) = default;
};

/// ceil(Σ tokens × price / 1000), rounded once and exactly; none where that is above 10^15.
std::optional<std::int64_t> credits_for(const Tokens& tokens, const TokenPrices& prices);

/// The sum of two amounts of the same form; none where a kind would exceed 10^12.
std::optional<Tokens> add_tokens(const Tokens& left, const Tokens& right);

/// The larger amount of each kind, of the same form.
Tokens largest_of_each(const Tokens& left, const Tokens& right);

}  // namespace accounting::domain
