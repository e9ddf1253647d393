// Remembered accounts: which are relied on, and which make room for others.
#include "services/remembered_accounts.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace accounting::services {
namespace {

constexpr Timestamp kNow = Timestamp(std::chrono::hours(1));

domain::Command command_of(const std::string& user_id, const domain::Action& action) {
  return {.user_id = user_id, .actor = "host", .key = std::nullopt, .action = action};
}

/// The account's entry of that number, after the one before.
domain::Changes step(const std::string& user_id, std::int64_t entry) {
  domain::Changes changes;
  changes.counters.push_back({.user_id = user_id,
                              .before = {.last_entry_sequence = entry - 1},
                              .after = {.last_entry_sequence = entry}});
  return changes;
}

void keep(RememberedAccounts& accounts, const std::string& user_id, std::int64_t entry) {
  domain::State state;
  state.accounts[user_id].all_loaded = true;
  accounts.keep(std::move(state), step(user_id, entry), kNow);
}

/// The last entry of the account as it is remembered, which it is no longer; 0: it was not.
std::int64_t taken(RememberedAccounts& accounts, const std::string& user_id,
                   const domain::Action& action = domain::Deduct{1}, Timestamp now = kNow) {
  const domain::Command command = command_of(user_id, action);
  const domain::Command* only = &command;
  const auto state = accounts.take(std::span(&only, 1), now);
  return state ? state->accounts.at(user_id).counters.last_entry_sequence : 0;
}

}  // namespace

TEST_SUITE("remembered accounts") {
  TEST_CASE("what was kept is taken once") {
    RememberedAccounts accounts;
    keep(accounts, "ada", 7);
    CHECK(taken(accounts, "bob") == 0);
    CHECK(taken(accounts, "ada") == 7);
    CHECK(taken(accounts, "ada") == 0);
  }

  TEST_CASE("not before its time, and not for what looks at more than the account") {
    RememberedAccounts accounts;
    keep(accounts, "ada", 7);
    CHECK(taken(accounts, "ada", domain::Deduct{1}, kNow - std::chrono::seconds(1)) == 0);
    CHECK(taken(accounts, "ada", domain::Revoke{}) == 0);
    CHECK(taken(accounts, "ada") == 7);
  }

  TEST_CASE("whoever was changed by others is relied on once it was found as it was left") {
    RememberedAccounts accounts;
    accounts.doubt(step("ada", 7), {});  // it was thought to be at 6
    CHECK(taken(accounts, "ada") == 0);
    keep(accounts, "ada", 9);  // and was found at 8
    CHECK(taken(accounts, "ada") == 0);
    keep(accounts, "ada", 10);
    CHECK(taken(accounts, "ada") == 10);
  }

  TEST_CASE("whoever was doubted for another's sake is cleared by the next look") {
    RememberedAccounts accounts;
    accounts.doubt(step("ada", 7), {});
    keep(accounts, "ada", 7);
    CHECK(taken(accounts, "ada") == 7);
  }

  TEST_CASE("what changed in another way is forgotten") {
    RememberedAccounts accounts;
    keep(accounts, "ada", 7);
    accounts.forget(step("ada", 8));
    CHECK(taken(accounts, "ada") == 0);
  }

  TEST_CASE("a session is begun at a rule that is known and in force, and under a new name") {
    RememberedAccounts accounts;
    const auto kept = [&](const domain::State& with) {
      domain::State state = with;
      state.accounts["ada"].all_loaded = true;
      accounts.keep(std::move(state), step("ada", 7), kNow);
    };
    const domain::Initialize begun{.session_id = "s", .model_id = "m", .estimated_tokens = 1};
    kept({});
    CHECK(taken(accounts, "ada", begun) == 0);

    domain::State with_rule;
    with_rule.rules["m"] = {.model_id = "m",
                            .effective_from = kNow - std::chrono::seconds(1),
                            .effective_to = kNow + std::chrono::seconds(1)};
    kept(with_rule);
    CHECK(taken(accounts, "ada", begun, kNow + std::chrono::seconds(1)) == 0);
    CHECK(taken(accounts, "ada", begun) == 7);

    with_rule.accounts["ada"].sessions["s"] = {};
    kept(with_rule);
    CHECK(taken(accounts, "ada", begun) == 0);

    kept({});  // the rule is known all the same
    accounts.doubt({}, with_rule);
    CHECK(taken(accounts, "ada", begun) == 0);
  }

  TEST_CASE("of sessions only open ones are remembered, and not too many") {
    RememberedAccounts accounts;
    const auto kept = [&](const std::map<std::string, bool>& sessions) {
      domain::State state;
      state.accounts["ada"].all_loaded = true;
      for (const auto& [name, has_ended] : sessions) {
        domain::SessionRecord& record = state.accounts["ada"].sessions[name];
        record.ending = has_ended ? std::optional<domain::Ending>(domain::Ending{}) : std::nullopt;
      }
      accounts.keep(std::move(state), step("ada", 7), kNow);
    };
    const auto is_known = [&](const std::string& name) {
      return taken(accounts, "ada", domain::Finalize{.session_id = name}) == 7;
    };
    kept({{"open", false}, {"ended", true}});
    CHECK_FALSE(is_known("unknown"));
    CHECK_FALSE(is_known("ended"));
    CHECK(is_known("open"));

    std::map<std::string, bool> many;
    for (int number = 0; number < 17; ++number) {
      many[std::to_string(number)] = false;
    }
    kept(many);
    CHECK_FALSE(is_known("0"));
    CHECK(taken(accounts, "ada") == 7);
  }

  TEST_CASE("those last used stay") {
    RememberedAccounts accounts(10);
    for (int number = 1; number <= 100; ++number) {
      keep(accounts, "u" + std::to_string(number), number);
      keep(accounts, "hot", number);
      CHECK(taken(accounts, "hot") == number);
      keep(accounts, "hot", number);
    }
    CHECK(taken(accounts, "u1") == 0);
    CHECK(taken(accounts, "u80") == 0);
    for (int number = 92; number <= 100; ++number) {
      CHECK(taken(accounts, "u" + std::to_string(number)) == number);
    }
    CHECK(taken(accounts, "hot") == 100);
  }
}

}  // namespace accounting::services
