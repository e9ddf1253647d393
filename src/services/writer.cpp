#include "services/writer.hpp"

#include "accounting/error.hpp"
#include "domain/ledger.hpp"
#include "services/attempts.hpp"
#include "services/journal_chain.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace accounting::services {
namespace {

using domain::Command;
using domain::Decision;
using domain::Refusal;

/// Decides over as much of the books as it takes: the first look is small, and where it was too
/// small the same locks are kept and more is loaded.
Decision decide_in(store::Unit& unit, std::span<const Command> commands, Timestamp now,
                   const Policy& policy) {
  // The last prefix is larger than any account; beyond it more would be the same again.
  constexpr int most_attempts = 7;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    domain::State state = unit.load(domain::needs_of(commands, attempt), now);
    Decision decision = domain::decide(state, commands, now, policy);
    if (!decision.need_more) {
      chain_entries(decision.changes);
      return decision;
    }
  }
  throw StoreError(
      "the stored allocations are not as the ledger left them; nothing was changed "
      "(run verify)");
}

void throw_first_refusal(const std::vector<domain::Result>& results) {
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

AfterUnknownCommit after_unknown(std::span<const Command> commands) {
  const bool all_replay = std::all_of(commands.begin(), commands.end(), domain::replays);
  return all_replay ? AfterUnknownCommit::try_again : AfterUnknownCommit::give_up;
}

}  // namespace

std::vector<domain::Result> execute(const Context& context, std::span<const Command> commands,
                                    Together together) {
  Books& books = context.books();
  if (context.transaction() != nullptr) {
    return inside_transaction(context, [&](store::Unit& unit) {
      Decision decision = decide_in(unit, commands, context.now(), books.policy());
      if (together == Together::all) {
        throw_first_refusal(decision.results);
      }
      unit.store(decision.changes);
      return std::move(decision.results);
    });
  }
  books.refuse_inside_transaction();
  std::set<std::string> users;
  for (const Command& command : commands) {
    users.insert(command.user_id);
  }
  const auto carry_out = [&](store::Deadline deadline) {
    const Turns::Turn turn(books.turns(), users, deadline);
    const std::unique_ptr<store::Unit> unit = books.store().begin(deadline);
    Decision decision = decide_in(*unit, commands, books.now(), books.policy());
    if (together == Together::all) {
      throw_first_refusal(decision.results);
    }
    if (!decision.changes.empty()) {
      unit->store_and_commit(decision.changes);
    }
    return std::move(decision.results);
  };
  return with_attempts(books, after_unknown(commands), carry_out, commands.size());
}

}  // namespace accounting::services
