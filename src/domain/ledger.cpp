#include "domain/ledger.hpp"

#include "domain/account_book.hpp"
#include "domain/encoding.hpp"
#include "domain/pricing_rules.hpp"
#include "domain/rules.hpp"

#include <algorithm>
#include <string_view>
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
  Decider(State& state, std::span<const Command* const> commands, Timestamp now,
          const Policy& policy)
      : state_(state), commands_(commands), now_(now), policy_(policy) {}

  Decision decide() {
    decision_.results.assign(commands_.size(), NeedMore{});
    decision_.changes.reserve(commands_.size());
    const std::vector<Place> places = by_account();
    auto account = state_.accounts.begin();
    for (auto begin = places.begin(); begin != places.end();) {
      const std::string_view user_id = begin->user_id;
      const auto end = std::find_if(begin, places.end(),
                                    [&](const Place& place) { return place.user_id != user_id; });
      // Both stand in the order of their ids.
      while (account != state_.accounts.end() && account->first < user_id) {
        ++account;
      }
      if (account != state_.accounts.end() && account->first == user_id) {
        decide_account(account->first, account->second, {begin, end});
      } else {
        refuse_without_account({begin, end});
      }
      begin = end;
    }
    return std::move(decision_);
  }

 private:
  /// A command's, by its number among all.
  struct Place {
    std::string_view user_id;
    std::size_t number = 0;
  };
  using Places = std::span<const Place>;

  /// Account by account, so that each is looked up once and its changes stand together.
  [[nodiscard]] std::vector<Place> by_account() const {
    std::vector<Place> places;
    places.reserve(commands_.size());
    for (const Command* command : commands_) {
      places.push_back({.user_id = command->user_id, .number = places.size()});
    }
    std::sort(places.begin(), places.end(), [](const Place& left, const Place& right) {
      const int order = left.user_id.compare(right.user_id);
      return order != 0 ? order < 0 : left.number < right.number;
    });
    return places;
  }

  void refuse_without_account(Places places) {
    for (const Place& place : places) {
      const Command& command = *commands_[place.number];
      auto refusal = refuse_by_time(command);
      decision_.results[place.number] =
          refusal ? std::move(*refusal)
                  : Refusal{.code = ErrorCode::not_found,
                            .message = "there is no account with that user_id",
                            .argument = {}};
    }
  }

  void decide_account(const std::string& user_id, AccountState& account, Places places) {
    AccountBook book(user_id, account, now_, decision_.changes);
    for (const Place& place : places) {
      Result& result = decision_.results[place.number];
      result = decide(book, *commands_[place.number]);
      if (std::holds_alternative<NeedMore>(result)) {
        book.drop();
        need_more(places);
        return;
      }
    }
    book.finish();
  }

  /// None of the account's commands counts.
  void need_more(Places places) {
    decision_.need_more = true;
    for (const Place& place : places) {
      decision_.results[place.number] = NeedMore{};
    }
  }

  Result decide(AccountBook& book, const Command& command) {
    const KeyRecord* record = find_key(book.state(), command);
    if (record != nullptr && is_repetition(*record, command)) {
      return decode_answer(record->answer, command);
    }
    if (auto refusal = refuse_by_time(command)) {
      return std::move(*refusal);
    }
    if (record != nullptr) {
      return Refusal{.code = ErrorCode::conflict,
                     .message = "idempotency_key was used for another request of the account",
                     .argument = {}};
    }
    return apply(book, command);
  }

  static const KeyRecord* find_key(const AccountState& account, const Command& command) {
    if (!command.key) {
      return nullptr;
    }
    const auto found = account.keys.find(command.key->key);
    return found == account.keys.end() ? nullptr : &found->second;
  }

  static bool is_repetition(const KeyRecord& record, const Command& command) {
    return record.operation == operation_name(command.action) &&
           record.fingerprint == command.key->fingerprint;
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
    Result result = std::visit(
        [&](const auto& action) { return apply_action(book, action, reason); }, command.action);
    const Answer* answer = std::get_if<Answer>(&result);
    if (answer != nullptr && command.key) {
      const std::int64_t last_entry = book.state().counters.last_entry_sequence;
      const bool wrote_entries = last_entry != entries_before;
      book.remember(command.key->key,
                    {.key = command.key->key,
                     .operation = std::string(operation_name(command.action)),
                     .fingerprint = command.key->fingerprint,
                     .answer = encode_answer(
                         *answer, wrote_entries ? std::optional(last_entry) : std::nullopt),
                     .created_at = now_});
    }
    return result;
  }

  Result apply_action(AccountBook& book, const Allocate& action, const Reason& reason) {
    return allocate(book, action, reason, policy_);
  }
  Result apply_action(AccountBook& book, const Deduct& action, const Reason& reason) {
    return deduct(book, action, reason);
  }
  Result apply_action(AccountBook& book, const ChargeUsage& action, const Reason& reason) {
    return charge(book, action, reason);
  }
  Result apply_action(AccountBook& book, const RecordUsage& action, const Reason&) {
    return record(book, action);
  }
  Result apply_action(AccountBook& book, const Revoke& action, const Reason& reason) {
    return revoke(book, action, reason);
  }
  Result apply_action(AccountBook& book, const Initialize& action, const Reason& reason) {
    return initialize(book, action, reason, prices_now(state_, action.model_id, policy_), policy_);
  }
  Result apply_action(AccountBook& book, const Report& action, const Reason&) {
    return report(book, action);
  }
  Result apply_action(AccountBook& book, const Extend& action, const Reason& reason) {
    return extend(book, action, reason);
  }
  Result apply_action(AccountBook& book, const Finalize& action, const Reason& reason) {
    return finalize(book, action, reason);
  }
  Result apply_action(AccountBook& book, const Abort& action, const Reason& reason) {
    return abort(book, action, reason);
  }
  Result apply_action(AccountBook& book, const Expire& action, const Reason& reason) {
    return expire(book, action, reason);
  }

  State& state_;
  std::span<const Command* const> commands_;
  Timestamp now_;
  const Policy& policy_;
  Decision decision_;
};

}  // namespace

Decision decide(State& state, std::span<const Command* const> commands, Timestamp now,
                const Policy& policy) {
  return Decider(state, commands, now, policy).decide();
}

Decision decide(State& state, std::span<const Command> commands, Timestamp now,
                const Policy& policy) {
  return decide(state, pointers_to(commands), now, policy);
}

}  // namespace accounting::domain
