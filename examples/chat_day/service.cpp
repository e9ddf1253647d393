#include "service.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace chat_day {

namespace {

using accounting::Timestamp;
using std::chrono::microseconds;

// What the service guesses before it knows how long an answer will be, and what it adds each time
// that the answer has outgrown the guess.
constexpr std::int64_t guessed_tokens = 160;
constexpr std::int64_t added_tokens = 128;
// How often the service looks for sessions whose clients have vanished.
constexpr microseconds sweep_interval = std::chrono::minutes(5);

}  // namespace

accounting::Policy service_policy() {
  accounting::Policy policy;
  policy.session_ttl = std::chrono::minutes(10);
  return policy;
}

ChatService::ChatService(accounting::Accounting& books, accounting::ManualClock& clock,
                         const Tenant& tenant, const Script& script, Figures& figures)
    : books_(books), clock_(clock), tenant_(tenant), script_(script), figures_(figures) {
  std::vector<Event> beginnings;
  beginnings.reserve(script.turns.size());
  for (std::size_t turn = 0; turn < script.turns.size(); ++turn) {
    beginnings.push_back({.time = script.turns[turn].due(0), .turn = turn, .step = 0});
  }
  events_ = decltype(events_)(std::greater<>(), std::move(beginnings));
}

void ChatService::run(const Progress& progress) {
  try {
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      sweep_until(event.time);
      clock_.set(event.time);
      play(event);
      progress(figures_.requests, event.time);
    }
    sweep_until(Timestamp::max());
  } catch (const accounting::SessionClosed&) {
    // A second run at the same time has another clock, and by that one our clients are long gone.
    throw std::runtime_error(
        "another run has ended sessions of this one: use a database for one run at a time");
  }
}

void ChatService::play(const Event& event) {
  const Turn& turn = script_.turns[event.turn];
  if (event.step == 0) {
    if (!begin(event.turn)) {
      return;
    }
  } else if (event.step <= turn.reports) {
    report(event.turn, event.step);
  } else {
    end(event.turn);
    return;
  }
  if (event.step == turn.reports && turn.fate == Fate::vanishes) {
    // Nothing more will be heard of it, until a sweep finds the session silent for too long.
    vanished_.emplace(session_id(event.turn), event.turn);
    await_sweep();
    return;
  }
  events_.push({.time = turn.due(event.step + 1), .turn = event.turn, .step = event.step + 1});
}

/// False where the user lacks the credits: the request is refused before the model is asked.
bool ChatService::begin(std::size_t turn) {
  ++figures_.requests;
  ++figures_.calls;
  const Turn& request = script_.turns[turn];
  Tally& user = figures_.by_user[request.user];
  try {
    const auto session =
        books_.sessions().initialize({.session_id = session_id(turn),
                                      .user_id = user_id(turn),
                                      .model_id = std::string(models[request.model].id),
                                      .estimated_tokens = request.tokens(guessed_tokens)});
    figures_.reserved += session.allocated_credits;
    open_[turn] = {.allocated = session.allocated_credits, .expected = guessed_tokens};
  } catch (const accounting::InsufficientCredits&) {
    ++figures_.refused;
    return false;
  }
  ++user.requests;
  ++figures_.by_model[request.model].requests;
  figures_.most_at_once = std::max(figures_.most_at_once, std::ssize(open_));
  return true;
}

void ChatService::report(std::size_t turn, std::int64_t step) {
  const Turn& request = script_.turns[turn];
  const std::int64_t generated = request.generated_by(step);
  ++figures_.calls;
  books_.sessions().report({.session_id = session_id(turn),
                            .user_id = user_id(turn),
                            .tokens_so_far = request.tokens(generated)});
  if (generated > open_.at(turn).expected) {
    extend(turn, step);
  }
}

/// The answer has outgrown its estimate: more must be held. Where the user has no more, the answer
/// goes on all the same: it is charged at its end, as far as the balance goes then.
void ChatService::extend(std::size_t turn, std::int64_t step) {
  const bool by_kind = models[script_.turns[turn].model].by_kind;
  const accounting::Tokens additional =
      by_kind ? accounting::Tokens(accounting::TokenCounts{.output = added_tokens})
              : accounting::Tokens(added_tokens);
  Open& open = open_.at(turn);
  ++figures_.calls;
  try {
    // The key makes it safe to repeat the call where its answer was lost.
    const auto session = books_.sessions().extend(
        {.session_id = session_id(turn),
         .user_id = user_id(turn),
         .additional_tokens = additional,
         .idempotency_key = session_id(turn) + ":" + std::to_string(step)});
    figures_.reserved += session.allocated_credits - open.allocated;
    open.allocated = session.allocated_credits;
    open.expected += added_tokens;
    ++figures_.extensions;
  } catch (const accounting::InsufficientCredits&) {
    ++figures_.extensions_refused;
  }
}

void ChatService::end(std::size_t turn) {
  const Turn& request = script_.turns[turn];
  ++figures_.calls;
  if (request.fate == Fate::completes) {
    settle(turn, books_.sessions().finalize({.session_id = session_id(turn),
                                             .user_id = user_id(turn),
                                             .actual_tokens = request.tokens(request.delivered)}));
    ++figures_.completed;
  } else {
    settle(turn, books_.sessions().abort({.session_id = session_id(turn),
                                          .user_id = user_id(turn),
                                          .tokens_generated = request.tokens(request.delivered)}));
    ++figures_.aborted;
  }
}

void ChatService::settle(std::size_t turn, const accounting::Settlement& settlement) {
  figures_.used += settlement.actual_credits;
  figures_.refunded += settlement.refund;
  figures_.overage += settlement.overage;
  figures_.uncollected += settlement.uncollected;
  const Turn& request = script_.turns[turn];
  figures_.by_user[request.user].credits += settlement.actual_credits;
  figures_.by_model[request.model].credits += settlement.actual_credits;
  open_.erase(turn);
}

/// Sweeps come at fixed times of the day; those that would find nothing are left out.
void ChatService::await_sweep() {
  const Timestamp silent_for_long = clock_.now() + service_policy().session_ttl;
  const auto intervals =
      (silent_for_long.time_since_epoch() + sweep_interval - microseconds(1)) / sweep_interval;
  sweeps_.insert(Timestamp(intervals * sweep_interval));
}

void ChatService::sweep_until(Timestamp time) {
  while (!sweeps_.empty() && *sweeps_.begin() <= time) {
    clock_.set(*sweeps_.begin());
    sweeps_.erase(sweeps_.begin());
    sweep();
  }
}

void ChatService::sweep() {
  constexpr std::int64_t limit = 1'000;
  std::vector<accounting::Settlement> settlements;
  do {
    ++figures_.calls;
    settlements = books_.sessions().expire_stale({.limit = limit});
    for (const auto& settlement : settlements) {
      // The database may hold other stale sessions, of a run that was interrupted.
      const auto found = vanished_.find(settlement.session_id);
      if (found != vanished_.end() && settlement.user_id == user_id(found->second)) {
        settle(found->second, settlement);
        ++figures_.aborted;
        ++figures_.vanished;
        vanished_.erase(found);
      }
    }
  } while (std::ssize(settlements) == limit);
}

std::string ChatService::user_id(std::size_t turn) const {
  return tenant_.user_id(script_.turns[turn].user);
}

std::string ChatService::session_id(std::size_t turn) const {
  return tenant_.name + "/session-" + std::to_string(turn + 1);
}

}  // namespace chat_day
