// Pricing rules: which price is in force, and what a new rule does to those that are stored.
#pragma once

#include "accounting/options.hpp"
#include "accounting/pricing.hpp"
#include "domain/command.hpp"
#include "domain/token_prices.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace accounting::domain {

TokenPrices prices_of(const PricingRule& rule);

/// The stored rule's prices where there is one (`rule` not null), else the policy's default for
/// the model, else its fallback, else none.
std::optional<TokenPrices> prices_in_force(const PricingRule* rule, const std::string& model_id,
                                           const Policy& policy);

/// What setting a price comes to: `added` is to be stored, unless it is stored already; the rule
/// `closes` ends at its start.
struct PriceChange {
  PricingRule rule;
  bool stored_already = false;
  std::optional<PricingRule> closes;  ///< as it is to be stored
};

/// Decides a new rule over all rules of its model, in order of their start.
std::variant<PriceChange, Refusal> decide_price(const std::vector<PricingRule>& rules,
                                                const SetPriceRequest& request, Timestamp now);

}  // namespace accounting::domain
