#include "domain/session_audit.hpp"

#include "domain/journal_replay.hpp"
#include "domain/rules.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace accounting::domain {
namespace {

using CreditsByAllocation = std::map<std::int64_t, std::int64_t>;

CreditsByAllocation by_allocation(const std::vector<Slice>& slices) {
  CreditsByAllocation sums;
  for (const Slice& slice : slices) {
    sums[slice.allocation_id] += slice.credits;
  }
  return sums;
}

/// What the journal says of a session, by kind of entry, and by allocation what was held, paid
/// from the hold, and given back.
struct SessionEntries {
  std::map<EntryKind, std::int64_t> sums;
  CreditsByAllocation held;
  CreditsByAllocation settled;
  CreditsByAllocation given_back;

  [[nodiscard]] std::int64_t sum(EntryKind kind) const {
    const auto found = sums.find(kind);
    return found == sums.end() ? 0 : found->second;
  }
};

class SessionAuditor {
 public:
  explicit SessionAuditor(const AccountRows& rows) : rows_(rows) {
    for (const CreditEntry& entry : rows.entries) {
      const std::int64_t amount = amount_of(entry).value_or(0);
      if (entry.session_id) {
        SessionEntries& entries = entries_[*entry.session_id];
        entries.sums[entry.kind] += amount;
        if (entry.kind == EntryKind::hold) {
          entries.held[entry.allocation_id] += amount;
        } else if (entry.kind == EntryKind::settle) {
          entries.settled[entry.allocation_id] += amount;
        } else if (entry.kind == EntryKind::refund || entry.kind == EntryKind::move) {
          entries.given_back[entry.allocation_id] += amount;
        }
      }
    }
  }

  std::vector<std::string> audit() {
    for (const SessionRecord& record : rows_.sessions) {
      row_ = "streaming_sessions: session " + record.session.session_id + ": ";
      const SessionEntries& entries = entries_[record.session.session_id];
      check_hold(record, entries);
      if (record.ending) {
        check_end(record, entries);
        check_usage(record, entries);
      } else {
        expect("what its hold gave back or paid while active", ended_sum(entries), 0);
      }
      entries_.erase(record.session.session_id);
    }
    for (const auto& [session_id, entries] : entries_) {
      problems_.push_back("credit_entries: session " + session_id + " is named and is not there");
    }
    return std::move(problems_);
  }

 private:
  void expect(const std::string& what, std::int64_t found, std::int64_t expected) {
    if (found != expected) {
      problems_.push_back(row_ + what + " is " + std::to_string(found) + ", expected " +
                          std::to_string(expected));
    }
  }

  static std::int64_t ended_sum(const SessionEntries& entries) {
    return entries.sum(EntryKind::settle) + entries.sum(EntryKind::refund) +
           entries.sum(EntryKind::move) + entries.sum(EntryKind::overage);
  }

  void check_hold(const SessionRecord& record, const SessionEntries& entries) {
    const StreamingSession& session = record.session;
    std::int64_t sum = 0;
    for (const Slice& slice : record.slices) {
      sum += slice.credits;
    }
    expect("the sum of its slices", sum, session.allocated_credits);
    expect("estimated_credits", session.estimated_credits,
           credits_for(session.estimated_tokens, record.prices).value_or(-1));
    expect("allocated_credits", session.allocated_credits,
           with_buffer(session.estimated_credits, record.policy.buffer).value_or(-1));
    if (by_allocation(record.slices) != entries.held) {
      problems_.push_back(row_ + "its slices are not what the journal says was held");
    }
  }

  void check_end(const SessionRecord& record, const SessionEntries& entries) {
    const StreamingSession& session = record.session;
    const std::int64_t used = session.used_credits;
    const std::int64_t allocated = session.allocated_credits;
    expect("used_credits", used, credits_for(record.ending->tokens, record.prices).value_or(-1));
    expect("refund", record.refund, std::max<std::int64_t>(0, allocated - used));
    expect("overage", record.overage, std::max<std::int64_t>(0, used - allocated));
    expect("what its hold paid", entries.sum(EntryKind::settle), std::min(used, allocated));
    expect("what its hold gave back", entries.sum(EntryKind::refund) + entries.sum(EntryKind::move),
           record.refund);
    expect("what its hold moved to a new allocation", entries.sum(EntryKind::allocate),
           entries.sum(EntryKind::move));
    const Split split = split_slices(record.slices, used);
    if (by_allocation(split.consumed) != entries.settled ||
        by_allocation(split.back) != entries.given_back) {
      problems_.push_back(row_ +
                          "its hold was not split first taken, first paid; last taken, "
                          "first given back");
    }
    const bool absorbs = record.policy.overage == OveragePolicy::absorb;
    expect("what the balance paid beyond its hold", entries.sum(EntryKind::overage),
           absorbs ? 0 : record.overage - record.uncollected);
    if (absorbs) {
      expect("uncollected", record.uncollected, 0);
    }
  }

  void check_usage(const SessionRecord& record, const SessionEntries& entries) {
    const std::int64_t usage_id = record.usage_id.value_or(0);
    const auto found = std::find_if(rows_.usage_records.begin(), rows_.usage_records.end(),
                                    [&](const UsageRecord& usage) { return usage.id == usage_id; });
    if (found == rows_.usage_records.end() || !usage_ids_.insert(usage_id).second) {
      problems_.push_back(row_ + "it has no usage record of its own");
      return;
    }
    expect("the credits of its usage record", found->credits, record.session.used_credits);
    expect("the collected_credits of its usage record", found->collected_credits,
           entries.sum(EntryKind::settle) + entries.sum(EntryKind::overage));
  }

  const AccountRows& rows_;
  std::map<std::string, SessionEntries> entries_;
  std::set<std::int64_t> usage_ids_;
  std::string row_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> audit_sessions(const AccountRows& rows) {
  return SessionAuditor(rows).audit();
}

}  // namespace accounting::domain
