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
  charges ? charge_list(client, deed) : call_together(client, deed);
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

void World::charge_list(Client& client, const CallMany& deed) {
  frame_->carry(deed.commands, Sharing::halves);
  const bool failed_before = client.transaction_failed;
  const SharedContext context = client.transaction ? client.inside : client.context;
  const std::vector<Reply> replies = charge_many(context, deed.commands);
  const auto is_trouble = [](const Reply& reply) { return std::holds_alternative<Trouble>(reply); };
  const bool any_trouble = std::any_of(replies.begin(), replies.end(), is_trouble);
  if (client.transaction && !any_trouble) {
    oracle_->in_transaction(*frame_, *open_.at(frame_->client),
                            history_.policies.at(client.policy));
  }
  if (any_trouble && frame_->failures.empty() && !failed_before) {
    complain("an error without a cause");
  }
  for (std::size_t index = 0; index < replies.size() && !problem_; ++index) {
    const Reply& reply = replies[index];
    const Command& command = deed.commands[index];
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
    } else if (decided.effects > 0) {
      complain("an error says that nothing was changed, but something was");
    }
    if (client.transaction) {
      client.transaction_failed = true;
    } else if (trouble->retryable) {
      client.in_doubt.push_back(CallMany{{command}});
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
