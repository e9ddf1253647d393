#include "services/batch.hpp"

#include "accounting/error.hpp"
#include "domain/ledger.hpp"
#include "services/journal_chain.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace accounting::services {
namespace {

using domain::Command;
using domain::NeedMore;
using domain::Result;

/// The commands of one transaction that have no result yet, by their place among all.
class Undecided {
 public:
  explicit Undecided(std::span<const Command* const> commands)
      : commands_(commands.begin(), commands.end()), places_(commands.size()) {
    for (std::size_t place = 0; place < places_.size(); ++place) {
      places_[place] = place;
    }
  }

  [[nodiscard]] bool empty() const { return commands_.empty(); }
  [[nodiscard]] std::span<const Command* const> commands() const { return commands_; }

  /// Leaves the commands of some accounts as they are.
  void leave_out(const std::set<std::string, std::less<>>& users) {
    keep([&](std::size_t index) { return !users.contains(commands_[index]->user_id); });
  }

  /// Hands out the results, and keeps the commands that need more to be loaded.
  void settle(std::vector<Result>& found, std::vector<Result>& results) {
    const auto needs_more = [&](std::size_t index) {
      return std::holds_alternative<NeedMore>(found[index]);
    };
    for (std::size_t index = 0; index < found.size(); ++index) {
      if (!needs_more(index)) {
        results[places_[index]] = std::move(found[index]);
      }
    }
    keep(needs_more);
  }

 private:
  void keep(const auto& is_kept) {
    std::size_t kept = 0;
    for (std::size_t index = 0; index < commands_.size(); ++index) {
      if (is_kept(index)) {
        commands_[kept] = commands_[index];
        places_[kept] = places_[index];
        ++kept;
      }
    }
    commands_.resize(kept);
    places_.resize(kept);
  }

  std::vector<const Command*> commands_;
  std::vector<std::size_t> places_;
};

std::vector<const Command*> commands_of(std::span<Ticket* const> tickets) {
  std::vector<const Command*> commands;
  commands.reserve(tickets.size());
  for (const Ticket* ticket : tickets) {
    commands.push_back(ticket->command);
  }
  return commands;
}

void hand_out(std::vector<Result>& results, std::span<Ticket* const> tickets) {
  for (std::size_t index = 0; index < tickets.size(); ++index) {
    if (!std::holds_alternative<NeedMore>(results[index])) {
      tickets[index]->result = std::move(results[index]);
    }
  }
}

/// Every account that is decided over is to be locked and found as it was, also where a report
/// moves no credits. False where one is not changed at all: what was answered for it may be out of
/// date.
bool require_all_unchanged(domain::Changes& changes, const domain::State& state) {
  std::set<std::string_view> with_sessions;
  for (const domain::SessionChange& change : changes.sessions) {
    with_sessions.insert(change.record.session.user_id);
  }
  std::vector<domain::CountersChange> all;
  auto moved = changes.counters.begin();
  for (const auto& [user_id, account] : state.accounts) {
    if (moved != changes.counters.end() && moved->user_id == user_id) {
      all.push_back(std::move(*moved++));
    } else if (with_sessions.contains(user_id)) {
      all.push_back({.user_id = user_id, .before = account.counters, .after = account.counters});
    } else {
      return false;
    }
  }
  changes.counters = std::move(all);
  return true;
}

/// Without a look into the books first, where their accounts are remembered: in one trip, not two.
/// False where the books are to be asked after all, and nothing was changed.
bool carry_out_from_memory(Books& books, std::span<Ticket* const> tickets,
                           store::Deadline deadline) {
  const std::vector<const Command*> commands = commands_of(tickets);
  const Timestamp taken_at = books.now();
  std::optional<domain::State> state = books.remembered().take(commands, taken_at);
  if (!state) {
    return false;
  }
  const std::unique_ptr<store::Unit> unit = books.store().begin(deadline);
  const Timestamp now = books.now();
  if (now < taken_at) {
    return false;  // a clock that was set back: what had expired may not be remembered
  }
  domain::Decision decision = domain::decide(*state, commands, now, books.policy());
  const bool all_answered = std::ranges::all_of(decision.results, [](const Result& result) {
    return std::holds_alternative<domain::Answer>(result);
  });
  if (!all_answered || !require_all_unchanged(decision.changes, *state)) {
    return false;
  }
  chain_entries(decision.changes);
  if (!unit->commit_if_unchanged(decision.changes, state->rules)) {
    books.remembered().doubt(decision.changes, *state);
    return false;
  }
  books.remembered().keep(std::move(*state), decision.changes, now);
  hand_out(decision.results, tickets);
  return true;
}

void carry_out_together(Books& books, std::span<Ticket* const> tickets, WhenHeld when_held,
                        store::Deadline deadline) {
  if (carry_out_from_memory(books, tickets, deadline)) {
    return;
  }
  const std::unique_ptr<store::Unit> unit = books.store().begin(deadline);
  const Timestamp now = books.now();
  Decided decided = decide_in(*unit, commands_of(tickets), now, books.policy(), when_held);
  if (!decided.changes.empty()) {
    unit->store_and_commit(decided.changes);
    books.remembered().keep(std::move(decided.left), decided.changes, now);
  }
  hand_out(decided.results, tickets);
}

/// Each of its own, since exceptions are not to be shared between threads.
void fail(std::span<Ticket* const> tickets, const store::StoreFailure& failure) {
  for (Ticket* ticket : tickets) {
    ticket->failure =
        std::make_exception_ptr(store::StoreFailure(failure.kind(), std::string(failure.what())));
  }
}

void carry_out_halves(Books& books, std::span<Ticket* const> tickets, WhenHeld when_held,
                      store::Deadline deadline) {
  const std::size_t half = tickets.size() / 2;
  carry_out(books, tickets.first(half), when_held, deadline);
  // Behind what was put back nothing of its account goes first.
  std::set<std::string, std::less<>> put_back;
  for (const Ticket* ticket : tickets.first(half)) {
    if (!ticket->result && !ticket->failure) {
      put_back.insert(ticket->command->user_id);
    }
  }
  std::vector<Ticket*> others;
  for (Ticket* ticket : tickets.subspan(half)) {
    if (!put_back.contains(ticket->command->user_id)) {
      others.push_back(ticket);
    }
  }
  if (!others.empty()) {
    carry_out(books, others, when_held, deadline);
  }
}

}  // namespace

Decided decide_in(store::Unit& unit, std::span<const Command* const> commands, Timestamp now,
                  const Policy& policy, WhenHeld when_held) {
  // The last prefix is larger than any account; beyond it more would be the same again.
  constexpr int most_attempts = 7;
  Decided decided;
  decided.results.assign(commands.size(), NeedMore{});
  Undecided undecided(commands);
  for (int attempt = 0; attempt < most_attempts && !undecided.empty(); ++attempt) {
    domain::Needs needs = domain::needs_of(undecided.commands(), attempt);
    needs.leave_out_held = when_held == WhenHeld::put_back && attempt == 0;
    domain::State state = unit.load(needs, now);
    undecided.leave_out(state.held);
    domain::Decision decision = domain::decide(state, undecided.commands(), now, policy);
    undecided.settle(decision.results, decided.results);
    for (const domain::CountersChange& change : decision.changes.counters) {
      decided.left.accounts.insert(state.accounts.extract(change.user_id));
    }
    for (const domain::SessionChange& change : decision.changes.sessions) {
      decided.left.accounts.insert(state.accounts.extract(change.record.session.user_id));
    }
    decided.left.rules.merge(state.rules);
    decided.changes.append(std::move(decision.changes));
  }
  if (!undecided.empty()) {
    throw StoreError(
        "the stored allocations are not as the ledger left them; nothing was changed "
        "(run verify)");
  }
  chain_entries(decided.changes);
  return decided;
}

void carry_out(Books& books, std::span<Ticket* const> tickets, WhenHeld when_held,
               store::Deadline deadline) {
  try {
    carry_out_together(books, tickets, when_held, deadline);
    return;
  } catch (const store::StoreFailure& failure) {
    const bool may_be_one = failure.kind() == store::FailureKind::try_again;
    if (tickets.size() == 1 || !may_be_one) {
      fail(tickets, failure);
      return;
    }
  } catch (const std::bad_alloc&) {
    throw;  // each is told of it
  } catch (const StoreError& error) {
    // A connection or a place that was not had in time is not the fault of one of them.
    if (tickets.size() == 1 || error.retryable()) {
      for (Ticket* ticket : tickets) {
        ticket->failure = std::current_exception();
      }
      return;
    }
  } catch (const std::exception&) {
    if (tickets.size() == 1) {
      tickets.front()->failure = std::current_exception();
      return;
    }
  }
  carry_out_halves(books, tickets, when_held, deadline);
}

}  // namespace accounting::services
