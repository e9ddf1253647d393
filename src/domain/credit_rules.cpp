#include "domain/rules.hpp"
#include "domain/validation.hpp"

#include <algorithm>
#include <utility>

namespace accounting::domain {

Refusal refuse_argument(std::string argument, std::string expected) {
  return {.code = ErrorCode::invalid_argument,
          .message = std::move(expected),
          .argument = std::move(argument)};
}

Refusal refuse_short(std::int64_t required, std::int64_t available) {
  return {.code = ErrorCode::insufficient_credits,
          .message = {},
          .argument = {},
          .required = required,
          .available = available};
}

Timestamp days_after(Timestamp instant, std::int64_t days) {
  const auto left = std::chrono::floor<std::chrono::days>(latest_instant - instant).count();
  return days > left ? latest_instant : instant + std::chrono::days(days);
}

std::variant<Lifetime, Refusal> lifetime_of(const Allocate& request, Timestamp now,
                                            const Policy& policy) {
  Lifetime lifetime{.effective_at = request.effective_at.value_or(now), .expires_at = {}};
  if (request.never_expires) {
    return lifetime;
  }
  const Timestamp later = std::max(now, lifetime.effective_at);
  if (request.expires_at) {
    if (*request.expires_at <= later) {
      return refuse_argument("expires_at", "an instant after now and after effective_at");
    }
    lifetime.expires_at = request.expires_at;
    return lifetime;
  }
  const std::int64_t days = request.expiry_days.value_or(policy.allocation_expiry_days);
  if (days > std::chrono::floor<std::chrono::days>(latest_instant - now).count()) {
    return refuse_argument("expiry_days", "an expiry before the year 10000");
  }
  lifetime.expires_at = now + std::chrono::days(days);
  if (*lifetime.expires_at <= later) {
    return refuse_argument(request.expiry_days ? "expiry_days" : "effective_at",
                           "an expiry after effective_at");
  }
  return lifetime;
}

Result allocate(AccountBook& book, const Allocate& request, const Reason& reason,
                const Policy& policy) {
  const auto lifetime = lifetime_of(request, book.now(), policy);
  if (const auto* refusal = std::get_if<Refusal>(&lifetime)) {
    return *refusal;
  }
  if (!book.can_allocate(request.credits)) {
    return refuse_argument("credits", "a total of the account below 2^63");
  }
  const auto& [effective_at, expires_at] = std::get<Lifetime>(lifetime);
  CreditAllocation allocation;
  allocation.total_credits = request.credits;
  allocation.allocated_by = request.allocated_by;
  allocation.effective_at = effective_at;
  allocation.expires_at = expires_at;
  allocation.notes = request.notes;
  return answer(book.open_allocation(std::move(allocation), reason));
}

Result deduct(AccountBook& book, const Deduct& request, const Reason& reason) {
  TakePlan plan = book.plan_take(request.credits);
  if (plan.need_more) {
    return NeedMore{};
  }
  if (plan.found < request.credits) {
    return refuse_short(request.credits, plan.found);
  }
  book.take(plan.slices, EntryKind::deduct, reason);
  return answer(Deduction{.credits = request.credits, .slices = std::move(plan.slices)});
}

Result charge(AccountBook& book, const ChargeUsage& request, const Reason& reason) {
  const std::int64_t credits = request.usage.credits;
  if (!book.can_use(credits)) {
    return refuse_argument("credits", "a total of the account below 2^63");
  }
  TakePlan plan = book.plan_take(credits);
  if (plan.need_more) {
    return NeedMore{};
  }
  if (plan.found < credits) {
    return refuse_short(credits, plan.found);
  }
  book.take(plan.slices, EntryKind::charge,
            {.actor = reason.actor, .session_id = {}, .usage_id = book.next_usage_id()});
  return answer(Charge{.usage_record = book.record_usage(request.usage, credits),
                       .deduction = {.credits = credits, .slices = std::move(plan.slices)}});
}

Result record(AccountBook& book, const RecordUsage& request) {
  if (!book.can_use(request.usage.credits)) {
    return refuse_argument("credits", "a total of the account below 2^63");
  }
  return answer(book.record_usage(request.usage, 0));
}

Result revoke(AccountBook& book, const Revoke& request, const Reason& reason) {
  const auto& named = book.state().named_allocations;
  const auto found = named.find(request.allocation_id);
  if (found == named.end()) {
    return Refusal{.code = ErrorCode::not_found,
                   .message = "the account has no allocation with that allocation_id",
                   .argument = {}};
  }
  if (found->second.revoked_at) {
    return answer(found->second);
  }
  return answer(book.revoke(request.allocation_id, request, reason));
}

}  // namespace accounting::domain
