#include "domain/ledger.hpp"

#include "domain/account_book.hpp"
#include "domain/encoding.hpp"
#include "domain/pricing_rules.hpp"
#include "domain/rules.hpp"

#include <map>
#include <set>
#include <utility>

namespace accounting::domain {
namespace {

std::optional<TokenPrices> prices_now(const State& state, const std::string& model_id,
                                      const Policy& policy) {
  const auto rule = state.rules.find(model_id);
  return prices_in_force(rule == state.rules.end() ? nullptr : &rule->second, model_id, policy);
}

class Decider {
 public:
  Decider(State& state, Timestamp now, const Policy& policy)
      : state_(state), now_(now), policy_(policy) {}

  Result decide(const Command& command) {
    const auto account = state_.accounts.find(command.user_id);
    const bool known = account != state_.accounts.end();
    if (const KeyRecord* record = known ? find_key(account->second, command) : nullptr) {
      if (const auto early = replay(*record, command)) {
        return *early;
      }
    }
    if (const auto refusal = refuse_by_time(command)) {
      return *refusal;
    }
    if (!known) {
      return Refusal{.code = ErrorCode::not_found,
                     .message = "there is no account with that user_id",
                     .argument = {}};
    }
    if (find_key(account->second, command) != nullptr) {
      return Refusal{.code = ErrorCode::conflict,
                     .message = "idempotency_key was used for another request of the account",
                     .argument = {}};
    }
    AccountBook& book =
        books_.try_emplace(command.user_id, command.user_id, account->second, now_).first->second;
    return apply(book, command);
  }

  /// True where one of the account's commands has asked for more: none of them counts.
  [[nodiscard]] bool needs_more(const std::string& user_id) const {
    return unfinished_.contains(user_id);
  }

  Changes collect() {
    Changes changes;
    for (auto& [user_id, book] : books_) {
      if (!needs_more(user_id)) {
        book.collect(changes);
      }
    }
    return changes;
  }

 private:
  static const KeyRecord* find_key(const AccountState& account, const Command& command) {
    if (!command.key) {
      return nullptr;
    }
    const auto found = account.keys.find(command.key->key);
    return found == account.keys.end() ? nullptr : &found->second;
  }

  static std::optional<Result> replay(const KeyRecord& record, const Command& command) {
    const bool same = record.operation == operation_name(command.action) &&
                      record.fingerprint == command.key->fingerprint;
    return same ? std::optional<Result>(decode_answer(record.answer, command)) : std::nullopt;
  }

  /// Arguments whose range depends on the time; checked before the account is, but not for a
  /// repetition, whose answer stands also when the clock has moved on.
  [[nodiscard]] std::optional<Refusal> refuse_by_time(const Command& command) const {
    const auto* request = std::get_if<Allocate>(&command.action);
    if (request == nullptr) {
      return std::nullopt;
    }
    const auto lifetime = lifetime_of(*request, now_, policy_);
    const auto* refusal = std::get_if<Refusal>(&lifetime);
    return refusal != nullptr ? std::optional(*refusal) : std::nullopt;
  }

  Result apply(AccountBook& book, const Command& command) {
    const Reason reason{.actor = command.actor, .session_id = {}, .usage_id = {}};
    const std::int64_t entries_before = book.state().counters.last_entry_sequence;
    Rule rule = std::visit([&](const auto& action) { return apply_action(book, action, reason); },
                           command.action);
    if (auto* refusal = std::get_if<Refusal>(&rule)) {
      return std::move(*refusal);
    }
    if (std::holds_alternative<NeedMore>(rule)) {
      unfinished_.insert(command.user_id);
      return NeedMore{};
    }
    Answer& answer = std::get<Answer>(rule);
    if (command.key) {
      const std::int64_t last_entry = book.state().counters.last_entry_sequence;
      const bool wrote_entries = last_entry != entries_before;
      book.remember(command.key->key,
                    {.key = command.key->key,
                     .operation = std::string(operation_name(command.action)),
                     .fingerprint = command.key->fingerprint,
                     .answer = encode_answer(
                         answer, wrote_entries ? std::optional(last_entry) : std::nullopt),
                     .created_at = now_});
    }
    return std::move(answer);
  }

  Rule apply_action(AccountBook& book, const Allocate& action, const Reason& reason) {
    return allocate(book, action, reason, policy_);
  }
  Rule apply_action(AccountBook& book, const Deduct& action, const Reason& reason) {
    return deduct(book, action, reason);
  }
  Rule apply_action(AccountBook& book, const ChargeUsage& action, const Reason& reason) {
    return charge(book, action, reason);
  }
  Rule apply_action(AccountBook& book, const RecordUsage& action, const Reason&) {
    return record(book, action);
  }
  Rule apply_action(AccountBook& book, const Revoke& action, const Reason& reason) {
    return revoke(book, action, reason);
  }
  Rule apply_action(AccountBook& book, const Initialize& action, const Reason& reason) {
    return initialize(book, action, reason, prices_now(state_, action.model_id, policy_), policy_);
  }
  Rule apply_action(AccountBook& book, const Report& action, const Reason&) {
    return report(book, action);
  }
  Rule apply_action(AccountBook& book, const Extend& action, const Reason& reason) {
    return extend(book, action, reason);
  }
  Rule apply_action(AccountBook& book, const Finalize& action, const Reason& reason) {
    return finalize(book, action, reason);
  }
  Rule apply_action(AccountBook& book, const Abort& action, const Reason& reason) {
    return abort(book, action, reason);
  }
  Rule apply_action(AccountBook& book, const Expire& action, const Reason& reason) {
    return expire(book, action, reason);
  }

  State& state_;
  Timestamp now_;
  const Policy& policy_;
  std::map<std::string, AccountBook, std::less<>> books_;
  std::set<std::string, std::less<>> unfinished_;
};

}  // namespace

Decision decide(State& state, std::span<const Command* const> commands, Timestamp now,
                const Policy& policy) {
  Decision decision;
  decision.results.reserve(commands.size());
  Decider decider(state, now, policy);
  for (const Command* command : commands) {
    decision.results.push_back(decider.needs_more(command->user_id) ? Result(NeedMore{})
                                                                    : decider.decide(*command));
    decision.need_more |= std::holds_alternative<NeedMore>(decision.results.back());
  }
  for (std::size_t index = 0; decision.need_more && index < commands.size(); ++index) {
    if (decider.needs_more(commands[index]->user_id)) {
      decision.results[index] = NeedMore{};
    }
  }
  decision.changes = decider.collect();
  return decision;
}

Decision decide(State& state, std::span<const Command> commands, Timestamp now,
                const Policy& policy) {
  return decide(state, pointers_to(commands), now, policy);
}

}  // namespace accounting::domain
