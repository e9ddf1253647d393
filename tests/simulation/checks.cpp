// Whether a call is answered as the oracle says, or ends with the error that its failures call for.
#include "property/comparison.hpp"
#include "simulation/world.hpp"

#include <algorithm>
#include <utility>

namespace accounting::testing {
namespace {

using domain::Command;
using domain::Result;

bool all_replay(const std::vector<Command>& commands) {
  return std::all_of(commands.begin(), commands.end(), domain::replays);
}

}  // namespace

/// Outside a transaction: exactly the failures that the rules allow lead to exactly that error.
void World::check_trouble(const Client& client, const Trouble& trouble, bool replays) {
  const Verdict verdict = verdict_on(frame_->failures, replays, history_.max_attempts,
                                     client.books->options().connect_timeout);
  if (verdict.trouble != trouble || verdict.reported != frame_->failures.size()) {
    complain("after " + std::to_string(frame_->failures.size()) + " failures the caller sees " +
             said(trouble) + ", expected " +
             (verdict.trouble ? said(*verdict.trouble) : "an answer") + " after " +
             std::to_string(verdict.reported));
  }
}

/// An answer is right only where the failures before it were those that are tried again.
void World::check_answered(bool replays) {
  const Verdict verdict =
      verdict_on(frame_->failures, replays, history_.max_attempts, std::chrono::seconds(5));
  if (verdict.trouble) {
    complain("answered, although the caller was to see " + said(*verdict.trouble));
  }
}

void World::check_transaction_trouble(bool failed_before, const Trouble& trouble) {
  if (failed_before) {
    if (!frame_->failures.empty() || trouble != Trouble{ErrorCode::store_error, false}) {
      complain("a failed transaction can only be rolled back, and says so: " + said(trouble));
    }
    return;
  }
  const Verdict verdict = verdict_on(frame_->failures, false, 1, std::chrono::seconds(5));
  if (verdict.trouble != trouble || frame_->failures.size() != 1) {
    complain("in a transaction the caller sees " + said(trouble));
  }
}

void World::check_reply(const Result& found, const Decided& decided, const Command& command) {
  const bool right = std::any_of(decided.allowed.begin(), decided.allowed.end(),
                                 [&](const Result& each) { return same_result(found, each); });
  if (!right) {
    complain(command.user_id + ": " + text_of(command.action) + "\n  answers  " + text_of(found) +
             "\n  expected " +
             (decided.allowed.empty() ? "nothing yet" : text_of(decided.allowed.back())));
  }
  const bool refused = std::holds_alternative<domain::Refusal>(found);
  (refused ? tally_.refusals : tally_.acknowledged) += 1;
  // A report in doubt may have been one, when the session is found ended by another.
  if (refused && decided.effects > 0 && !std::holds_alternative<domain::Report>(command.action)) {
    complain("refused, although it took effect: " + text_of(command.action));
  }
}

/// What a client does about an error: it asks again later where it may.
void World::note(Client& client, const Deed& deed, const Trouble& trouble) {
  tally_.troubles[trouble.code] += 1;
  const bool effective = std::any_of(frame_->decided.begin(), frame_->decided.end(),
                                     [](const Decided& each) { return each.effects > 0; });
  if (trouble.code == ErrorCode::outcome_unknown) {
    (effective ? tally_.unknown_applied : tally_.unknown_dropped) += 1;
  } else if (effective && !client.transaction) {
    complain("an error says that nothing was changed, but something was");
  }
  if (client.transaction) {
    client.transaction_failed = true;
  } else if (trouble.retryable) {
    client.in_doubt.push_back(deed);
  }
}

/// Hears what the oracle says of the call; null where there is no answer to hold against it.
const Result* World::end_of_call(Client& client, const Deed& deed, const Reply& reply) {
  if (log_ != nullptr) {
    say("  -> " + said(reply));
  }
  const bool failed_before = client.transaction_failed;
  const bool replays = all_replay(frame_->commands);
  if (const auto* trouble = std::get_if<Trouble>(&reply)) {
    if (client.transaction) {
      check_transaction_trouble(failed_before, *trouble);
    } else {
      check_trouble(client, *trouble, replays);
    }
    note(client, deed, *trouble);
    return nullptr;
  }
  if (client.transaction) {
    if (failed_before || !frame_->failures.empty()) {
      complain("a failed transaction goes on as if nothing had happened");
      return nullptr;
    }
    oracle_->in_transaction(*frame_, *open_.at(frame_->client),
                            history_.policies.at(client.policy));
  } else {
    check_answered(replays);
  }
  return &std::get<Result>(reply);
}

}  // namespace accounting::testing
