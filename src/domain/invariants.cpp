#include "domain/invariants.hpp"

#include "domain/entry_audit.hpp"
#include "domain/journal_replay.hpp"
#include "domain/key_audit.hpp"
#include "domain/row_index.hpp"
#include "domain/session_audit.hpp"
#include "domain/wrapping.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace accounting::domain {
namespace {

std::string day_text(Timestamp instant) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(instant));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text.data();
}

std::string number(std::int64_t value) { return std::to_string(value); }

/// Looks at one account and collects what is wrong.
class Auditor {
 public:
  explicit Auditor(const AccountRows& rows)
      : rows_(rows), index_(rows), replay_(rows.allocations), problems_(rows.unreadable) {}

  std::vector<Problem> audit() {
    if (!rows_.known) {
      report("I1", "user_accounts: the account is not there, and rows of it are");
    }
    check_journal();
    check_allocations();
    check_consumption();
    report_all("I3", audit_sessions(rows_, index_));
    report_all("I5", audit_keys(rows_, index_));
    check_rollups();
    return std::move(problems_);
  }

 private:
  void report(const char* invariant, std::string detail) {
    problems_.push_back(
        {.invariant = invariant, .user_id = rows_.user_id, .detail = std::move(detail)});
  }

  void report_all(const char* invariant, std::vector<std::string> details) {
    for (std::string& detail : details) {
      report(invariant, std::move(detail));
    }
  }

  void expect(const char* invariant, const std::string& what, std::int64_t found,
              std::int64_t expected) {
    if (found != expected) {
      report(invariant, what + " is " + number(found) + ", expected " + number(expected));
    }
  }

  /// Of sessions that the balance could not pay, by the sequence of the last entry of each.
  [[nodiscard]] std::map<std::int64_t, const SessionRecord*> unpaid_ends() const {
    std::map<std::string_view, std::int64_t> last;
    for (const SessionRecord& record : rows_.sessions) {
      if (record.uncollected > 0) {
        last.emplace(record.session.session_id, 0);
      }
    }
    std::map<std::int64_t, const SessionRecord*> ends;
    if (last.empty()) {
      return ends;
    }
    for (const CreditEntry& entry : rows_.entries) {
      const auto found = entry.session_id ? last.find(*entry.session_id) : last.end();
      if (found != last.end()) {
        found->second = entry.sequence;
      }
    }
    for (const SessionRecord& record : rows_.sessions) {
      const auto found = last.find(record.session.session_id);
      if (found != last.end() && found->second > 0) {
        ends.emplace(found->second, &record);
      }
    }
    return ends;
  }

  /// What was not collected was not there: nothing was left to take when the session had ended.
  void check_unpaid(const SessionRecord& record) {
    const auto ended_at = record.session.completed_at;
    const CreditAllocation* left = ended_at ? replay_.next_to_take(*ended_at) : nullptr;
    if (left != nullptr) {
      report("I3", "streaming_sessions: session " + record.session.session_id +
                       ": uncollected is " + number(record.uncollected) + " although allocation " +
                       number(left->id) + " could still pay");
    }
  }

  void check_journal() {
    const auto unpaid = unpaid_ends();
    std::int64_t sequence = 0;
    for (const CreditEntry& entry : rows_.entries) {
      if (entry.sequence != wrapping_add(sequence, 1)) {
        report("I4", "credit_entries: after sequence " + number(sequence) + " comes " +
                         number(entry.sequence));
      }
      sequence = entry.sequence;
      if (const auto problem = replay_.apply(entry)) {
        report("I4", "credit_entries: " + name_of(entry) + *problem);
      }
      if (const auto end = unpaid.find(sequence); end != unpaid.end()) {
        check_unpaid(*end->second);
      }
    }
    report_all("I4", audit_entries(rows_, index_));
    expect("I4", "user_accounts: last_entry_sequence", rows_.counters.last_entry_sequence,
           sequence);
  }

  void check_allocations() {
    std::map<std::int64_t, std::int64_t> held;
    for (const SessionRecord& record : rows_.sessions) {
      for (const Slice& slice : record.slices) {
        std::int64_t& sum = held[slice.allocation_id];
        sum = wrapping_add(sum, record.ending ? 0 : slice.credits);
      }
    }
    std::int64_t id = 0;
    std::int64_t allocated = 0;
    for (const CreditAllocation& allocation : rows_.allocations) {
      expect("I1", "credit_allocations: the next id", allocation.id, wrapping_add(id, 1));
      id = allocation.id;
      allocated = wrapping_add(
          allocated, wrapping_subtract(allocation.total_credits, allocation.moved_credits));
      check_allocation(allocation, held[allocation.id]);
    }
    expect("I1", "user_accounts: last_allocation_id", rows_.counters.last_allocation_id, id);
    expect("I1", "user_accounts: allocated_credits", rows_.counters.allocated_credits, allocated);
  }

  void check_allocation(const CreditAllocation& allocation, std::int64_t held_by_sessions) {
    const std::string row = "credit_allocations: allocation " + number(allocation.id) + ": ";
    const ReplayedAllocation& replayed = replay_.allocation(allocation.id);
    const Effect& journal = replayed.places;
    const auto check = [&](const char* column, std::int64_t found, std::int64_t expected) {
      expect("I1", row + column, found, expected);
      if (found < 0) {
        report("I1", row + column + " is negative");
      }
    };
    check("remaining_credits", allocation.remaining_credits, journal.remaining);
    check("held_credits", allocation.held_credits, journal.held);
    check("consumed_credits", allocation.consumed_credits, journal.consumed);
    check("revoked_credits", allocation.revoked_credits, journal.revoked);
    check("moved_credits", allocation.moved_credits, journal.moved);
    expect("I1", row + "held_credits", allocation.held_credits, held_by_sessions);
    std::int64_t total = 0;
    for (const std::int64_t part :
         {allocation.remaining_credits, allocation.held_credits, allocation.consumed_credits,
          allocation.revoked_credits, allocation.moved_credits}) {
      total = wrapping_add(total, part);
    }
    expect("I1", row + "total_credits", allocation.total_credits, total);
    expect("I1", row + "number of allocate entries", replayed.times_allocated, 1);
    if (allocation.revoked_at.has_value() != replayed.revoked) {
      report("I1", row + "revoked_at and the journal disagree");
    }
    if (allocation.revoked_at && allocation.remaining_credits != 0) {
      report("I1", row + "it is revoked, and credits remain");
    }
  }

  void check_consumption() {
    std::int64_t consumed = 0;
    for (const CreditAllocation& allocation : rows_.allocations) {
      consumed = wrapping_add(consumed, allocation.consumed_credits);
    }
    std::int64_t deducted = 0;
    std::map<std::int64_t, std::int64_t> paid;
    for (const CreditEntry& entry : rows_.entries) {
      const std::int64_t amount = amount_of(entry).value_or(0) * effect_of(entry.kind).consumed;
      std::int64_t& sum =
          entry.kind == EntryKind::deduct ? deducted : paid[entry.usage_id.value_or(0)];
      sum = wrapping_add(sum, amount);
    }
    std::set<std::int64_t> of_sessions;
    for (const SessionRecord& record : rows_.sessions) {
      of_sessions.insert(record.usage_id.value_or(0));
    }
    std::int64_t id = 0;
    std::int64_t collected = 0;
    std::int64_t used = 0;
    for (const UsageRecord& record : rows_.usage_records) {
      expect("I2", "usage_records: the next id", record.id, wrapping_add(id, 1));
      id = record.id;
      used = wrapping_add(used, record.credits);
      collected = wrapping_add(collected, record.collected_credits);
      const std::string row = "usage_records: record " + number(record.id) + ": collected_credits";
      expect("I2", row, record.collected_credits, paid[record.id]);
      const bool all_or_nothing =
          record.collected_credits == 0 || record.collected_credits == record.credits;
      if (!all_or_nothing && !of_sessions.contains(record.id)) {
        report("I2", row + " is " + number(record.collected_credits) + " of " +
                         number(record.credits) + ", and no session ended with it");
      }
    }
    expect("I2", "credit_allocations: the sum of consumed_credits", consumed,
           wrapping_add(collected, deducted));
    expect("I2", "user_accounts: last_usage_id", rows_.counters.last_usage_id, id);
    expect("I2", "user_accounts: used_credits", rows_.counters.used_credits, used);
  }

  void check_rollups() {
    const auto key = [](const RollupRow& row) {
      return std::tuple(row.day, row.service, row.model);
    };
    std::map<std::tuple<std::string, std::string, std::string>, RollupRow> expected;
    for (const RollupRow& row : roll_up(rows_.usage_records)) {
      expected.emplace(key(row), row);
    }
    for (const RollupRow& row : rows_.rollups) {
      const std::string name = "usage_rollups: " + row.day + " " + row.service + " " + row.model;
      const auto found = expected.find(key(row));
      const RollupRow raw = found == expected.end() ? RollupRow{} : found->second;
      expect("I6", name + ": records", row.records, raw.records);
      expect("I6", name + ": credits", row.credits, raw.credits);
      expected.erase(key(row));
    }
    for (const auto& [missing, row] : expected) {
      report("I6",
             "usage_rollups: " + row.day + " " + row.service + " " + row.model + " is missing");
    }
  }

  const AccountRows& rows_;
  RowIndex index_;
  JournalReplay replay_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> check_invariants(const AccountRows& rows) { return Auditor(rows).audit(); }

std::vector<RollupRow> roll_up(const std::vector<UsageRecord>& records) {
  std::map<std::tuple<std::string, std::string, std::string>, RollupRow> sums;
  for (const UsageRecord& record : records) {
    const bool chat = record.service == "chat" || record.service.starts_with("chat-");
    RollupRow row{.day = day_text(record.timestamp),
                  .service = record.service,
                  .model = chat ? record.operation : ""};
    RollupRow& sum = sums.try_emplace({row.day, row.service, row.model}, row).first->second;
    sum.records += 1;
    sum.credits = wrapping_add(sum.credits, record.credits);
  }
  std::vector<RollupRow> rows;
  rows.reserve(sums.size());
  for (auto& [name, row] : sums) {
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace accounting::domain
