// Invariants: clean books show nothing, and each corruption is named by the invariants it breaks.
#include "domain/invariants.hpp"
#include "unit/desk.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;
using domain::AccountRows;
using std::chrono::days;

/// Books in which everything has happened once:
///   #1 100 for 30 days, #2 10 for 1 day, #3 20 that never expires, revoked; #4 8, a refund
///   s-1 completed with a refund, s-2 completed with overage, s-3 active, s-4 refunded into #4
AccountRows clean_rows() {
  Desk desk;
  REQUIRE(said(desk.ask(
              command(domain::Allocate{.credits = 100, .allocated_by = "admin"}, "k-1"))) == "ok");
  desk.give(10, 1);
  desk.give(20, 0);
  REQUIRE(said(desk.ask(command(domain::Deduct{3}, "k-2"))) == "ok");
  REQUIRE(said(desk.ask(command(domain::ChargeUsage{{"chat", "m", 2, {}}}, "k-3"))) == "ok");
  REQUIRE(said(desk.ask(command(domain::RecordUsage{{"images", "draw", 9, {}}}, "k-4"))) == "ok");
  desk.begin("s-1", 10);
  desk.finish("s-1", 7);
  desk.begin("s-2", 10);
  desk.finish("s-2", 12);
  desk.policy.refund = RefundPolicy::new_allocation;
  desk.begin("s-4", 9);
  desk.finish("s-4", 1);
  desk.begin("s-3", 5);
  REQUIRE(said(desk.ask(domain::Revoke{3, "admin"})) == "ok");
  desk.now += days(2);
  REQUIRE(said(desk.ask(command(domain::Extend{"s-3", 5}, "k-5"))) == "ok");
  return desk.rows();
}

std::string broken(const AccountRows& rows) {
  std::set<std::string> names;
  for (const Problem& problem : domain::check_invariants(rows)) {
    CHECK(problem.user_id == "ada");
    CHECK_FALSE(problem.detail.empty());
    names.insert(problem.invariant);
  }
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

struct Row {
  std::string corruption;
  std::function<void(AccountRows&)> corrupt;
  std::string broken;
};

void check(const std::vector<Row>& table) {
  const AccountRows clean = clean_rows();
  for (const auto& [corruption, corrupt, expected] : table) {
    CAPTURE(corruption);
    AccountRows rows = clean;
    corrupt(rows);
    CHECK(broken(rows) == expected);
  }
}

domain::SessionRecord& session(AccountRows& rows, const std::string& session_id) {
  const auto found = find_session(rows.sessions, session_id);
  REQUIRE(found != rows.sessions.end());
  return *found;
}

CreditEntry& entry(AccountRows& rows, EntryKind kind) {
  for (CreditEntry& each : rows.entries) {
    if (each.kind == kind) {
      return each;
    }
  }
  throw std::logic_error("there is no entry of that kind");
}

domain::KeyRecord& key(AccountRows& rows, const std::string& name) {
  const auto found = find_key(rows.keys, name);
  REQUIRE(found != rows.keys.end());
  return *found;
}

}  // namespace

TEST_CASE("clean books, and empty ones, show nothing") {
  CHECK(broken(clean_rows()) == "");
  AccountRows empty;
  empty.user_id = "ada";
  CHECK(broken(empty) == "");
}

TEST_CASE("I1: credits are in one place each, as the journal says") {
  check({
      {"one more remains", [](auto& rows) { rows.allocations[0].remaining_credits += 1; }, "I1"},
      {"one less is held", [](auto& rows) { rows.allocations[0].held_credits -= 1; }, "I1"},
      {"one more is revoked", [](auto& rows) { rows.allocations[2].revoked_credits += 1; }, "I1"},
      {"one more was moved", [](auto& rows) { rows.allocations[0].moved_credits += 1; }, "I1"},
      {"the total is another", [](auto& rows) { rows.allocations[0].total_credits += 1; }, "I1"},
      {"from remaining to held, the sum unchanged",
       [](auto& rows) {
         rows.allocations[0].remaining_credits -= 1;
         rows.allocations[0].held_credits += 1;
       },
       "I1"},
      {"from remaining to consumed, the sum unchanged",
       [](auto& rows) {
         rows.allocations[0].remaining_credits -= 1;
         rows.allocations[0].consumed_credits += 1;
       },
       "I1 I2"},
      {"a negative remainder", [](auto& rows) { rows.allocations[1].remaining_credits = -1; },
       "I1"},
      {"not revoked any more", [](auto& rows) { rows.allocations[2].revoked_at.reset(); }, "I1"},
      {"revoked without an entry",
       [](auto& rows) { rows.allocations[0].revoked_at = kStart + days(3); }, "I1"},
      {"the last allocation is gone", [](auto& rows) { rows.allocations.pop_back(); }, "I1 I4"},
      {"the counter of allocations", [](auto& rows) { rows.counters.last_allocation_id += 1; },
       "I1"},
      {"the sum of allocated credits", [](auto& rows) { rows.counters.allocated_credits -= 1; },
       "I1"},
      {"revoked, with credits left",
       [](auto& rows) {
         rows.allocations[2].remaining_credits += 1;
         rows.allocations[2].revoked_credits -= 1;
       },
       "I1"},
      {"numbers that no sum can hold",
       [](auto& rows) {
         rows.allocations[0].consumed_credits = std::numeric_limits<std::int64_t>::max();
         rows.allocations[1].consumed_credits = std::numeric_limits<std::int64_t>::max();
       },
       "I1 I2"},
      {"rows of an account that is gone", [](auto& rows) { rows.known = false; }, "I1"},
  });
}

TEST_CASE("I2: what was consumed paid for use, or was plainly deducted") {
  check({
      {"a record collected one more",
       [](auto& rows) { rows.usage_records[0].collected_credits += 1; }, "I2"},
      {"a record that only recorded has collected",
       [](auto& rows) { rows.usage_records[1].collected_credits = 9; }, "I2 I5"},
      {"a charge has become a deduction",
       [](auto& rows) { entry(rows, EntryKind::charge).kind = EntryKind::deduct; }, "I2 I4 I5"},
      {"a charge names another record",
       [](auto& rows) { entry(rows, EntryKind::charge).usage_id = 2; }, "I2 I5"},
      {"the counter of records", [](auto& rows) { rows.counters.last_usage_id += 1; }, "I2"},
      {"the sum of used credits", [](auto& rows) { rows.counters.used_credits += 1; }, "I2"},
      {"two records exchange their ids",
       [](auto& rows) { std::swap(rows.usage_records[0].id, rows.usage_records[1].id); }, "I2 I5"},
      {"a charge was paid in part, and the journal agrees",
       [](auto& rows) {
         entry(rows, EntryKind::charge).credits += 1;
         rows.usage_records[0].collected_credits -= 1;
         rows.allocations[1].consumed_credits -= 1;
         rows.allocations[1].remaining_credits += 1;
       },
       "I2 I4 I5"},
  });
}

TEST_CASE("I3: a session's hold went where its end says") {
  check({
      {"another refund", [](auto& rows) { session(rows, "s-1").refund += 1; }, "I3"},
      {"another overage", [](auto& rows) { session(rows, "s-2").overage += 1; }, "I3"},
      {"something uncollected", [](auto& rows) { session(rows, "s-2").uncollected += 1; }, "I3"},
      {"another use", [](auto& rows) { session(rows, "s-1").session.used_credits += 1; }, "I3"},
      {"it ended with other tokens", [](auto& rows) { session(rows, "s-1").ending->tokens = 8; },
       "I3"},
      {"another price", [](auto& rows) { session(rows, "s-1").prices.price_per_1k_tokens = 900; },
       "I3"},
      {"the policy absorbs",
       [](auto& rows) { session(rows, "s-2").policy.overage = OveragePolicy::absorb; }, "I3"},
      {"another estimate", [](auto& rows) { session(rows, "s-1").session.estimated_credits = 9; },
       "I3"},
      {"another hold", [](auto& rows) { session(rows, "s-1").session.allocated_credits = 9; },
       "I3"},
      {"a slice of an ended session is gone",
       [](auto& rows) { session(rows, "s-2").slices.pop_back(); }, "I3"},
      {"a slice of an ended session from another allocation",
       [](auto& rows) { session(rows, "s-1").slices[0].allocation_id = 3; }, "I3"},
      {"a session's slices in another order",
       [](auto& rows) { std::ranges::reverse(session(rows, "s-1").slices); }, "I3"},
      {"its usage record is another's",
       [](auto& rows) { session(rows, "s-2").usage_id = session(rows, "s-1").usage_id; }, "I3 I4"},
      {"it has no usage record", [](auto& rows) { session(rows, "s-1").usage_id.reset(); },
       "I3 I4"},
      {"a session that ended is gone",
       [](auto& rows) { rows.sessions.erase(find_session(rows.sessions, "s-1")); }, "I3"},
      {"an ended session is active again",
       [](auto& rows) {
         session(rows, "s-1").ending.reset();
         session(rows, "s-1").session.status = SessionStatus::active;
       },
       "I1 I3"},
      {"an active session has ended",
       [](auto& rows) {
         session(rows, "s-3").ending = domain::Ending{SessionStatus::completed, 10};
       },
       "I1 I3"},
      {"an active session has a refund", [](auto& rows) { session(rows, "s-3").refund = 1; }, "I3"},
      {"an active session has used",
       [](auto& rows) { session(rows, "s-3").session.used_credits = 1; }, "I3"},
      {"an ended session says active",
       [](auto& rows) { session(rows, "s-1").session.status = SessionStatus::active; }, "I3"},
      {"another kind of end",
       [](auto& rows) { session(rows, "s-1").session.status = SessionStatus::aborted; }, "I3"},
      {"it ended at another instant",
       [](auto& rows) { *session(rows, "s-1").session.completed_at += 1us; }, "I3"},
      {"it began at another instant",
       [](auto& rows) { session(rows, "s-3").session.started_at -= 1us; }, "I3 I5"},
      {"a sign of life before it began",
       [](auto& rows) {
         session(rows, "s-1").session.last_activity_at -= 1us;
         session(rows, "s-1").session.expires_at -= 1us;
       },
       "I3"},
      {"it lasts longer than its policy says",
       [](auto& rows) { session(rows, "s-3").session.expires_at += 1us; }, "I3"},
      {"it began with other tokens", [](auto& rows) { session(rows, "s-3").first_tokens = 6; },
       "I3"},
      {"another model", [](auto& rows) { session(rows, "s-1").session.model_id = "n"; }, "I3"},
      {"its policy refunds to the source, and a refund moved",
       [](auto& rows) { session(rows, "s-4").policy.refund = RefundPolicy::to_source; }, "I3"},
      {"its refund lasts longer than its policy says",
       [](auto& rows) { *rows.allocations[3].expires_at += 1us; }, "I3"},
      {"its usage record has other metadata",
       [](auto& rows) { rows.usage_records[2].metadata = R"({"session_id":"s-9"})"; }, "I3"},
      {"its usage record is of another service",
       [](auto& rows) { rows.usage_records[2].service = "chat-streaming-failed"; }, "I3 I6"},
      {"tokens that are no number of tokens",
       [](auto& rows) { session(rows, "s-1").ending->tokens = -5; }, "I3"},
      {"a price times tokens that no number holds",
       [](auto& rows) {
         session(rows, "s-1").session.estimated_tokens = std::numeric_limits<std::int64_t>::max();
         session(rows, "s-1").policy.buffer = std::numeric_limits<std::int64_t>::max();
       },
       "I3"},
  });
}

TEST_CASE("I3: the last taken goes back first, and not just as much as was taken") {
  Desk desk;
  desk.give(5, 1);
  desk.give(5, 2);
  desk.begin("s", 10);
  desk.finish("s", 5);
  AccountRows rows = desk.rows();
  REQUIRE(desk.journal(4) == "settle 5 of #1, refund 5 of #2");
  // Every sum stays right.
  rows.entries[4].allocation_id = 2;
  rows.entries[5].allocation_id = 1;
  std::swap(rows.allocations[0].remaining_credits, rows.allocations[1].remaining_credits);
  std::swap(rows.allocations[0].consumed_credits, rows.allocations[1].consumed_credits);
  CHECK(broken(rows) == "I3");
}

TEST_CASE("I4: the journal, replayed, takes in burn order and nothing that has expired") {
  check({
      {"another expiry: another allocation would have been first",
       [](auto& rows) { rows.allocations[1].expires_at = kStart + days(40); }, "I4"},
      {"taken before it was effective",
       [](auto& rows) { rows.allocations[1].effective_at = kStart + 1h; }, "I4"},
      {"taken at the very expiry", [](auto& rows) { rows.allocations[1].expires_at = kStart; },
       "I4"},
      {"two entries exchanged", [](auto& rows) { std::swap(rows.entries[3], rows.entries[4]); },
       "I4"},
      {"a gap in the journal",
       [](auto& rows) {
         for (std::size_t index = 5; index < rows.entries.size(); ++index) {
           rows.entries[index].sequence += 1;
         }
       },
       "I4 I5"},
      {"the counter of entries", [](auto& rows) { rows.counters.last_entry_sequence += 1; }, "I4"},
      {"an entry of an unknown allocation",
       [](auto& rows) { entry(rows, EntryKind::deduct).allocation_id = 9; }, "I1 I4 I5"},
      {"numbers that do not fit the kind",
       [](auto& rows) { entry(rows, EntryKind::deduct).held_credits = 3; }, "I1 I2 I4 I5"},
      {"a deduction that gives", [](auto& rows) { entry(rows, EntryKind::deduct).credits = 3; },
       "I1 I2 I4 I5"},
      {"an allocation that was there before it was made",
       [](auto& rows) { std::swap(rows.entries[0].allocation_id, rows.entries[1].allocation_id); },
       "I1 I4 I5"},
      {"a charge at another instant than its record",
       [](auto& rows) { entry(rows, EntryKind::charge).created_at += 1us; }, "I4 I5"},
      {"an allocation made at another instant",
       [](auto& rows) { rows.allocations[1].allocated_at -= 1us; }, "I4"},
      {"a revocation at another instant",
       [](auto& rows) { *rows.allocations[2].revoked_at += 1us; }, "I4"},
      {"a deduction that names a record",
       [](auto& rows) { entry(rows, EntryKind::deduct).usage_id = 1; }, "I4 I5"},
      {"a hold that names no session",
       [](auto& rows) { entry(rows, EntryKind::hold).session_id.reset(); }, "I3 I4"},
      {"a refund that names another record",
       [](auto& rows) { entry(rows, EntryKind::refund).usage_id = 4; }, "I4"},
      {"a hold settled before it was held",
       [](auto& rows) {
         std::swap(rows.entries[5], rows.entries[7]);
         std::swap(rows.entries[5].sequence, rows.entries[7].sequence);
       },
       "I3 I4"},
      {"a number that has no opposite",
       [](auto& rows) {
         entry(rows, EntryKind::deduct).credits = std::numeric_limits<std::int64_t>::min();
       },
       "I1 I2 I4 I5"},
  });
}

TEST_CASE("I5: a key stands for one effect, which is there") {
  check({
      {"an allocation that is not there",
       [](auto& rows) { key(rows, "k-1").answer = R"({"allocation_id":77})"; }, "I5"},
      {"a usage record that is not there",
       [](auto& rows) { key(rows, "k-3").answer = R"({"usage_id":77})"; }, "I5"},
      {"an entry that is not there",
       [](auto& rows) { key(rows, "k-2").answer = R"({"entry":777,"slices":[[2,3]]})"; }, "I5"},
      {"an id of nothing", [](auto& rows) { key(rows, "k-3").answer = R"({"usage_id":0})"; }, "I5"},
      {"two keys with one effect",
       [](auto& rows) { key(rows, "k-4").answer = key(rows, "k-3").answer; }, "I5"},
      {"an answer that is no JSON", [](auto& rows) { key(rows, "k-1").answer = "no json"; }, "I5"},
      {"an answer that is a list", [](auto& rows) { key(rows, "k-1").answer = "[1]"; }, "I5"},
      {"an answer of nothing", [](auto& rows) { key(rows, "k-1").answer = "{}"; }, "I5"},
      {"an answer of other types",
       [](auto& rows) { key(rows, "k-3").answer = R"({"usage_id":"1"})"; }, "I5"},
      {"the answer of another operation",
       [](auto& rows) { key(rows, "k-3").answer = R"({"allocation_id":4})"; }, "I5"},
      {"an operation that takes no key", [](auto& rows) { key(rows, "k-1").operation = "revoke"; },
       "I5"},
      {"an allocation that lasts longer",
       [](auto& rows) { *rows.allocations[0].expires_at += 1us; }, "I4 I5"},
      {"the effect of another instant", [](auto& rows) { key(rows, "k-2").created_at += 1us; },
       "I5"},
      {"slices that were not taken",
       [](auto& rows) { key(rows, "k-2").answer = R"({"entry":4,"slices":[[2,4]]})"; }, "I5"},
      {"slices of nothing",
       [](auto& rows) { key(rows, "k-2").answer = R"({"entry":4,"slices":[]})"; }, "I5"},
      {"a slice that is none",
       [](auto& rows) { key(rows, "k-2").answer = R"({"entry":4,"slices":[7]})"; }, "I5"},
      {"the entry of another effect",
       [](auto& rows) { key(rows, "k-2").answer = R"({"entry":6,"slices":[[2,3]]})"; }, "I5"},
      {"an extension that was none",
       [](auto& rows) { key(rows, "k-5").answer = R"({"entry":4,"started_at":0,"model_id":"m"})"; },
       "I5"},
      {"a recorded use that was paid for",
       [](auto& rows) { key(rows, "k-3").operation = "record"; }, "I5"},
  });
}

TEST_CASE("I6: rollups are the usage records, grouped") {
  check({
      {"one credit more", [](auto& rows) { rows.rollups[0].credits += 1; }, "I6"},
      {"one record more", [](auto& rows) { rows.rollups[0].records += 1; }, "I6"},
      {"a row is gone", [](auto& rows) { rows.rollups.pop_back(); }, "I6"},
      {"a row of nothing",
       [](auto& rows) {
         rows.rollups.push_back({"2026-01-01", "video", "", 1, 5});
       },
       "I6"},
      {"another day", [](auto& rows) { rows.rollups[0].day = "2026-01-02"; }, "I6"},
      {"another model", [](auto& rows) { rows.rollups[0].model = "n"; }, "I6"},
      {"a record of another day", [](auto& rows) { rows.usage_records[1].timestamp -= 1us; },
       "I5 I6"},
      {"a record costs another amount, as does all that sums it up",
       [](auto& rows) {
         rows.usage_records[1].credits += 1;
         rows.counters.used_credits += 1;
       },
       "I6"},
      {"a record is gone",
       [](auto& rows) { rows.usage_records.erase(rows.usage_records.begin() + 1); }, "I2 I5 I6"},
  });
}

TEST_CASE("records are grouped by UTC day, service, and, for chat, model") {
  const auto used = [](Timestamp at, const std::string& service, const std::string& operation) {
    return UsageRecord{.timestamp = at, .service = service, .operation = operation, .credits = 5};
  };
  const Timestamp midnight = kStart;
  const auto rows =
      domain::roll_up({used(midnight, "chat", "m"), used(midnight, "chat", "n"),
                       used(midnight + 24h - 1us, "chat", "m"), used(midnight - 1us, "chat", "m"),
                       used(midnight, "chat-x", "m"), used(midnight, "chatter", "m"),
                       used(midnight, "images", "m"), used(midnight, "images", "n")});
  CHECK(rows == std::vector<domain::RollupRow>{{"2025-12-31", "chat", "m", 1, 5},
                                               {"2026-01-01", "chat", "m", 2, 10},
                                               {"2026-01-01", "chat", "n", 1, 5},
                                               {"2026-01-01", "chat-x", "m", 1, 5},
                                               {"2026-01-01", "chatter", "", 1, 5},
                                               {"2026-01-01", "images", "", 2, 10}});
}

}  // namespace accounting::testing
