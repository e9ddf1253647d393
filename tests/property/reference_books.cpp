#include "property/reference_books.hpp"

#include "property/reference_call.hpp"

#include <utility>

namespace accounting::testing {

namespace {

using domain::Answer;
using domain::Result;

/// When an allocation ends, or the argument at fault.
struct Life {
  std::optional<Timestamp> expires_at;
  const char* fault = nullptr;
};

Life life_of(const domain::Allocate& request, Timestamp now, const Policy& policy) {
  if (request.never_expires) {
    return {};
  }
  const Timestamp effective_at = request.effective_at.value_or(now);
  if (request.expires_at) {
    const bool later = *request.expires_at > now && *request.expires_at > effective_at;
    return {.expires_at = request.expires_at, .fault = later ? nullptr : "expires_at"};
  }
  constexpr std::int64_t day = 86'400'000'000;
  const std::int64_t days = request.expiry_days.value_or(policy.allocation_expiry_days);
  const Timestamp expires_at = now + std::chrono::microseconds(day * days);
  if (expires_at > effective_at) {
    return {.expires_at = expires_at};
  }
  return {.expires_at = {}, .fault = request.expiry_days ? "expiry_days" : "effective_at"};
}

}  // namespace

std::string_view name_of(Event event) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Event::count)> names{
      "took from several allocations",
      "an idempotency key replayed",
      "an idempotency key in conflict",
      "a session replayed",
      "a session in conflict",
      "an end replayed",
      "an end refused",
      "refunded to several allocations",
      "refunded to a revoked allocation",
      "refunded to an expired allocation",
      "moved to a new allocation",
      "overage taken from the balance",
      "overage uncollected",
      "overage absorbed",
      "an extension held more",
      "revoked what remained",
      "revoked again",
      "expired at the very instant",
      "not stale",
      "priced by a rule",
      "priced by the policy",
      "more than 10^15 credits",
      "loaded again"};
  return names.at(static_cast<std::size_t>(event));
}

ReferenceBooks::ReferenceBooks(const std::vector<std::string>& users,
                               std::vector<PricingRule> rules, Census& census)
    : rules_(std::move(rules)), census_(census) {
  for (const std::string& user : users) {
    accounts_[user].user_id = user;
  }
}

Result ReferenceBooks::decide(const domain::Command& command, Timestamp now, const Policy& policy) {
  const auto found = accounts_.find(command.user_id);
  const ReferenceKey* key = nullptr;
  if (found != accounts_.end() && command.key) {
    for (const ReferenceKey& each : found->second.keys) {
      key = each.key == command.key->key ? &each : key;
    }
  }
  if (key != nullptr && key->operation == command.action.index() &&
      key->fingerprint == command.key->fingerprint) {
    census_.note(Event::key_replayed);
    return key->answer;
  }
  if (const auto* request = std::get_if<domain::Allocate>(&command.action)) {
    if (const char* fault = life_of(*request, now, policy).fault) {
      return refused(ErrorCode::invalid_argument, fault);
    }
  }
  if (found == accounts_.end()) {
    return refused(ErrorCode::not_found);
  }
  if (key != nullptr) {
    census_.note(Event::key_conflict);
    return refused(ErrorCode::conflict);
  }
  Call call{command, found->second, now, policy};
  Result result = std::visit([&](const auto& action) { return act(call, action); }, command.action);
  if (const auto* answer = std::get_if<Answer>(&result); answer != nullptr && command.key) {
    found->second.keys.push_back({.key = command.key->key,
                                  .operation = command.action.index(),
                                  .fingerprint = command.key->fingerprint,
                                  .answer = *answer});
  }
  return result;
}

Result ReferenceBooks::act(Call& call, const domain::Allocate& request) {
  CreditAllocation opened;
  opened.total_credits = request.credits;
  opened.allocated_by = request.allocated_by;
  opened.effective_at = request.effective_at.value_or(call.now);
  opened.expires_at = life_of(request, call.now, call.policy).expires_at;
  opened.notes = request.notes;
  return Answer(call.open(std::move(opened)));
}

Result ReferenceBooks::act(Call& call, const domain::Deduct& request) {
  if (call.balance() < request.credits) {
    return refused_short(request.credits, call.balance());
  }
  const std::vector<Slice> slices = call.spend(request.credits);
  if (slices.size() > 1) {
    census_.note(Event::took_from_several);
  }
  call.pay(slices, EntryKind::deduct);
  return Answer(Deduction{.credits = request.credits, .slices = slices});
}

Result ReferenceBooks::act(Call& call, const domain::ChargeUsage& request) {
  const std::int64_t credits = request.usage.credits;
  if (call.balance() < credits) {
    return refused_short(credits, call.balance());
  }
  const std::vector<Slice> slices = call.spend(credits);
  call.usage_id = static_cast<std::int64_t>(call.account.usage_records.size()) + 1;
  call.pay(slices, EntryKind::charge);
  return Answer(Charge{.usage_record = call.record(request.usage, credits),
                       .deduction = {.credits = credits, .slices = slices}});
}

Result ReferenceBooks::act(Call& call, const domain::RecordUsage& request) {
  return Answer(call.record(request.usage, 0));
}

Result ReferenceBooks::act(Call& call, const domain::Revoke& request) {
  const auto last = static_cast<std::int64_t>(call.account.allocations.size());
  if (request.allocation_id > last) {
    return refused(ErrorCode::not_found);
  }
  CreditAllocation& revoked = call.allocation(request.allocation_id);
  if (revoked.revoked_at) {
    census_.note(Event::revoked_again);
    return Answer(revoked);
  }
  if (revoked.remaining_credits > 0) {
    census_.note(Event::revoked_what_remained);
  }
  call.write(EntryKind::revoke, revoked.id, -revoked.remaining_credits, 0);
  revoked.revoked_credits += revoked.remaining_credits;
  revoked.remaining_credits = 0;
  revoked.revoked_at = call.now;
  revoked.revoked_by = request.revoked_by;
  return Answer(revoked);
}

}  // namespace accounting::testing
