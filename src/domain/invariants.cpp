#include "domain/invariants.hpp"

#include "domain/journal_replay.hpp"
#include "domain/rules.hpp"
#include "domain/session_audit.hpp"

#include <nlohmann/json.hpp>

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
  explicit Auditor(const AccountRows& rows) : rows_(rows), replay_(rows.allocations) {}

  std::vector<Problem> audit() {
    check_journal();
    check_allocations();
    check_consumption();
    check_sessions();
    check_keys();
    check_rollups();
    return std::move(problems_);
  }

 private:
  void report(const char* invariant, std::string detail) {
    problems_.push_back(
        {.invariant = invariant, .user_id = rows_.user_id, .detail = std::move(detail)});
  }

  void expect(const char* invariant, const std::string& what, std::int64_t found,
              std::int64_t expected) {
    if (found != expected) {
      report(invariant, what + " is " + number(found) + ", expected " + number(expected));
    }
  }

  void check_journal() {
    std::int64_t sequence = 0;
    for (const CreditEntry& entry : rows_.entries) {
      if (entry.sequence != ++sequence) {
        report("I4", "credit_entries: after sequence " + number(sequence - 1) + " comes " +
                         number(entry.sequence));
        sequence = entry.sequence;
      }
      if (const auto problem = replay_.apply(entry)) {
        report("I4", "credit_entries: the entry with sequence " + number(entry.sequence) + " (" +
                         std::string(to_string(entry.kind)) + ") " + *problem);
      }
    }
    expect("I4", "user_accounts: last_entry_sequence", rows_.counters.last_entry_sequence,
           sequence);
  }

  void check_allocations() {
    std::map<std::int64_t, std::int64_t> held;
    for (const SessionRecord& record : rows_.sessions) {
      for (const Slice& slice : record.slices) {
        held[slice.allocation_id] += record.ending ? 0 : slice.credits;
      }
    }
    std::int64_t id = 0;
    std::int64_t allocated = 0;
    for (const CreditAllocation& allocation : rows_.allocations) {
      expect("I1", "credit_allocations: the next id", allocation.id, ++id);
      id = allocation.id;
      allocated += allocation.total_credits - allocation.moved_credits;
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
    expect("I1", row + "total_credits", allocation.total_credits,
           allocation.remaining_credits + allocation.held_credits + allocation.consumed_credits +
               allocation.revoked_credits + allocation.moved_credits);
    expect("I1", row + "number of allocate entries", replayed.times_allocated, 1);
    if (allocation.revoked_at.has_value() != replayed.revoked) {
      report("I1", row + "revoked_at and the journal disagree");
    }
  }

  void check_consumption() {
    std::int64_t consumed = 0;
    for (const CreditAllocation& allocation : rows_.allocations) {
      consumed += allocation.consumed_credits;
    }
    std::int64_t deducted = 0;
    std::map<std::int64_t, std::int64_t> paid;
    for (const CreditEntry& entry : rows_.entries) {
      const std::int64_t amount = amount_of(entry).value_or(0) * effect_of(entry.kind).consumed;
      if (entry.kind == EntryKind::deduct) {
        deducted += amount;
      } else if (entry.usage_id) {
        paid[*entry.usage_id] += amount;
      }
    }
    std::int64_t id = 0;
    std::int64_t collected = 0;
    std::int64_t used = 0;
    for (const UsageRecord& record : rows_.usage_records) {
      expect("I2", "usage_records: the next id", record.id, ++id);
      id = record.id;
      used += record.credits;
      collected += record.collected_credits;
      expect("I2", "usage_records: record " + number(record.id) + ": collected_credits",
             record.collected_credits, paid[record.id]);
    }
    expect("I2", "credit_allocations: the sum of consumed_credits", consumed, collected + deducted);
    expect("I2", "user_accounts: last_usage_id", rows_.counters.last_usage_id, id);
    expect("I2", "user_accounts: used_credits", rows_.counters.used_credits, used);
  }

  void check_sessions() {
    for (std::string& problem : audit_sessions(rows_)) {
      report("I3", std::move(problem));
    }
  }

  void check_keys() {
    std::set<std::pair<std::string, std::int64_t>> effects;
    for (const KeyRecord& record : rows_.keys) {
      const nlohmann::json answer = nlohmann::json::parse(record.answer);
      for (const auto& [member, last] :
           {std::pair("allocation_id", rows_.counters.last_allocation_id),
            std::pair("usage_id", rows_.counters.last_usage_id),
            std::pair("entry", rows_.counters.last_entry_sequence)}) {
        if (!answer.contains(member)) {
          continue;
        }
        const auto id = answer.at(member).get<std::int64_t>();
        const std::string row = "idempotency_keys: a key of " + record.operation;
        if (id < 1 || id > last) {
          report("I5", row + " answers with " + member + " " + number(id) + ", which is not there");
        }
        if (!effects.emplace(member, id).second) {
          report("I5", row + " answers with " + member + " " + number(id) + ", as another does");
        }
      }
    }
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
    sum.credits += record.credits;
  }
  std::vector<RollupRow> rows;
  rows.reserve(sums.size());
  for (auto& [name, row] : sums) {
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace accounting::domain
