#include "services/writer.hpp"

#include "accounting/error.hpp"
#include "services/attempts.hpp"
#include "services/batch.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace accounting::services {
namespace {

using domain::Command;
using domain::Refusal;
using domain::Result;

bool is_refusal(const Result& result) { return std::holds_alternative<Refusal>(result); }

void throw_first_refusal(const std::vector<Result>& results) {
  for (std::size_t index = 0; index < results.size(); ++index) {
    if (const auto* refusal = std::get_if<Refusal>(&results[index])) {
      const std::string which = "requests[" + std::to_string(index) + "]";
      Refusal named = *refusal;
      if (refusal->code == ErrorCode::invalid_argument) {
        named.argument = which + "." + refusal->argument;
      } else {
        named.message = which + ": " + refusal->message;
      }
      domain::throw_refusal(named);
    }
  }
}

AfterUnknownCommit after_unknown(const Command& command) {
  return domain::replays(command) ? AfterUnknownCommit::try_again : AfterUnknownCommit::give_up;
}

/// True for a failure that the command may meet again, and others with it.
bool may_be_its_own_fault(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const store::StoreFailure& found) {
    return found.kind() == store::FailureKind::try_again;
  } catch (...) {
    return false;  // it has no other try
  }
}

/// Commands inside the transaction that a caller holds open.
std::vector<Result> execute_inside(const Context& context, std::span<const Command* const> commands,
                                   bool together = false) {
  return inside_transaction(context, [&](store::Unit& unit) {
    Decided decided = decide_in(unit, commands, context.now(), context.books().policy());
    if (together) {
      throw_first_refusal(decided.results);
    }
    unit.store(decided.changes);
    context.books().remembered().forget(decided.changes);
    return std::move(decided.results);
  });
}

/// The commands of one call that have not come to an end, and how often each was tried.
class OpenCommands {
 public:
  using Outcomes = std::vector<std::variant<Result, std::exception_ptr>>;

  OpenCommands(Books& books, std::span<const Command> commands, store::Deadline latest)
      : books_(books), commands_(commands), alone_(commands.size()), outcomes_(commands.size()) {
    attempts_.reserve(commands.size());
    open_.reserve(commands.size());
    for (std::size_t index = 0; index < commands.size(); ++index) {
      attempts_.emplace_back(books, after_unknown(commands[index]), commands.size(), latest);
      open_.push_back(index);
    }
  }

  Outcomes run() {
    while (!open_.empty()) {
      if (const auto pause = run_once(); pause && !open_.empty()) {
        books_.pacing().wait(*pause);
      }
    }
    return std::move(outcomes_);
  }

 private:
  /// As many as a batch takes. Answers how long to wait before those of them that are left are
  /// tried again.
  std::optional<std::chrono::microseconds> run_once() {
    const std::size_t count = std::min(most_in_a_batch, open_.size());
    std::vector<Ticket> tickets;
    tickets.reserve(count);
    for (const std::size_t index : std::span(open_).first(count)) {
      tickets.push_back({.command = &commands_[index], .alone = alone_[index]});
    }
    try {
      const store::Deadline deadline = attempts_.front().deadline();
      books_.require_schema(deadline);
      books_.queue().run(tickets, deadline);
    } catch (const std::exception&) {
      for (Ticket& ticket : tickets) {
        ticket.failure = std::current_exception();
      }
    }
    std::optional<std::chrono::microseconds> longest;
    std::vector<std::size_t> left;
    for (std::size_t at = 0; at < count; ++at) {
      if (const auto pause = settle(open_[at], tickets[at])) {
        longest = std::max(longest.value_or(*pause), *pause);
        left.push_back(open_[at]);
      }
    }
    left.insert(left.end(), open_.begin() + static_cast<std::ptrdiff_t>(count), open_.end());
    open_ = std::move(left);
    return longest;
  }

  /// None: the command has come to its end.
  std::optional<std::chrono::microseconds> settle(std::size_t index, Ticket& ticket) {
    if (ticket.result) {
      outcomes_[index] = std::move(*ticket.result);
      return std::nullopt;
    }
    try {
      alone_[index] = may_be_its_own_fault(ticket.failure);
      return attempts_[index].pause_after(ticket.failure);
    } catch (const AccountingError&) {
      outcomes_[index] = std::current_exception();
      return std::nullopt;
    }
  }

  Books& books_;
  std::span<const Command> commands_;
  std::vector<Attempts> attempts_;
  std::vector<bool> alone_;
  std::vector<std::size_t> open_;
  Outcomes outcomes_;
};

}  // namespace

std::vector<std::variant<Result, std::exception_ptr>> execute_each(
    const Context& context, std::span<const Command> commands, store::Deadline latest) {
  Books& books = context.books();
  if (context.transaction() != nullptr) {
    std::vector<std::variant<Result, std::exception_ptr>> outcomes;
    for (Result& result : execute_inside(context, domain::pointers_to(commands))) {
      outcomes.emplace_back(std::move(result));
    }
    return outcomes;
  }
  books.refuse_inside_transaction();
  return OpenCommands(books, commands, latest).run();
}

std::vector<Result> execute_together(const Context& context, std::span<const Command> commands) {
  Books& books = context.books();
  const std::vector<const Command*> pointers = domain::pointers_to(commands);
  if (context.transaction() != nullptr) {
    return execute_inside(context, pointers, true);
  }
  books.refuse_inside_transaction();
  std::set<std::string> users;
  for (const Command& command : commands) {
    users.insert(command.user_id);
  }
  const auto carry_out_all = [&](store::Deadline deadline) {
    const Turns::Turn turn(books.turns(), users, books.patience(deadline));
    const std::unique_ptr<store::Unit> unit = books.store().begin(deadline);
    Decided decided = decide_in(*unit, pointers, books.now(), books.policy());
    const bool all_done = std::ranges::none_of(decided.results, is_refusal);
    if (all_done && !decided.changes.empty()) {
      unit->store_and_commit(decided.changes);
      books.remembered().forget(decided.changes);
    }
    return std::move(decided.results);
  };
  const bool all_replay = std::all_of(commands.begin(), commands.end(), domain::replays);
  std::vector<Result> results =
      with_attempts(books, all_replay ? AfterUnknownCommit::try_again : AfterUnknownCommit::give_up,
                    carry_out_all, commands.size());
  throw_first_refusal(results);  // outside of the attempts, which would take it for their own end
  return results;
}

Result execute(const Context& context, const Command& command) {
  Books& books = context.books();
  if (context.transaction() != nullptr) {
    const Command* only = &command;
    return std::move(execute_inside(context, std::span(&only, 1)).front());
  }
  books.refuse_inside_transaction();
  bool alone = false;
  return with_attempts(books, after_unknown(command), [&](store::Deadline deadline) {
    Ticket ticket{.command = &command, .alone = alone};
    books.queue().run(std::span(&ticket, 1), deadline);
    if (ticket.failure) {
      alone = may_be_its_own_fault(ticket.failure);
      std::rethrow_exception(ticket.failure);
    }
    return std::move(*ticket.result);
  });
}

}  // namespace accounting::services
