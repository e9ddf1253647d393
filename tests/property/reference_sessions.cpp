// The reference's rules of streaming sessions.
#include "property/reference_call.hpp"

#include <algorithm>

namespace accounting::testing {
namespace {

using domain::Answer;
using domain::Result;

constexpr std::int64_t most_tokens = 1'000'000'000'000;

struct Need {
  std::int64_t estimated = 0;
  std::int64_t allocated = 0;
};

std::optional<Need> need_of(const Tokens& tokens, const domain::TokenPrices& prices,
                            std::int64_t buffer) {
  const auto estimated = reference_cost(tokens, prices);
  const auto allocated = estimated ? reference_hold(*estimated, buffer) : std::nullopt;
  return allocated ? std::optional(Need{*estimated, *allocated}) : std::nullopt;
}

void sign_of_life(ReferenceSession& session, Timestamp now) {
  session.session.last_activity_at = std::max(session.session.last_activity_at, now);
  session.session.expires_at = session.session.last_activity_at + session.policy.session_ttl;
}

Tokens larger(const Tokens& left, const Tokens& right) {
  if (!left.by_kind()) {
    return std::max(left.number(), right.number());
  }
  return TokenCounts{
      .input = std::max(left.counts().input, right.counts().input),
      .output = std::max(left.counts().output, right.counts().output),
      .cached_input = std::max(left.counts().cached_input, right.counts().cached_input)};
}

Tokens sum(const Tokens& left, const Tokens& right) {
  if (!left.by_kind()) {
    return left.number() + right.number();
  }
  return TokenCounts{.input = left.counts().input + right.counts().input,
                     .output = left.counts().output + right.counts().output,
                     .cached_input = left.counts().cached_input + right.counts().cached_input};
}

bool too_many(const Tokens& tokens) {
  const TokenCounts counts = tokens.counts();
  return std::max({tokens.number(), counts.input, counts.output, counts.cached_input}) >
         most_tokens;
}

std::string service_of(SessionStatus status) {
  return status == SessionStatus::completed ? "chat-streaming"
                                            : "chat-streaming-" + std::string(to_string(status));
}

/// What keeps a session from being reported or extended.
std::optional<Result> closed_or_odd(const ReferenceSession* session, const Tokens& tokens,
                                    const char* argument) {
  if (session == nullptr) {
    return refused(ErrorCode::not_found);
  }
  if (session->settlement) {
    return refused(ErrorCode::session_closed);
  }
  if (session->first_tokens.by_kind() != tokens.by_kind()) {
    return refused(ErrorCode::invalid_argument, argument);
  }
  return std::nullopt;
}

}  // namespace

std::optional<domain::TokenPrices> ReferenceBooks::prices(const std::string& model_id,
                                                          Timestamp now, const Policy& policy) {
  for (const PricingRule& rule : rules_) {
    if (rule.model_id == model_id && rule.effective_from <= now &&
        (!rule.effective_to || *rule.effective_to > now)) {
      census_.note(Event::used_rule_price);
      return domain::TokenPrices{rule.price_per_1k_tokens, rule.input, rule.output,
                                 rule.cached_input};
    }
  }
  const auto listed = policy.default_prices.find(model_id);
  if (listed == policy.default_prices.end() && !policy.fallback_price) {
    return std::nullopt;
  }
  census_.note(Event::used_policy_price);
  return domain::TokenPrices{
      listed == policy.default_prices.end() ? *policy.fallback_price : listed->second, {}, {}, {}};
}

Result ReferenceBooks::act(Call& call, const domain::Initialize& request) {
  if (const ReferenceSession* known = call.session(request.session_id)) {
    const bool same = known->session.model_id == request.model_id &&
                      known->first_tokens == request.estimated_tokens;
    census_.note(same ? Event::session_replayed : Event::session_conflict);
    return same ? Result(Answer(known->session)) : Result(refused(ErrorCode::conflict));
  }
  const auto price = prices(request.model_id, call.now, call.policy);
  if (!price) {
    return refused(ErrorCode::price_not_found);
  }
  const auto need = need_of(request.estimated_tokens, *price, call.policy.buffer);
  if (!need) {
    census_.note(Event::too_expensive);
    return refused(ErrorCode::invalid_argument, "estimated_tokens");
  }
  if (call.balance() < need->allocated) {
    return refused_short(need->allocated, call.balance());
  }
  ReferenceSession session;
  session.session = {.session_id = request.session_id,
                     .user_id = call.account.user_id,
                     .model_id = request.model_id,
                     .status = SessionStatus::active,
                     .estimated_tokens = request.estimated_tokens,
                     .reported_tokens = {},
                     .estimated_credits = need->estimated,
                     .allocated_credits = need->allocated,
                     .used_credits = 0,
                     .started_at = call.now,
                     .last_activity_at = call.now,
                     .expires_at = {},
                     .completed_at = {}};
  session.first_tokens = request.estimated_tokens;
  session.prices = *price;
  session.policy = {call.policy.buffer, call.policy.refund, call.policy.refund_expiry_days,
                    call.policy.overage, call.policy.session_ttl};
  sign_of_life(session, call.now);
  session.slices = call.spend(need->allocated);
  call.session_id = request.session_id;
  call.hold(session.slices);
  call.account.sessions.push_back(session);
  return Answer(session.session);
}

Result ReferenceBooks::act(Call& call, const domain::Report& request) {
  ReferenceSession* session = call.session(request.session_id);
  if (auto refusal = closed_or_odd(session, request.tokens_so_far, "tokens_so_far")) {
    return *refusal;
  }
  const Tokens most = session->session.reported_tokens
                          ? larger(*session->session.reported_tokens, request.tokens_so_far)
                          : request.tokens_so_far;
  if (!reference_cost(most, session->prices)) {
    census_.note(Event::too_expensive);
    return refused(ErrorCode::invalid_argument, "tokens_so_far");
  }
  session->session.reported_tokens = most;
  sign_of_life(*session, call.now);
  return Answer(session->session);
}

Result ReferenceBooks::act(Call& call, const domain::Extend& request) {
  ReferenceSession* session = call.session(request.session_id);
  if (auto refusal = closed_or_odd(session, request.additional_tokens, "additional_tokens")) {
    return *refusal;
  }
  StreamingSession& shown = session->session;
  const Tokens all = sum(shown.estimated_tokens, request.additional_tokens);
  const auto need = need_of(all, session->prices, session->policy.buffer);
  if (too_many(all) || !need) {
    census_.note(Event::too_expensive);
    return refused(ErrorCode::invalid_argument, "additional_tokens");
  }
  const std::int64_t more = need->allocated - shown.allocated_credits;
  if (call.balance() < more) {
    return refused_short(more, call.balance());
  }
  if (more > 0) {
    census_.note(Event::extension_held);
  }
  const std::vector<Slice> slices = call.spend(more);
  call.session_id = request.session_id;
  call.hold(slices);
  session->slices.insert(session->slices.end(), slices.begin(), slices.end());
  shown.estimated_tokens = all;
  shown.estimated_credits = need->estimated;
  shown.allocated_credits = need->allocated;
  sign_of_life(*session, call.now);
  return Answer(shown);
}

Result ReferenceBooks::act(Call& call, const domain::Finalize& request) {
  return end_by_caller(call, request.session_id,
                       request.success ? SessionStatus::completed : SessionStatus::failed,
                       request.actual_tokens, "actual_tokens");
}

Result ReferenceBooks::act(Call& call, const domain::Abort& request) {
  return end_by_caller(call, request.session_id, SessionStatus::aborted, request.tokens_generated,
                       "tokens_generated");
}

Result ReferenceBooks::act(Call& call, const domain::Expire& request) {
  ReferenceSession* session = call.session(request.session_id);
  if (session == nullptr || session->settlement || session->session.expires_at > call.now) {
    census_.note(Event::not_stale);
    return Answer(domain::NothingToDo{});
  }
  if (session->session.expires_at == call.now) {
    census_.note(Event::expired_at_the_instant);
  }
  const Tokens nothing = session->first_tokens.by_kind() ? Tokens(TokenCounts{}) : Tokens(0);
  const Tokens reported = session->session.reported_tokens.value_or(nothing);
  return end(call, *session, SessionStatus::expired, reported, "tokens_so_far");
}

Result ReferenceBooks::end_by_caller(Call& call, const std::string& session_id,
                                     SessionStatus status, const Tokens& tokens,
                                     const char* argument) {
  ReferenceSession* session = call.session(session_id);
  if (session != nullptr && session->settlement && session->session.status == status &&
      session->ended_with == tokens) {
    census_.note(Event::end_replayed);
    return Answer(*session->settlement);
  }
  if (auto refusal = closed_or_odd(session, tokens, argument)) {
    census_.note(Event::end_refused);
    return *refusal;
  }
  return end(call, *session, status, tokens, argument);
}

Result ReferenceBooks::end(Call& call, ReferenceSession& session, SessionStatus status,
                           const Tokens& tokens, const char* argument) {
  const auto used = reference_cost(tokens, session.prices);
  if (!used) {
    census_.note(Event::too_expensive);
    return refused(ErrorCode::invalid_argument, argument);
  }
  StreamingSession& shown = session.session;
  const std::int64_t overage = std::max<std::int64_t>(0, *used - shown.allocated_credits);
  const std::int64_t refund = std::max<std::int64_t>(0, shown.allocated_credits - *used);
  const bool charges = session.policy.overage == OveragePolicy::charge;
  const std::int64_t paid = charges ? std::min(overage, call.balance()) : 0;
  const std::int64_t uncollected = charges ? overage - paid : 0;
  census_.events[static_cast<std::size_t>(Event::overage_taken)] += paid > 0 ? 1 : 0;
  census_.events[static_cast<std::size_t>(Event::overage_uncollected)] += uncollected > 0 ? 1 : 0;
  census_.events[static_cast<std::size_t>(Event::overage_absorbed)] += overage > 0 && !charges;

  // What goes back is what was taken last; the rest of each slice is spent.
  std::vector<Slice> back;
  std::vector<Slice> spent;
  std::int64_t left = refund;
  for (auto slice = session.slices.rbegin(); slice != session.slices.rend(); ++slice) {
    const std::int64_t part = std::min(left, slice->credits);
    left -= part;
    if (part > 0) {
      back.push_back({slice->allocation_id, part});
    }
    if (part < slice->credits) {
      spent.insert(spent.begin(), {slice->allocation_id, slice->credits - part});
    }
  }
  call.session_id = shown.session_id;
  call.usage_id = static_cast<std::int64_t>(call.account.usage_records.size()) + 1;
  for (const Slice& slice : spent) {
    call.settle(slice);
  }
  call.pay(call.spend(paid), EntryKind::overage);
  shown.status = status;
  give_back(call, session, back);
  call.record({service_of(status), shown.model_id, *used, std::nullopt},
              std::min(*used, shown.allocated_credits) + paid);
  shown.used_credits = *used;
  shown.completed_at = call.now;
  session.ended_with = tokens;
  session.usage_id = *call.usage_id;
  session.settlement = Settlement{shown.user_id,
                                  shown.session_id,
                                  status,
                                  shown.estimated_credits,
                                  shown.allocated_credits,
                                  *used,
                                  refund,
                                  overage,
                                  uncollected};
  return Answer(*session.settlement);
}

void ReferenceBooks::give_back(Call& call, ReferenceSession& session,
                               const std::vector<Slice>& back) {
  if (back.size() > 1) {
    census_.note(Event::refunded_to_several);
  }
  const bool to_source = session.policy.refund == RefundPolicy::to_source;
  std::int64_t moved = 0;
  for (const Slice& slice : back) {
    const CreditAllocation& source = call.allocation(slice.allocation_id);
    if (source.revoked_at) {
      census_.note(Event::refunded_to_revoked);
    }
    if (to_source && source.expires_at && *source.expires_at <= call.now) {
      census_.note(Event::refunded_to_expired);
    }
    if (to_source || source.revoked_at) {
      call.refund(slice);
    } else {
      call.move_out(slice);
      moved += slice.credits;
    }
  }
  if (moved == 0) {
    return;
  }
  census_.note(Event::moved_to_new_allocation);
  CreditAllocation opened;
  opened.total_credits = moved;
  opened.allocated_by = "system";
  opened.effective_at = call.now;
  opened.expires_at = call.now + std::chrono::hours(24) * session.policy.refund_expiry_days;
  opened.notes = (session.session.status == SessionStatus::aborted
                      ? "Partial refund from aborted streaming session "
                      : "Refund from streaming session ") +
                 session.session.session_id;
  call.open(std::move(opened));
}

}  // namespace accounting::testing
