#include "domain/encoding.hpp"
#include "domain/rules.hpp"
#include "domain/validation.hpp"

#include <algorithm>
#include <utility>

namespace accounting::domain {
namespace {

/// How an end is written down.
struct EndKind {
  SessionStatus status;
  const char* service;
  const char* tokens_argument;
  const char* refund_note;
};

constexpr EndKind completed{SessionStatus::completed, "chat-streaming", "actual_tokens",
                            "Refund from streaming session "};
constexpr EndKind failed{SessionStatus::failed, "chat-streaming-failed", "actual_tokens",
                         "Refund from streaming session "};
constexpr EndKind aborted{SessionStatus::aborted, "chat-streaming-aborted", "tokens_generated",
                          "Partial refund from aborted streaming session "};
constexpr EndKind expired{SessionStatus::expired, "chat-streaming-expired", "tokens_so_far",
                          "Refund from streaming session "};

const SessionRecord* find_session(const AccountBook& book, const std::string& session_id) {
  const auto found = book.state().sessions.find(session_id);
  return found == book.state().sessions.end() ? nullptr : &found->second;
}

Refusal refuse_unknown() {
  return {.code = ErrorCode::not_found,
          .message = "the account has no session with that session_id",
          .argument = {}};
}

Refusal refuse_closed(const SessionRecord& record) {
  return {.code = ErrorCode::session_closed,
          .message = "the session has ended as " + std::string(to_string(record.session.status)),
          .argument = {}};
}

Refusal refuse_form(const char* argument) {
  return refuse_argument(argument,
                         "tokens in the form that the session began with (a number, or counts "
                         "by kind)");
}

Refusal refuse_too_large(const char* argument) {
  return refuse_argument(argument, "tokens that cost at most 10^15 credits");
}

/// The session, where it can still be reported or extended with tokens of that form.
std::variant<const SessionRecord*, Refusal> find_open(const AccountBook& book,
                                                      const std::string& session_id,
                                                      const Tokens& tokens, const char* argument) {
  const SessionRecord* record = find_session(book, session_id);
  if (record == nullptr) {
    return refuse_unknown();
  }
  if (record->ending) {
    return refuse_closed(*record);
  }
  if (record->first_tokens.by_kind() != tokens.by_kind()) {
    return refuse_form(argument);
  }
  return record;
}

void give_sign_of_life(SessionRecord& record, Timestamp now) {
  StreamingSession& session = record.session;
  // A clock that was set back must not make a session look older than it is.
  session.last_activity_at = std::max(session.last_activity_at, now);
  const auto left = latest_instant - session.last_activity_at;
  session.expires_at = session.last_activity_at + std::min(left, record.policy.session_ttl);
}

bool is_revoked(const AccountBook& book, std::int64_t allocation_id) {
  const auto& allocations = book.state().allocations;
  return std::any_of(allocations.begin(), allocations.end(), [&](const auto& allocation) {
    return allocation.position.id == allocation_id && allocation.revoked;
  });
}

/// The original's way: what goes back becomes one new allocation; but what comes from a revoked
/// allocation is revoked.
void refund_into_new_allocation(AccountBook& book, const SessionRecord& record,
                                const std::vector<Slice>& back, const EndKind& end,
                                const Reason& reason) {
  std::int64_t moved = 0;
  for (const Slice& slice : back) {
    if (is_revoked(book, slice.allocation_id)) {
      book.refund(slice, reason);
    } else {
      book.post(slice.allocation_id, EntryKind::move, slice.credits, reason);
      moved += slice.credits;
    }
  }
  if (moved > 0) {
    CreditAllocation allocation;
    allocation.total_credits = moved;
    allocation.allocated_by = "system";
    allocation.effective_at = book.now();
    allocation.expires_at = days_after(book.now(), record.policy.refund_expiry_days);
    allocation.notes = end.refund_note + record.session.session_id;
    book.open_allocation(std::move(allocation), reason);
  }
}

/// What the balance gives for use beyond the hold: as much as there is, under `charge`.
TakePlan plan_overage(const AccountBook& book, const SessionRecord& record, std::int64_t overage) {
  if (overage == 0 || record.policy.overage == OveragePolicy::absorb) {
    return {};
  }
  return book.plan_take(overage);
}

/// Ends an active session with what it used: settles the hold, refunds or charges the difference,
/// and records the use.
Result end_session(AccountBook& book, const SessionRecord& found, const EndKind& end,
                   const Tokens& tokens, const Reason& asked) {
  const std::optional<std::int64_t> cost = credits_for(tokens, found.prices);
  if (!cost) {
    return refuse_too_large(end.tokens_argument);
  }
  const std::int64_t used = *cost;
  if (!book.can_use(used)) {
    return refuse_argument(end.tokens_argument, "a total of the account below 2^63");
  }
  const std::int64_t allocated = found.session.allocated_credits;
  const std::int64_t overage = std::max<std::int64_t>(0, used - allocated);
  const TakePlan plan = plan_overage(book, found, overage);
  if (plan.need_more) {
    return NeedMore{};
  }

  SessionRecord& record = book.change_session(found.session.session_id);
  const Reason reason{.actor = asked.actor,
                      .session_id = record.session.session_id,
                      .usage_id = book.next_usage_id()};
  const Split split = split_slices(record.slices, used);
  book.take(split.consumed, EntryKind::settle, reason);
  book.take(plan.slices, EntryKind::overage, reason);
  if (record.policy.refund == RefundPolicy::new_allocation) {
    refund_into_new_allocation(book, record, split.back, end, reason);
  } else {
    for (const Slice& slice : split.back) {
      book.refund(slice, reason);
    }
  }
  book.record_usage({.service = end.service,
                     .operation = record.session.model_id,
                     .credits = used,
                     .metadata = session_metadata(record, tokens, book.now())},
                    std::min(used, allocated) + plan.found);

  record.session.status = end.status;
  record.session.used_credits = used;
  record.session.completed_at = book.now();
  record.ending = Ending{.status = end.status, .tokens = tokens};
  record.usage_id = reason.usage_id;
  record.refund = std::max<std::int64_t>(0, allocated - used);
  record.overage = overage;
  record.uncollected = record.policy.overage == OveragePolicy::charge ? overage - plan.found : 0;
  return answer(settlement_of(record));
}

/// An end that the caller asks for: the first takes effect, a repetition is answered the same.
Result end_by_caller(AccountBook& book, const std::string& session_id, const EndKind& end,
                     const Tokens& tokens, const Reason& reason) {
  const SessionRecord* record = find_session(book, session_id);
  if (record == nullptr) {
    return refuse_unknown();
  }
  if (record->ending) {
    const Ending repeated{.status = end.status, .tokens = tokens};
    if (*record->ending == repeated) {
      return answer(settlement_of(*record));
    }
    return refuse_closed(*record);
  }
  if (record->first_tokens.by_kind() != tokens.by_kind()) {
    return refuse_form(end.tokens_argument);
  }
  return end_session(book, *record, end, tokens, reason);
}

/// What a session needs for its tokens: the estimate and the hold.
struct Hold {
  std::int64_t estimated = 0;
  std::int64_t allocated = 0;
};

std::optional<Hold> hold_for(const Tokens& tokens, const TokenPrices& prices, std::int64_t buffer) {
  const std::optional<std::int64_t> estimated = credits_for(tokens, prices);
  const std::optional<std::int64_t> allocated =
      estimated ? with_buffer(*estimated, buffer) : std::nullopt;
  return allocated ? std::optional(Hold{.estimated = *estimated, .allocated = *allocated})
                   : std::nullopt;
}

SessionRecord new_record(const AccountBook& book, const Initialize& request,
                         const TokenPrices& prices, const Policy& policy, const Hold& hold) {
  SessionRecord record;
  record.session.session_id = request.session_id;
  record.session.user_id = book.user_id();
  record.session.model_id = request.model_id;
  record.session.estimated_tokens = request.estimated_tokens;
  record.session.estimated_credits = hold.estimated;
  record.session.allocated_credits = hold.allocated;
  record.session.started_at = book.now();
  record.session.last_activity_at = book.now();
  record.first_tokens = request.estimated_tokens;
  record.prices = prices;
  record.policy = {.buffer = policy.buffer,
                   .refund = policy.refund,
                   .refund_expiry_days = policy.refund_expiry_days,
                   .overage = policy.overage,
                   .session_ttl = policy.session_ttl};
  give_sign_of_life(record, book.now());
  return record;
}

Reason held_by(const Reason& asked, const std::string& session_id) {
  return {.actor = asked.actor, .session_id = session_id, .usage_id = {}};
}

}  // namespace

Split split_slices(const std::vector<Slice>& slices, std::int64_t used) {
  Split split;
  for (const Slice& slice : slices) {
    const std::int64_t part = std::min(used, slice.credits);
    used -= part;
    if (part > 0) {
      split.consumed.push_back({.allocation_id = slice.allocation_id, .credits = part});
    }
    if (part < slice.credits) {
      split.back.insert(split.back.begin(),
                        {.allocation_id = slice.allocation_id, .credits = slice.credits - part});
    }
  }
  return split;
}

std::optional<std::int64_t> with_buffer(std::int64_t estimated_credits, std::int64_t buffer) {
  constexpr std::int64_t whole = 10'000;
  // estimated × buffer would not fit 64 bits, so the two parts of the estimate are taken apart.
  const std::int64_t rounded_up = (estimated_credits % whole * buffer + whole - 1) / whole;
  const std::int64_t held = estimated_credits + estimated_credits / whole * buffer + rounded_up;
  return held <= largest_credits ? std::optional(held) : std::nullopt;
}

Settlement settlement_of(const SessionRecord& record) {
  return {.user_id = record.session.user_id,
          .session_id = record.session.session_id,
          .status = record.session.status,
          .estimated_credits = record.session.estimated_credits,
          .allocated_credits = record.session.allocated_credits,
          .actual_credits = record.session.used_credits,
          .refund = record.refund,
          .overage = record.overage,
          .uncollected = record.uncollected};
}

Result initialize(AccountBook& book, const Initialize& request, const Reason& reason,
                  const std::optional<TokenPrices>& prices, const Policy& policy) {
  if (const SessionRecord* known = find_session(book, request.session_id)) {
    const bool same = known->session.model_id == request.model_id &&
                      known->first_tokens == request.estimated_tokens;
    if (same) {
      return answer(known->session);
    }
    return Refusal{.code = ErrorCode::conflict,
                   .message = "session_id was used for another model_id or estimated_tokens",
                   .argument = {}};
  }
  if (!prices) {
    return Refusal{
        .code = ErrorCode::price_not_found, .message = "model_id has no price now", .argument = {}};
  }
  const std::optional<Hold> hold = hold_for(request.estimated_tokens, *prices, policy.buffer);
  if (!hold) {
    return refuse_too_large("estimated_tokens");
  }
  const TakePlan plan = book.plan_take(hold->allocated);
  if (plan.need_more) {
    return NeedMore{};
  }
  if (plan.found < hold->allocated) {
    return refuse_short(hold->allocated, plan.found);
  }
  SessionRecord& record = book.begin_session(new_record(book, request, *prices, policy, *hold));
  book.take(plan.slices, EntryKind::hold, held_by(reason, request.session_id));
  book.add_slices(record, plan.slices);
  return answer(record.session);
}

Result report(AccountBook& book, const Report& request) {
  const auto found = find_open(book, request.session_id, request.tokens_so_far, "tokens_so_far");
  if (const auto* refusal = std::get_if<Refusal>(&found)) {
    return *refusal;
  }
  const SessionRecord& open = *std::get<const SessionRecord*>(found);
  const Tokens before = open.session.reported_tokens.value_or(request.tokens_so_far);
  const Tokens largest = largest_of_each(before, request.tokens_so_far);
  // What is reported must be payable, or the session could never be expired.
  if (!credits_for(largest, open.prices)) {
    return refuse_too_large("tokens_so_far");
  }
  SessionRecord& record = book.change_session(request.session_id);
  record.session.reported_tokens = largest;
  give_sign_of_life(record, book.now());
  return answer(record.session);
}

Result extend(AccountBook& book, const Extend& request, const Reason& reason) {
  const auto found =
      find_open(book, request.session_id, request.additional_tokens, "additional_tokens");
  if (const auto* refusal = std::get_if<Refusal>(&found)) {
    return *refusal;
  }
  const SessionRecord& open = *std::get<const SessionRecord*>(found);
  const std::optional<Tokens> sum =
      add_tokens(open.session.estimated_tokens, request.additional_tokens);
  if (!sum) {
    return refuse_argument("additional_tokens", "an estimate of at most 10^12 tokens in all");
  }
  const std::optional<Hold> hold = hold_for(*sum, open.prices, open.policy.buffer);
  if (!hold) {
    return refuse_too_large("additional_tokens");
  }
  const std::int64_t difference = hold->allocated - open.session.allocated_credits;
  const TakePlan plan = book.plan_take(difference);
  if (plan.need_more) {
    return NeedMore{};
  }
  if (plan.found < difference) {
    return refuse_short(difference, plan.found);
  }
  SessionRecord& record = book.change_session(request.session_id);
  record.session.estimated_tokens = *sum;
  record.session.estimated_credits = hold->estimated;
  record.session.allocated_credits = hold->allocated;
  give_sign_of_life(record, book.now());
  book.take(plan.slices, EntryKind::hold, held_by(reason, request.session_id));
  book.add_slices(record, plan.slices);
  return answer(record.session);
}

Result finalize(AccountBook& book, const Finalize& request, const Reason& reason) {
  return end_by_caller(book, request.session_id, request.success ? completed : failed,
                       request.actual_tokens, reason);
}

Result abort(AccountBook& book, const Abort& request, const Reason& reason) {
  Tokens tokens = request.tokens_generated;
  const SessionRecord* record = find_session(book, request.session_id);
  // Nothing generated is what a caller means who names no tokens, whatever the session's form.
  if (record != nullptr && record->first_tokens.by_kind() && tokens == Tokens(0)) {
    tokens = TokenCounts{};
  }
  return end_by_caller(book, request.session_id, aborted, tokens, reason);
}

Result expire(AccountBook& book, const Expire& request, const Reason& reason) {
  const SessionRecord* record = find_session(book, request.session_id);
  const bool stale =
      record != nullptr && !record->ending && record->session.expires_at <= book.now();
  if (!stale) {
    return answer(NothingToDo{});
  }
  const Tokens none = record->first_tokens.by_kind() ? Tokens(TokenCounts{}) : Tokens(0);
  return end_session(book, *record, expired, record->session.reported_tokens.value_or(none),
                     reason);
}

}  // namespace accounting::domain
