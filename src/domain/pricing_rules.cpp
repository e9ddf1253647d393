#include "domain/pricing_rules.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace accounting::domain {
namespace {

Refusal conflict(std::string message) {
  return {.code = ErrorCode::conflict, .message = std::move(message), .argument = {}};
}

/// A rule for a start that has one: the same values again are answered with the stored rule, also
/// when the next rule has closed it since.
std::variant<PriceChange, Refusal> repeat_or_refuse(const std::vector<PricingRule>& rules,
                                                    const PricingRule& stored,
                                                    const PricingRule& asked) {
  const bool closed_by_next =
      !asked.effective_to && std::any_of(rules.begin(), rules.end(), [&](const auto& rule) {
        return rule.effective_from == stored.effective_to;
      });
  const bool same_end = asked.effective_to == stored.effective_to || closed_by_next;
  if (!same_end || prices_of(asked) != prices_of(stored)) {
    return conflict("the model has a rule with other values from the same effective_from");
  }
  return PriceChange{.rule = stored, .stored_already = true, .closes = {}};
}

}  // namespace

TokenPrices prices_of(const PricingRule& rule) {
  return {.price_per_1k_tokens = rule.price_per_1k_tokens,
          .input = rule.input,
          .output = rule.output,
          .cached_input = rule.cached_input};
}

std::optional<TokenPrices> prices_in_force(const PricingRule* rule, const std::string& model_id,
                                           const Policy& policy) {
  if (rule != nullptr) {
    return prices_of(*rule);
  }
  const auto priced = policy.default_prices.find(model_id);
  const std::optional<Price> price =
      priced != policy.default_prices.end() ? std::optional(priced->second) : policy.fallback_price;
  if (!price) {
    return std::nullopt;
  }
  return TokenPrices{.price_per_1k_tokens = *price, .input = {}, .output = {}, .cached_input = {}};
}

std::variant<PriceChange, Refusal> decide_price(const std::vector<PricingRule>& rules,
                                                const SetPriceRequest& request, Timestamp now) {
  PricingRule added{.id = static_cast<std::int64_t>(rules.size()) + 1,
                    .model_id = request.model_id,
                    .price_per_1k_tokens = request.price_per_1k_tokens,
                    .input = request.input,
                    .output = request.output,
                    .cached_input = request.cached_input,
                    .effective_from = request.effective_from.value_or(now),
                    .effective_to = request.effective_to,
                    .created_by = request.created_by};
  if (added.effective_to && *added.effective_to <= added.effective_from) {
    return Refusal{.code = ErrorCode::invalid_argument,
                   .message = "an instant after effective_from",
                   .argument = "effective_to"};
  }
  PriceChange change{.rule = added, .stored_already = false, .closes = {}};
  for (const PricingRule& stored : rules) {
    if (stored.effective_from == added.effective_from) {
      return repeat_or_refuse(rules, stored, added);
    }
    const bool is_open = !stored.effective_to;
    if (is_open && added.effective_from < stored.effective_from) {
      return conflict("effective_from lies before the start of the model's open rule");
    }
    if (is_open) {
      change.closes = stored;
      change.closes->effective_to = added.effective_from;
      continue;
    }
    const bool starts_inside =
        stored.effective_from < added.effective_from && added.effective_from < *stored.effective_to;
    if (starts_inside) {
      return conflict("effective_from lies inside a closed rule of the model");
    }
    const bool reaches_into = added.effective_from < stored.effective_from &&
                              (!added.effective_to || *added.effective_to > stored.effective_from);
    if (reaches_into) {
      return conflict("the rule would reach into a later rule of the model");
    }
  }
  return change;
}

}  // namespace accounting::domain
