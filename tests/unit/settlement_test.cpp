// The end of a session: what is paid, what goes back and where, what is charged beyond the hold.
#include "unit/desk.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

Policy without_buffer(RefundPolicy refund = RefundPolicy::to_source,
                      OveragePolicy overage = OveragePolicy::charge) {
  return {.buffer = 0, .refund = refund, .overage = overage};
}

/// A session that holds 4 of #1, 4 of #2 and 2 of #3, of which 2 are left.
Desk with_three_slices(const Policy& policy) {
  Desk desk(policy);
  desk.give(4, 1);
  desk.give(4, 2);
  desk.give(4, 3);
  desk.begin("s", 10);
  return desk;
}

constexpr std::size_t entries_before = 6;

}  // namespace

TEST_CASE(
    "what was used is paid in the order in which it was taken; the last taken goes back first") {
  struct Row {
    std::int64_t used;
    std::string journal;
    std::vector<std::int64_t> remaining;
  };
  const std::vector<Row> rows = {
      {10, "settle 4 of #1, settle 4 of #2, settle 2 of #3", {0, 0, 2}},
      {9, "settle 4 of #1, settle 4 of #2, settle 1 of #3, refund 1 of #3", {0, 0, 3}},
      {8, "settle 4 of #1, settle 4 of #2, refund 2 of #3", {0, 0, 4}},
      {6, "settle 4 of #1, settle 2 of #2, refund 2 of #3, refund 2 of #2", {0, 2, 4}},
      {3, "settle 3 of #1, refund 2 of #3, refund 4 of #2, refund 1 of #1", {1, 4, 4}},
      {0, "refund 2 of #3, refund 4 of #2, refund 4 of #1", {4, 4, 4}},
  };
  for (const auto& [used, journal, remaining] : rows) {
    CAPTURE(used);
    Desk desk = with_three_slices(without_buffer());
    const Settlement end = desk.finish("s", used);
    CHECK(end.actual_credits == used);
    CHECK(end.refund == 10 - used);
    CHECK(end.overage == 0);
    CHECK(desk.journal(entries_before) == journal);
    for (std::int64_t id = 1; id <= 3; ++id) {
      CHECK(desk.remaining(id) == remaining[static_cast<std::size_t>(id - 1)]);
      CHECK(desk.allocation(id).held_credits == 0);
    }
    CHECK(desk.broken() == "");
  }
}

TEST_CASE("an extension was taken last, so it goes back first") {
  Desk desk(without_buffer());
  desk.give(5, 1);
  desk.begin("s", 5);
  desk.give(5, 2);
  REQUIRE(said(desk.ask(domain::Extend{"s", 3})) == "ok");
  desk.finish("s", 4);
  CHECK(desk.journal(4) == "settle 4 of #1, refund 3 of #2, refund 1 of #1");
  CHECK(desk.broken() == "");
}

TEST_CASE("an allocation that gave twice gets back twice") {
  Desk desk(without_buffer());
  desk.give(9, 1);
  desk.begin("s", 3);
  REQUIRE(said(desk.ask(domain::Extend{"s", 4})) == "ok");
  desk.finish("s", 2);
  CHECK(desk.journal(3) == "settle 2 of #1, refund 4 of #1, refund 1 of #1");
  CHECK(desk.remaining(1) == 7);
  CHECK(desk.broken() == "");
}

TEST_CASE(
    "overage under charge: from the balance in burn order, what it cannot cover is uncollected") {
  struct Row {
    std::int64_t used;
    std::int64_t overage;
    std::int64_t uncollected;
    std::string journal;
  };
  // Held: 4 of #1, 4 of #2 and 2 of #3, of which 2 are left; #4 has 3 and expires first.
  const std::vector<Row> rows = {
      {11, 1, 0, "overage 1 of #4"},
      {14, 4, 0, "overage 3 of #4, overage 1 of #3"},
      {15, 5, 0, "overage 3 of #4, overage 2 of #3"},
      {17, 7, 2, "overage 3 of #4, overage 2 of #3"},
  };
  for (const auto& [used, overage, uncollected, journal] : rows) {
    CAPTURE(used);
    Desk desk = with_three_slices(without_buffer());
    desk.ask(domain::Allocate{.credits = 3, .allocated_by = "admin", .expires_at = desk.now + 1h});
    const Settlement end = desk.finish("s", used);
    CHECK(end.allocated_credits == 10);
    CHECK(end.actual_credits == used);
    CHECK(end.refund == 0);
    CHECK(end.overage == overage);
    CHECK(end.uncollected == uncollected);
    CHECK(desk.journal(entries_before + 1) ==
          "settle 4 of #1, settle 4 of #2, settle 2 of #3, " + journal);
    const UsageRecord& usage = desk.rows().usage_records.at(0);
    CHECK(usage.credits == used);
    CHECK(usage.collected_credits == used - uncollected);
    CHECK(desk.broken() == "");
  }
}

TEST_CASE("overage under absorb: nothing more is taken, and nothing is uncollected") {
  Desk desk = with_three_slices(without_buffer(RefundPolicy::to_source, OveragePolicy::absorb));
  const Settlement end = desk.finish("s", 17);
  CHECK(end.overage == 7);
  CHECK(end.uncollected == 0);
  CHECK(desk.remaining(3) == 2);
  CHECK(desk.rows().usage_records.at(0).credits == 17);
  CHECK(desk.rows().usage_records.at(0).collected_credits == 10);
  CHECK(desk.broken() == "");
}

TEST_CASE("overage is not taken from what has expired, begins later or was revoked") {
  Desk desk(without_buffer());
  desk.give(5, 9);
  desk.begin("s", 5);
  desk.give(7, 1);
  desk.ask(
      domain::Allocate{.credits = 7, .allocated_by = "admin", .effective_at = desk.now + days(2)});
  desk.give(7, 3);
  REQUIRE(said(desk.ask(domain::Revoke{4, "admin"})) == "ok");
  desk.now += days(1);
  CHECK(desk.finish("s", 8).uncollected == 3);
  CHECK(desk.broken() == "");
}

TEST_CASE("what comes back to an allocation that has expired meanwhile expires with it") {
  Desk desk = with_three_slices(without_buffer());
  desk.now += days(2);
  CHECK(desk.finish("s", 3).refund == 7);
  CHECK(desk.remaining(1) == 1);
  CHECK(desk.remaining(2) == 4);
  CHECK(said(desk.ask(domain::Deduct{5})) == "insufficient_credits(required 5, available 4)");
  CHECK(desk.broken() == "");
}

TEST_CASE("what comes back of a revoked allocation is revoked too") {
  for (const RefundPolicy refund : {RefundPolicy::to_source, RefundPolicy::new_allocation}) {
    Desk desk = with_three_slices(without_buffer(refund));
    REQUIRE(said(desk.ask(domain::Revoke{2, "admin"})) == "ok");
    CHECK(desk.allocation(2).held_credits == 4);
    CHECK(desk.allocation(2).revoked_credits == 0);
    const Settlement end = desk.finish("s", 5);
    CHECK(end.refund == 5);
    CHECK(desk.allocation(2).held_credits == 0);
    CHECK(desk.allocation(2).consumed_credits == 1);
    CHECK(desk.allocation(2).revoked_credits == 3);
    CHECK(desk.remaining(2) == 0);
    const bool to_source = refund == RefundPolicy::to_source;
    CHECK(desk.journal(entries_before + 1) ==
          "settle 4 of #1, settle 1 of #2, " +
              std::string(to_source ? "refund 2 of #3, refund 3 of #2, revoke 3 of #2"
                                    : "move 2 of #3, refund 3 of #2, revoke 3 of #2, "
                                      "allocate 2 of #4"));
    CHECK(said(desk.ask(domain::Deduct{5})) == "insufficient_credits(required 5, available 4)");
    CHECK(desk.broken() == "");
  }
}

TEST_CASE("new_allocation: what goes back becomes one new allocation by system") {
  struct Row {
    domain::Action end;
    std::string note;
  };
  const std::vector<Row> rows = {
      {domain::Finalize{"s", 6, true}, "Refund from streaming session s"},
      {domain::Finalize{"s", 6, false}, "Refund from streaming session s"},
      {domain::Abort{"s", 6}, "Partial refund from aborted streaming session s"},
      {domain::Expire{"s"}, "Refund from streaming session s"},
  };
  for (const auto& [end, note] : rows) {
    CAPTURE(note);
    Policy policy = without_buffer(RefundPolicy::new_allocation, OveragePolicy::absorb);
    policy.refund_expiry_days = 12;
    Desk desk = with_three_slices(policy);
    REQUIRE(said(desk.ask(domain::Report{"s", 6})) == "ok");
    desk.now += 1h;
    CHECK(answer<Settlement>(desk.ask(end)).refund == 4);
    CHECK(desk.journal(entries_before) ==
          "settle 4 of #1, settle 2 of #2, move 2 of #3, move 2 of #2, allocate 4 of #4");
    const CreditAllocation& opened = desk.allocation(4);
    CHECK(opened.total_credits == 4);
    CHECK(opened.remaining_credits == 4);
    CHECK(opened.allocated_by == "system");
    CHECK(opened.allocated_at == desk.now);
    CHECK(opened.effective_at == desk.now);
    CHECK(opened.expires_at == desk.now + days(12));
    CHECK(opened.notes == note);
    CHECK(desk.allocation(2).moved_credits == 2);
    CHECK(desk.allocation(3).moved_credits == 2);
    CHECK(desk.rows().counters.allocated_credits == 12);
    CHECK(desk.broken() == "");
  }
}

TEST_CASE("new_allocation: nothing goes back, nothing is opened") {
  Desk desk = with_three_slices(without_buffer(RefundPolicy::new_allocation));
  desk.finish("s", 10);
  CHECK(desk.rows().allocations.size() == 3);
  CHECK(desk.broken() == "");
}

TEST_CASE("every end writes its usage record") {
  struct Row {
    domain::Action end;
    SessionStatus status;
    std::string service;
    std::string metadata;
  };
  const std::vector<Row> rows = {
      {domain::Finalize{"s", 6, true}, SessionStatus::completed, "chat-streaming",
       R"({"duration":7200.0,"estimated_credits":10,"session_id":"s","tokens":6})"},
      {domain::Finalize{"s", 7, false}, SessionStatus::failed, "chat-streaming-failed",
       R"({"duration":7200.0,"estimated_credits":10,"session_id":"s","tokens":7})"},
      {domain::Abort{"s", 0}, SessionStatus::aborted, "chat-streaming-aborted",
       R"({"duration":7200.0,"estimated_credits":10,"session_id":"s","tokens":0})"},
      {domain::Expire{"s"}, SessionStatus::expired, "chat-streaming-expired",
       R"({"duration":7200.0,"estimated_credits":10,"session_id":"s","tokens":0})"},
  };
  for (const auto& [end, status, service, metadata] : rows) {
    CAPTURE(service);
    Desk desk = with_three_slices(without_buffer());
    desk.now += 2h;
    CHECK(answer<Settlement>(desk.ask(end)).status == status);
    const UsageRecord& usage = desk.rows().usage_records.at(0);
    CHECK(usage.service == service);
    CHECK(usage.operation == "m");
    CHECK(usage.timestamp == desk.now);
    CHECK(usage.metadata == metadata);
    const domain::SessionRecord& record = desk.session("s");
    CHECK(record.session.status == status);
    CHECK(record.session.used_credits == usage.credits);
    CHECK(record.session.completed_at == desk.now);
    CHECK(record.usage_id == 1);
    CHECK(desk.rows().rollups.size() == 1);
    CHECK(desk.rows().rollups.at(0).model == "m");
    CHECK(desk.broken() == "");
  }
}

}  // namespace accounting::testing
