// The calls that clients make.
#include "property/comparison.hpp"
#include "simulation/world.hpp"

#include <algorithm>
#include <utility>

namespace accounting::testing {

using domain::Command;
using domain::Result;

void World::act(Client& client, const Call& deed) {
  frame_->carry({deed.command}, Sharing::together);
  const SharedContext context = client.transaction ? client.inside : client.context;
  const Reply reply = reply_of([&] { return perform(context, deed.command); });
  if (const Result* result = end_of_call(client, deed, reply)) {
    check_reply(*result, frame_->decided.front(), deed.command);
  }
}

void World::act(Client& client, const CallDirect& deed) {
  if (!client.transaction) {
    act(client, Call{deed.command});
    return;
  }
  const Reply reply = reply_of([&] { return perform(client.context, deed.command); });
  const auto* result = std::get_if<Result>(&reply);
  if (result == nullptr || !same_result(*result, domain::Refusal{ErrorCode::conflict, {}, {}})) {
    complain("a call beside the client's own transaction answers " + said(reply));
  }
}

void World::act(Client& client, const CallMany& deed) {
  const bool charges = std::holds_alternative<domain::ChargeUsage>(deed.commands.front().action);
  if (!charges) {
    call_together(client, deed);
    return;
  }
  call_each(
      client, deed.commands,
      [&](const SharedContext& context) { return charge_many(context, deed.commands); },
      [](const Command& command) { return CallMany{{command}}; });
}

void World::act(Client& client, const CallAtOnce& deed) {
  call_each(
      client, deed.commands,
      [&](const SharedContext& context) { return perform_at_once(context, deed.commands); },
      [](const Command& command) { return CallAtOnce{{command}}; });
}

void World::call_together(Client& client, const CallMany& deed) {
  frame_->carry(deed.commands, Sharing::together);
  const SharedContext context = client.transaction ? client.inside : client.context;
  std::vector<domain::Answer> answers;
  Reply reply = reply_of([&] {
    answers = perform_together(context, deed.commands);
    return answers.empty() ? domain::Answer(domain::NothingToDo{}) : answers.front();
  });
  if (const auto* result = std::get_if<Result>(&reply);
      result != nullptr && deed.commands.size() == 1) {
    // One of several is named, also where it is the only one.
    if (const auto* refusal = std::get_if<domain::Refusal>(result);
        refusal != nullptr && refusal->argument.starts_with("requests[0].")) {
      domain::Refusal shorter = *refusal;
      shorter.argument.erase(0, std::string("requests[0].").size());
      reply = Result(shorter);
    }
  }
  const Result* result = end_of_call(client, deed, reply);
  if (result == nullptr) {
    return;
  }
  if (std::holds_alternative<domain::Refusal>(*result)) {
    check_reply(*result, frame_->decided.front(), deed.commands.front());
    return;
  }
  if (answers.size() != deed.commands.size()) {
    complain("of " + std::to_string(deed.commands.size()) + " requests " +
             std::to_string(answers.size()) + " are answered");
    return;
  }
  const bool records = std::holds_alternative<domain::RecordUsage>(deed.commands.front().action);
  for (std::size_t index = 0; index < answers.size() && !problem_; ++index) {
    const Decided& decided = frame_->decided[index];
    // Of records only the number is answered.
    const bool carried_out = records && !decided.allowed.empty() &&
                             std::holds_alternative<domain::Answer>(decided.allowed.front());
    check_reply(carried_out ? decided.allowed.front() : Result(answers[index]), decided,
                deed.commands[index]);
  }
}

/// Of requests that are alike, rows do not show which one took effect: one that was answered rather
/// than one in doubt, and one in doubt rather than one that failed.
void World::tell_apart(const std::vector<Command>& commands, const std::vector<Reply>& replies) {
  std::vector<Decided>& decided = frame_->decided;
  const auto likelihood = [&](std::size_t index) {
    if (const auto* trouble = std::get_if<Trouble>(&replies[index])) {
      return trouble->code == ErrorCode::outcome_unknown ? 1 : 0;
    }
    const bool answered = std::holds_alternative<domain::Answer>(std::get<Result>(replies[index]));
    return answered ? 2 : 0;
  };
  for (std::size_t taken = 0; taken < commands.size(); ++taken) {
    for (std::size_t other = 0; other < commands.size(); ++other) {
      const bool wrongly = decided[taken].effects > 0 && decided[other].effects == 0 &&
                           likelihood(other) > likelihood(taken);
      if (wrongly && alike(commands[taken], commands[other])) {
        std::swap(decided[taken], decided[other]);
      }
    }
  }
  // What one of them may have been answered is the other's as well.
  const std::vector<Decided> apart = decided;
  for (std::size_t each = 0; each < commands.size(); ++each) {
    for (std::size_t other = 0; other < commands.size(); ++other) {
      if (other != each && alike(commands[each], commands[other])) {
        const auto& answers = apart[other].allowed;
        decided[each].allowed.insert(decided[each].allowed.begin(), answers.begin(), answers.end());
      }
    }
  }
}

/// A list that is refused is tried in parts, so whoever is told of that was refused alone as well;
/// and before that in company, unless the list had come apart for another reason.
void World::check_refusals(const std::vector<Reply>& replies) {
  const auto told = std::count_if(replies.begin(), replies.end(), [](const Reply& reply) {
    const auto* trouble = std::get_if<Trouble>(&reply);
    return trouble != nullptr && *trouble == Trouble{ErrorCode::store_error, false};
  });
  const auto met =
      std::count_if(frame_->failures.begin(), frame_->failures.end(),
                    [](const Failure& failure) { return failure.kind == Failure::Kind::refused; });
  const bool came_apart = frame_->left_out || std::ssize(frame_->failures) > met;
  if (told > 0 && met < told + (replies.size() > 1 && !came_apart ? 1 : 0)) {
    complain(std::to_string(told) + " requests of a list are told of " + std::to_string(met) +
             " refusals");
  }
}

void World::call_each(Client& client, const std::vector<Command>& commands,
                      const std::function<std::vector<Reply>(const SharedContext&)>& make_calls,
                      const std::function<Deed(const Command&)>& alone) {
  frame_->carry(commands, Sharing::halves);
  const bool failed_before = client.transaction_failed;
  const SharedContext context = client.transaction ? client.inside : client.context;
  std::vector<bool> was_there;
  for (const Command& command : commands) {
    was_there.push_back(oracle_->has_account(command.user_id));
  }
  const std::vector<Reply> replies = make_calls(context);
  // No lock keeps an account from being created before the others' transaction commits.
  for (std::size_t index = 0; index < replies.size(); ++index) {
    if (!was_there[index]) {
      frame_->decided[index].allowed.push_back(domain::Refusal{ErrorCode::not_found, {}, {}});
    }
  }
  const auto is_trouble = [](const Reply& reply) { return std::holds_alternative<Trouble>(reply); };
  const bool any_trouble = std::any_of(replies.begin(), replies.end(), is_trouble);
  if (client.transaction && !any_trouble) {
    oracle_->in_transaction(*frame_, *open_.at(frame_->client),
                            history_.policies.at(client.policy));
  }
  if (any_trouble && frame_->failures.empty() && !failed_before) {
    complain("an error without a cause");
  }
  if (!client.transaction) {
    check_refusals(replies);
  }
  tell_apart(commands, replies);
  for (std::size_t index = 0; index < replies.size() && !problem_; ++index) {
    const Reply& reply = replies[index];
    const Command& command = commands[index];
    const Decided& decided = frame_->decided[index];
    if (log_ != nullptr) {
      say("  -> " + said(reply));
    }
    const auto* trouble = std::get_if<Trouble>(&reply);
    if (trouble == nullptr) {
      check_reply(std::get<Result>(reply), decided, command);
      continue;
    }
    tally_.troubles[trouble->code] += 1;
    const bool unknown = trouble->code == ErrorCode::outcome_unknown;
    if (unknown && !client.transaction) {
      (decided.effects > 0 ? tally_.unknown_applied : tally_.unknown_dropped) += 1;
      if (trouble->retryable != domain::replays(command)) {
        complain("OutcomeUnknown is retryable exactly where the call replays");
      }
    } else if (decided.effects > 0 && !decided.covered) {
      complain("an error says that nothing was changed, but something was");
    }
    if (client.transaction) {
      client.transaction_failed = true;
    } else if (trouble->retryable) {
      client.in_doubt.push_back(alone(command));
    }
  }
}

void World::act(Client& client, const ExpireStale&) {
  const SharedContext context = client.transaction ? client.inside : client.context;
  const bool failed_before = client.transaction_failed;
  try {
    const std::vector<Settlement> settled = Sessions(context).expire_stale();
    if (client.transaction && !frame_->commands.empty()) {
      oracle_->in_transaction(*frame_, *open_.at(frame_->client),
                              history_.policies.at(client.policy));
    }
    std::vector<Settlement> expected;
    for (const Decided& decided : frame_->decided) {
      for (const Result& result : decided.allowed) {
        const auto* answer = std::get_if<domain::Answer>(&result);
        if (answer != nullptr && decided.acknowledged &&
            std::holds_alternative<Settlement>(*answer)) {
          expected.push_back(std::get<Settlement>(*answer));
          break;
        }
      }
    }
    tally_.acknowledged += static_cast<std::int64_t>(expected.size());
    if (settled != expected) {
      complain("expire_stale answers " + std::to_string(settled.size()) +
               " settlements, expected " + std::to_string(expected.size()));
    }
  } catch (const StoreError& error) {
    const Trouble trouble = std::get<Trouble>(reply_of(error));
    tally_.troubles[trouble.code] += 1;
    if (frame_->failures.empty() && !failed_before) {
      complain("an error without a cause");
    }
    const bool any = std::any_of(frame_->decided.begin(), frame_->decided.end(),
                                 [](const Decided& each) { return each.acknowledged; });
    if (client.transaction) {
      client.transaction_failed = true;
    } else if (any) {
      complain("expire_stale throws although it settled some");
    }
  }
}

void World::act(Client& client, const Sync& deed) {
  frame_->sync = deed.request;
  try {
    const SyncResult result = Accounts(client.context).sync(deed.request);
    check_answered(true);
    const bool in_doubt = frame_->failures.size() > 0;
    // Where an earlier try created it, the last one found it.
    const bool same = frame_->synced && result.account == frame_->synced->account &&
                      (in_doubt || result.created == frame_->synced->created);
    if (!same) {
      complain("sync of " + deed.request.user_id + " answers something else");
    }
    tally_.acknowledged += 1;
  } catch (const StoreError& error) {
    const Trouble trouble = std::get<Trouble>(reply_of(error));
    check_trouble(client, trouble, true);
    note(client, deed, trouble);
  }
}

void World::act(Client& client, const SetPrice& deed) {
  frame_->price = deed.request;
  const bool replays = deed.request.effective_from.has_value();
  try {
    const PricingRule rule = Pricing(client.context).set(deed.request);
    check_answered(replays);
    const auto* expected = std::get_if<PricingRule>(&frame_->priced);
    if (expected == nullptr || *expected != rule) {
      complain("pricing().set of " + deed.request.model_id + " answers another rule");
    }
    tally_.acknowledged += 1;
  } catch (const StoreError& error) {
    const Trouble trouble = std::get<Trouble>(reply_of(error));
    check_trouble(client, trouble, replays);
    note(client, deed, trouble);
  } catch (const AccountingError& error) {
    const auto* expected = std::get_if<domain::Refusal>(&frame_->priced);
    if (expected == nullptr || expected->code != error.code()) {
      complain("pricing().set of " + deed.request.model_id + " is refused: " + error.what());
    }
    tally_.refusals += 1;
  }
}

void World::act(Client& client, const Retry&) {
  const Deed deed = client.in_doubt.front();
  client.in_doubt.pop_front();
  const std::size_t left = client.in_doubt.size();
  std::visit(
      [&](const auto& again) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(again)>, Retry>) {
          act(client, again);
        }
      },
      deed);
  tally_.settled_later += client.in_doubt.size() == left ? 1 : 0;
}

}  // namespace accounting::testing
