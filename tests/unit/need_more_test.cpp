// A prefix of the active allocations is loaded. Where a decision runs past it, it asks for more,
// and then comes to what it would have come to with everything loaded.
#include "unit/desk.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

/// 2 credits of each allocation, the first to expire first: #1 to #9.
Desk with_nine() {
  Desk desk;
  for (std::int64_t day = 1; day <= 9; ++day) {
    desk.give(2, day);
  }
  return desk;
}

/// The same, 4 of them held by a session: 14 are left, from #3 on.
Desk with_held() {
  Desk desk = with_nine();
  desk.begin("held", 4);
  return desk;
}

/// Decides once over what a prefix of that length shows.
domain::Decision decide_over(const Desk& desk, const std::vector<domain::Command>& commands,
                             std::int64_t prefix) {
  domain::State state = desk.store.load(domain::needs_of(commands, 0), desk.now, prefix);
  return domain::decide(state, commands, desk.now, desk.policy);
}

}  // namespace

TEST_CASE("how far a prefix reaches") {
  struct Row {
    std::string rule;
    domain::Action action;
    std::int64_t prefix;
    std::string outcome;
  };
  const std::vector<Row> rows = {
      {"within the prefix", domain::Deduct{6}, 3, "ok"},
      {"one credit beyond it", domain::Deduct{7}, 3, "need more"},
      {"all but the last, all loaded but for it", domain::Deduct{12}, 6, "ok"},
      {"a refusal must have seen everything", domain::Deduct{15}, 7, "need more"},
      {"and then is one", domain::Deduct{15}, 8, "insufficient_credits(required 15, available 14)"},
      {"charge", domain::ChargeUsage{{"chat", "m", 7, {}}}, 3, "need more"},
      {"initialize", domain::Initialize{"s", "m", 7}, 3, "need more"},
      {"initialize for nothing", domain::Initialize{"s", "m", 0}, 1, "ok"},
      {"extend within", domain::Extend{"held", 2}, 1, "ok"},
      {"extend beyond", domain::Extend{"held", 3}, 1, "need more"},
      {"an end that gives back needs none", domain::Finalize{"held", 1}, 1, "ok"},
      {"overage within", domain::Finalize{"held", 6}, 1, "ok"},
      {"overage beyond", domain::Finalize{"held", 7}, 1, "need more"},
      {"abort beyond", domain::Abort{"held", 7}, 1, "need more"},
      {"allocate needs none", domain::Allocate{.credits = 5, .allocated_by = "admin"}, 1, "ok"},
      {"record needs none", domain::RecordUsage{{"chat", "m", 500, {}}}, 1, "ok"},
      {"revoke needs none but the named one", domain::Revoke{9, "admin"}, 1, "ok"},
  };
  for (const auto& [rule, action, prefix, outcome] : rows) {
    CAPTURE(rule);
    const Desk desk = with_held();
    const domain::Decision decision = decide_over(desk, {command(action)}, prefix);
    CHECK(said(decision.results.at(0)) == outcome);
    CHECK(decision.need_more == (outcome == "need more"));
    if (decision.need_more) {
      CHECK(decision.changes.empty());
    }
  }
}

TEST_CASE("one command that needs more makes the whole batch load again") {
  const Desk desk = with_nine();
  const domain::Decision decision = decide_over(
      desk, {command(domain::Deduct{1}), command(domain::Deduct{9}), command(domain::Deduct{1})},
      2);
  CHECK(decision.need_more);
  CHECK(decision.changes.empty());
  CHECK(decision.changes.entries.empty());
}

TEST_CASE("of several accounts only the one that needs more has to be decided again") {
  Desk desk = with_nine();
  const auto grant = [](const std::string& user_id) {
    domain::Command made = command(domain::Allocate{.credits = 5, .allocated_by = "admin"}, "k");
    made.user_id = user_id;
    return made;
  };
  desk.store.add_account("abe");
  desk.store.add_account("zoe");
  const domain::Decision decision =
      decide_over(desk, {grant("zoe"), grant("ada"), command(domain::Deduct{15}), grant("abe")}, 2);
  const std::vector<std::string> outcomes = {"ok", "need more", "need more", "ok"};
  for (std::size_t index = 0; index < outcomes.size(); ++index) {
    CHECK(said(decision.results.at(index)) == outcomes[index]);
  }
  // In each list, and in one order.
  const auto check_users = [](const auto& rows) {
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].user_id == "abe");
    CHECK(rows[1].user_id == "zoe");
  };
  check_users(decision.changes.counters);
  check_users(decision.changes.new_allocations);
  check_users(decision.changes.entries);
  check_users(decision.changes.keys);
}

TEST_CASE("with any first prefix, the same decision and the same rows") {
  const std::vector<domain::Command> commands = {
      command(domain::Deduct{3}),
      command(domain::Allocate{.credits = 5, .allocated_by = "admin", .expiry_days = 4}),
      command(domain::Initialize{"s", "m", 9}),
      command(domain::Allocate{.credits = 1, .allocated_by = "admin", .never_expires = true}),
      command(domain::Revoke{6, "admin"}),
      command(domain::Finalize{"s", 13}),
      command(domain::Deduct{100}),
      command(domain::ChargeUsage{{"chat", "m", 2, {}}}),
  };
  Desk whole = with_nine();
  const auto expected = whole.batch(commands);
  REQUIRE(whole.broken() == "");
  for (std::int64_t prefix = 1; prefix <= 12; ++prefix) {
    CAPTURE(prefix);
    Desk desk = with_nine();
    desk.prefix = prefix;
    const auto results = desk.batch(commands);
    for (std::size_t index = 0; index < commands.size(); ++index) {
      CAPTURE(index);
      CHECK(said(results[index]) == said(expected[index]));
    }
    CHECK(desk.rows().allocations == whole.rows().allocations);
    CHECK(desk.rows().entries == whole.rows().entries);
    CHECK(desk.rows().sessions == whole.rows().sessions);
  }
}

TEST_CASE("what a batch allocates stands in its place of the burn order") {
  Desk desk = with_nine();
  const auto allocate = [&](std::chrono::microseconds expiry) {
    return command(
        domain::Allocate{.credits = 5, .allocated_by = "admin", .expires_at = desk.now + expiry});
  };
  // Before the end of the prefix it can be taken from at once.
  const auto sooner = decide_over(desk, {allocate(36h), command(domain::Deduct{6})}, 2);
  CHECK(said(sooner.results[1]) == "ok");
  CHECK((answer<Deduction>(sooner.results[1]).slices == Slices{{1, 2}, {10, 4}}));
  // Behind it, nobody knows what stands between.
  const auto later = decide_over(desk, {allocate(days(6)), command(domain::Deduct{6})}, 2);
  CHECK(said(later.results[1]) == "need more");
}

TEST_CASE("an allocation that was loaded for another reason is not taken from before its turn") {
  Desk desk = with_nine();
  desk.give(6, 20);
  REQUIRE(said(desk.ask(domain::Initialize{"s", "m", 19})) == "ok");
  for (std::int64_t day = 1; day <= 3; ++day) {
    desk.give(1, day + 20);
  }
  desk.give(1, 1);
  // Loaded: #14, the first; and for the session's sake #10, of which 5 are left.
  const auto decision = decide_over(desk, {command(domain::Finalize{"s", 21})}, 1);
  CHECK(said(decision.results[0]) == "need more");
  desk.prefix = 1;
  CHECK(desk.finish("s", 21).uncollected == 0);
  CHECK(desk.remaining(14) == 0);
  CHECK(desk.remaining(10) == 4);
  CHECK(desk.broken() == "");
}

}  // namespace accounting::testing
