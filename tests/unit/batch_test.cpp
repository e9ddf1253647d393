// Several commands at a time: each sees what those before it did, and a refused one is as if it
// had not been there.
#include "unit/desk.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> said_of(const std::vector<domain::Result>& results) {
  std::vector<std::string> texts;
  for (const domain::Result& result : results) {
    texts.push_back(said(result));
  }
  return texts;
}

bool same_rows(const domain::AccountRows& left, const domain::AccountRows& right) {
  return left.counters == right.counters && left.allocations == right.allocations &&
         left.sessions == right.sessions && left.usage_records == right.usage_records &&
         left.entries == right.entries && left.keys == right.keys && left.rollups == right.rollups;
}

domain::Allocate gift(std::int64_t credits, std::int64_t for_days) {
  return {.credits = credits, .allocated_by = "admin", .expiry_days = for_days};
}

}  // namespace

TEST_CASE("later commands see what earlier ones did") {
  Desk desk;
  const auto results = desk.batch({
      command(gift(10, 5)),
      command(domain::Deduct{4}),
      command(domain::Deduct{7}),
      command(gift(5, 1)),
      command(domain::Deduct{7}),
      command(domain::Deduct{5}),
  });
  CHECK(said_of(results) ==
        std::vector<std::string>{"ok", "ok", "insufficient_credits(required 7, available 6)", "ok",
                                 "ok", "insufficient_credits(required 5, available 4)"});
  CHECK(desk.journal(0) ==
        "allocate 10 of #1, deduct 4 of #1, allocate 5 of #2, deduct 5 of #2, deduct 2 of #1");
  CHECK(desk.broken() == "");
}

TEST_CASE("a whole session in one batch") {
  Desk desk;
  const auto results = desk.batch({
      command(domain::Initialize{"s", "m", 5}),
      command(gift(20, 5)),
      command(domain::Initialize{"s", "m", 5}),
      command(domain::Report{"s", 3}),
      command(domain::Extend{"s", 5}),
      command(domain::Finalize{"s", 8}),
      command(domain::Finalize{"s", 8}),
      command(domain::Abort{"s", 8}),
      command(domain::Initialize{"s", "m", 5}),
  });
  CHECK(said_of(results) ==
        std::vector<std::string>{"insufficient_credits(required 5, available 0)", "ok", "ok", "ok",
                                 "ok", "ok", "ok", "session_closed", "ok"});
  CHECK((answer<Settlement>(results[5]) == answer<Settlement>(results[6])));
  CHECK(answer<StreamingSession>(results[8]).used_credits == 8);
  CHECK(desk.rows().sessions.size() == 1);
  CHECK(desk.rows().usage_records.size() == 1);
  CHECK(desk.remaining(1) == 12);
  CHECK(desk.broken() == "");
}

TEST_CASE("a refused command leaves the batch as if it had not been there") {
  const std::vector<domain::Command> good = {
      command(gift(30, 5)),
      command(domain::Initialize{"s", "m", 9}),
      command(domain::ChargeUsage{{"chat", "m", 3, {}}}, "k"),
      command(domain::Finalize{"s", 4}),
      command(domain::Deduct{2}),
  };
  const std::vector<domain::Command> refused = {
      command(domain::Deduct{1'000}, "k-2"),
      command(domain::Initialize{"t", "unpriced", 5}),
      command(domain::Report{"unknown", 5}),
      command(domain::Revoke{77, "admin"}),
      command(domain::ChargeUsage{{"chat", "m", 1'000, {}}}),
      command(domain::Extend{"s", 5'000}),
  };
  Desk alone;
  alone.batch(good);
  REQUIRE(alone.broken() == "");
  for (std::size_t place = 0; place <= good.size(); ++place) {
    CAPTURE(place);
    std::vector<domain::Command> mixed = good;
    mixed.insert(mixed.begin() + static_cast<std::ptrdiff_t>(place), refused.begin(),
                 refused.end());
    Desk desk;
    desk.batch(mixed);
    CHECK(same_rows(desk.rows(), alone.rows()));
  }
}

TEST_CASE("one batch does what its commands do one by one") {
  const std::vector<domain::Command> commands = {
      command(gift(30, 5), "k-1"),
      command(gift(20, 2)),
      command(domain::Initialize{"s", "m", 25}),
      command(domain::Deduct{3}, "k-2"),
      command(domain::Revoke{1, "admin"}),
      command(domain::Revoke{2, "admin"}),
      command(domain::Finalize{"s", 22}),
      command(gift(9, 9)),
      command(domain::Revoke{1, "admin"}),
      command(domain::Initialize{"t", "m", 4}),
      command(domain::Finalize{"t", 11}),
      command(domain::RecordUsage{{"images", "draw", 7, {}}}, "k-3"),
      command(domain::RecordUsage{{"images", "draw", 7, {}}}, "k-3"),
  };
  Desk together;
  Desk one_by_one;
  const auto results = together.batch(commands);
  for (std::size_t index = 0; index < commands.size(); ++index) {
    CAPTURE(index);
    const domain::Result alone = one_by_one.ask(commands[index]);
    CHECK(said(results[index]) == "ok");
    CHECK(std::get<domain::Answer>(results[index]) == std::get<domain::Answer>(alone));
  }
  CHECK(same_rows(together.rows(), one_by_one.rows()));
  CHECK(together.broken() == "");
}

TEST_CASE("an allocation can be revoked in the batch that made it or took from it") {
  Desk desk;
  const auto results = desk.batch({
      command(gift(10, 5)),
      command(domain::Deduct{3}),
      command(domain::Initialize{"s", "m", 5}),
      command(domain::Revoke{1, "admin"}),
      command(domain::Finalize{"s", 1}),
      command(domain::Revoke{1, "somebody else"}),
  });
  const auto revoked = answer<CreditAllocation>(results[3]);
  CHECK(revoked.remaining_credits == 0);
  CHECK(revoked.held_credits == 5);
  CHECK(revoked.consumed_credits == 3);
  CHECK(revoked.revoked_credits == 2);
  const auto again = answer<CreditAllocation>(results[5]);
  CHECK(again == desk.allocation(1));
  CHECK(again.held_credits == 0);
  CHECK(again.revoked_credits == 6);
  CHECK(again.revoked_by == "admin");
  CHECK(desk.broken() == "");
}

TEST_CASE("a key twice in one batch takes effect once") {
  Desk desk;
  desk.give(100);
  const auto results = desk.batch({
      command(domain::Deduct{500}, "k", "500"),
      command(domain::Deduct{5}, "k", "5"),
      command(domain::Deduct{5}, "k", "5"),
      command(domain::Deduct{6}, "k", "6"),
      command(domain::ChargeUsage{{"chat", "m", 5, {}}}, "k", "5"),
      command(domain::Deduct{5}, "other", "5"),
  });
  CHECK(said_of(results) ==
        std::vector<std::string>{"insufficient_credits(required 500, available 100)", "ok", "ok",
                                 "conflict", "conflict", "ok"});
  CHECK((answer<Deduction>(results[1]) == answer<Deduction>(results[2])));
  CHECK(desk.remaining(1) == 90);
  CHECK(desk.rows().keys.size() == 2);
  CHECK(desk.broken() == "");
}

TEST_CASE("accounts of one batch do not touch each other, and unknown ones are refused alone") {
  Desk desk;
  desk.store.add_account("bob");
  const auto of = [](const std::string& user_id, domain::Command asked) {
    asked.user_id = user_id;
    return asked;
  };
  const auto results = desk.batch({
      of("bob", command(gift(3, 5))),
      of("ada", command(gift(7, 5))),
      of("nobody", command(gift(9, 5))),
      of("bob", command(domain::Deduct{4})),
      of("ada", command(domain::Deduct{4})),
      of("bob", command(domain::Initialize{"s", "m", 1})),
      of("ada", command(domain::Finalize{"s", 1})),
  });
  CHECK(said_of(results) ==
        std::vector<std::string>{"ok", "ok", "not_found",
                                 "insufficient_credits(required 4, available 3)", "ok", "ok",
                                 "not_found"});
  CHECK(desk.remaining(1) == 3);
  CHECK(desk.store.account("bob").allocations.at(0).remaining_credits == 2);
  CHECK(desk.store.accounts().size() == 2);
  CHECK(domain::check_invariants(desk.store.account("bob")).empty());
}

TEST_CASE("what changes nothing stores nothing") {
  Desk desk;
  desk.give(10);
  desk.begin("s", 5);
  desk.finish("s", 5);
  REQUIRE(said(desk.ask(command(domain::Deduct{1}, "k"))) == "ok");
  const std::vector<domain::Command> idle = {
      command(domain::Deduct{1'000}),           command(domain::Deduct{1}, "k"),
      command(domain::Finalize{"s", 5}),        command(domain::Expire{"s"}),
      command(domain::Initialize{"s", "m", 5}), command(domain::Abort{"s", 5}),
  };
  const std::vector<domain::Command> nothing;
  domain::State state = desk.store.load(domain::needs_of(idle, 0), desk.now, 100);
  CHECK(domain::decide(state, idle, desk.now, desk.policy).changes.empty());
  CHECK(domain::decide(state, nothing, desk.now, desk.policy).results.empty());
  CHECK(domain::decide(state, nothing, desk.now, desk.policy).changes.empty());
}

}  // namespace accounting::testing
