#include "accounting/pricing.hpp"

#include "accounting/error.hpp"
#include "domain/pricing_rules.hpp"
#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/audit.hpp"
#include "services/permits.hpp"

#include <nlohmann/json.hpp>

#include <utility>
#include <variant>

namespace accounting {
namespace {

using domain::Operation;

[[noreturn]] void throw_no_price() { throw PriceNotFound("model_id has no price at that time"); }

/// The rule as the audit trail has it.
std::string described(const PricingRule& rule) {
  const auto text_of = [](const std::optional<Price>& price) {
    return price ? nlohmann::json(price->to_string()) : nlohmann::json();
  };
  const auto micros_of = [](const std::optional<Timestamp>& instant) {
    return instant ? nlohmann::json(instant->time_since_epoch().count()) : nlohmann::json();
  };
  return nlohmann::json{{"id", rule.id},
                        {"price_per_1k_tokens", rule.price_per_1k_tokens.to_string()},
                        {"input", text_of(rule.input)},
                        {"output", text_of(rule.output)},
                        {"cached_input", text_of(rule.cached_input)},
                        {"effective_from", micros_of(rule.effective_from)},
                        {"effective_to", micros_of(rule.effective_to)},
                        {"created_by", rule.created_by}}
      .dump();
}

services::OrRefusal<PricingRule> set_in(const services::Context& context, store::Unit& unit,
                                        const SetPriceRequest& request) {
  const std::vector<PricingRule> rules = unit.lock_rules(request.model_id);
  // After the lock, so that of two that set a price now the later one starts later.
  const auto decided = domain::decide_price(rules, request, context.now());
  if (const auto* refusal = std::get_if<domain::Refusal>(&decided)) {
    return *refusal;
  }
  const auto& change = std::get<domain::PriceChange>(decided);
  if (!change.stored_already) {
    unit.store_price(change);
    services::append_audit(context, unit, Operation::set_price,
                           {.user_id = {},
                            .subject = change.rule.model_id,
                            .details = described(change.rule),
                            .created_at = context.now()});
  }
  return change.rule;
}

}  // namespace

Pricing::Pricing(std::shared_ptr<const services::Context> context) : context_(std::move(context)) {}

PricingRule Pricing::set(const SetPriceRequest& request) {
  services::permit(*context_, Operation::set_price);
  domain::check_model_id(request.model_id);
  domain::check_user_id(request.created_by, "created_by");
  domain::check_instant("effective_from", request.effective_from);
  domain::check_instant("effective_to", request.effective_to);
  // Without a start of its own, a second try would begin a second rule a moment later.
  const auto after_unknown = request.effective_from ? services::AfterUnknownCommit::try_again
                                                    : services::AfterUnknownCommit::give_up;
  auto set = services::write(
      *context_, services::all_prices, after_unknown,
      [&](store::Unit& unit, Timestamp) { return set_in(*context_, unit, request); });
  // Thrown outside of the attempts: it is certain after a lost COMMIT too, since a rule that had
  // taken effect would have been found, and answered.
  if (const auto* refusal = std::get_if<domain::Refusal>(&set)) {
    domain::throw_refusal(*refusal);
  }
  return std::get<PricingRule>(std::move(set));
}

PricingRule Pricing::get(const GetPriceRequest& request) const {
  services::permit(*context_, Operation::get_price);
  domain::check_model_id(request.model_id);
  domain::check_instant("at", request.at);
  const Timestamp at = request.at.value_or(context_->now());
  std::optional<PricingRule> rule = services::query(
      *context_, [&](store::Reads& reads) { return reads.rule_in_force(request.model_id, at); });
  if (!rule) {
    throw_no_price();
  }
  return std::move(*rule);
}

std::vector<PricingRule> Pricing::list(const ListPricesRequest& request) const {
  services::permit(*context_, Operation::list_prices);
  if (request.model_id) {
    domain::check_model_id(*request.model_id);
  }
  return services::query(*context_,
                         [&](store::Reads& reads) { return reads.rules(request.model_id); });
}

std::int64_t Pricing::calculate(const CalculateRequest& request) const {
  services::permit(*context_, Operation::calculate);
  domain::check_model_id(request.model_id);
  domain::check_tokens("tokens", request.tokens);
  domain::check_instant("at", request.at);
  const Timestamp at = request.at.value_or(context_->now());
  const std::optional<PricingRule> rule = services::query(
      *context_, [&](store::Reads& reads) { return reads.rule_in_force(request.model_id, at); });
  const std::optional<domain::TokenPrices> prices = domain::prices_in_force(
      rule ? &*rule : nullptr, request.model_id, context_->books().policy());
  if (!prices) {
    throw_no_price();
  }
  const std::optional<std::int64_t> credits = domain::credits_for(request.tokens, *prices);
  if (!credits) {
    throw InvalidArgument("tokens", "tokens that cost at most 10^15 credits");
  }
  return *credits;
}

}  // namespace accounting
