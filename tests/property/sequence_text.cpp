// How sequences and results are printed when a property fails.
#include "property/sequence.hpp"

#include <sstream>

namespace accounting::testing {
namespace {

constexpr Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

}  // namespace

std::string since(Timestamp instant) {
  const auto hours = std::chrono::floor<std::chrono::hours>(instant - start);
  const auto rest = (instant - start - hours).count();
  return std::to_string(hours.count()) + "h" + (rest == 0 ? "" : std::to_string(rest) + "us");
}

std::string since(const std::optional<Timestamp>& instant) {
  return instant ? since(*instant) : "never";
}

namespace {

std::string text(const Tokens& tokens) {
  const auto [input, output, cached] = tokens.counts();
  return tokens.by_kind()
             ? std::to_string(input) + "+" + std::to_string(output) + "+" + std::to_string(cached)
             : std::to_string(tokens.number());
}

std::string text(const domain::UsageDetails& usage) {
  return usage.service + " " + usage.operation + " " + std::to_string(usage.credits) + " " +
         usage.metadata.value_or("-");
}

struct ActionText {
  std::string operator()(const domain::Allocate& action) const {
    std::string expiry = action.never_expires ? "never" : "default";
    if (action.expiry_days) {
      expiry = std::to_string(*action.expiry_days) + "d";
    } else if (action.expires_at) {
      expiry = "at " + since(*action.expires_at);
    }
    return "allocate " + std::to_string(action.credits) + " by " + action.allocated_by +
           ", expires " + expiry +
           (action.effective_at ? ", effective " + since(*action.effective_at) : "") + " " +
           action.notes;
  }
  std::string operator()(const domain::Deduct& action) const {
    return "deduct " + std::to_string(action.credits);
  }
  std::string operator()(const domain::ChargeUsage& action) const {
    return "charge " + text(action.usage);
  }
  std::string operator()(const domain::RecordUsage& action) const {
    return "record " + text(action.usage);
  }
  std::string operator()(const domain::Revoke& action) const {
    return "revoke #" + std::to_string(action.allocation_id) + " by " + action.revoked_by;
  }
  std::string operator()(const domain::Initialize& action) const {
    return "initialize " + action.session_id + " " + action.model_id + " " +
           text(action.estimated_tokens);
  }
  std::string operator()(const domain::Report& action) const {
    return "report " + action.session_id + " " + text(action.tokens_so_far);
  }
  std::string operator()(const domain::Extend& action) const {
    return "extend " + action.session_id + " " + text(action.additional_tokens);
  }
  std::string operator()(const domain::Finalize& action) const {
    return (action.success ? "finalize " : "fail ") + action.session_id + " " +
           text(action.actual_tokens);
  }
  std::string operator()(const domain::Abort& action) const {
    return "abort " + action.session_id + " " + text(action.tokens_generated);
  }
  std::string operator()(const domain::Expire& action) const {
    return "expire " + action.session_id;
  }
};

std::string text(const std::vector<Slice>& slices) {
  std::string list;
  for (const Slice& slice : slices) {
    list += " " + std::to_string(slice.credits) + " of #" + std::to_string(slice.allocation_id);
  }
  return list;
}

struct AnswerText {
  std::string operator()(const CreditAllocation& row) const {
    std::ostringstream out;
    out << "allocation #" << row.id << ": " << row.total_credits << " = remaining "
        << row.remaining_credits << " + held " << row.held_credits << " + consumed "
        << row.consumed_credits << " + revoked " << row.revoked_credits << " + moved "
        << row.moved_credits << "; effective " << since(row.effective_at) << ", expires "
        << since(row.expires_at) << (row.revoked_at ? ", revoked " + since(*row.revoked_at) : "");
    return out.str();
  }
  std::string operator()(const Deduction& deduction) const {
    return "took" + text(deduction.slices);
  }
  std::string operator()(const Charge& charge) const {
    return (*this)(charge.usage_record) + ", took" + text(charge.deduction.slices);
  }
  std::string operator()(const UsageRecord& record) const {
    return "usage #" + std::to_string(record.id) + ": " + std::to_string(record.credits) +
           " collected " + std::to_string(record.collected_credits);
  }
  std::string operator()(const StreamingSession& session) const {
    return "session " + session.session_id + " " + std::string(to_string(session.status)) +
           ": tokens " + text(session.estimated_tokens) + " reported " +
           (session.reported_tokens ? text(*session.reported_tokens) : "none") + " estimated " +
           std::to_string(session.estimated_credits) + " allocated " +
           std::to_string(session.allocated_credits) + " used " +
           std::to_string(session.used_credits) + "; began " + since(session.started_at) +
           ", last sign " + since(session.last_activity_at) + ", expires " +
           since(session.expires_at);
  }
  std::string operator()(const Settlement& end) const {
    return "settlement " + std::string(to_string(end.status)) + ": estimated " +
           std::to_string(end.estimated_credits) + " allocated " +
           std::to_string(end.allocated_credits) + " actual " + std::to_string(end.actual_credits) +
           " refund " + std::to_string(end.refund) + " overage " + std::to_string(end.overage) +
           " uncollected " + std::to_string(end.uncollected);
  }
  std::string operator()(domain::NothingToDo) const { return "nothing to do"; }
};

std::string text(const Policy& policy) {
  std::ostringstream out;
  out << "buffer " << policy.buffer << ", expiry " << policy.allocation_expiry_days << "d, refund "
      << (policy.refund == RefundPolicy::to_source ? "to_source" : "new_allocation") << " "
      << policy.refund_expiry_days << "d, overage "
      << (policy.overage == OveragePolicy::charge ? "charge" : "absorb") << ", ttl "
      << policy.session_ttl.count() << "us, fallback "
      << (policy.fallback_price ? policy.fallback_price->to_string() : "none");
  for (const auto& [model, price] : policy.default_prices) {
    out << ", " << model << " " << price.to_string();
  }
  return out.str();
}

std::string text(const PricingRule& rule) {
  const auto own = [](const char* name, const std::optional<Price>& price) {
    return price ? std::string(name) + price->to_string() : std::string();
  };
  return rule.model_id + " " + rule.price_per_1k_tokens.to_string() + own(" input ", rule.input) +
         own(" output ", rule.output) + own(" cached ", rule.cached_input) + " from " +
         since(rule.effective_from) + " to " + since(rule.effective_to);
}

}  // namespace

std::string text_of(const domain::Action& action) { return std::visit(ActionText{}, action); }

std::string text_of(const domain::Result& result) {
  if (const auto* answer = std::get_if<domain::Answer>(&result)) {
    return std::visit(AnswerText{}, *answer);
  }
  if (const auto* refusal = std::get_if<domain::Refusal>(&result)) {
    return std::string(to_string(refusal->code)) + "(" + refusal->argument + ") required " +
           std::to_string(refusal->required) + " available " + std::to_string(refusal->available);
  }
  return "need more";
}

std::string text_of(const Sequence& sequence) {
  std::ostringstream out;
  for (const std::string& user : sequence.users) {
    out << "account " << user << "\n";
  }
  for (const PricingRule& rule : sequence.rules) {
    out << "rule " << text(rule) << "\n";
  }
  for (std::size_t index = 0; index < sequence.policies.size(); ++index) {
    out << "policy " << index << ": " << text(sequence.policies[index]) << "\n";
  }
  for (const Step& step : sequence.steps) {
    out << "at " << since(step.now) << ", policy " << step.policy << ", prefix " << step.prefix
        << (step.together == Together::no          ? ""
            : step.together == Together::committed ? ", in a transaction"
                                                   : ", in a transaction that is rolled back")
        << "\n";
    for (const domain::Command& command : step.commands) {
      out << "  " << command.user_id << ": " << text_of(command.action)
          << (command.key ? " [" + command.key->key + "]" : "") << "\n";
    }
  }
  return out.str();
}

}  // namespace accounting::testing
