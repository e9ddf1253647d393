#include "domain/session_audit.hpp"

#include "domain/encoding.hpp"
#include "domain/journal_replay.hpp"
#include "domain/rules.hpp"
#include "domain/validation.hpp"
#include "domain/wrapping.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace accounting::domain {
namespace {

/// No session's numbers are below this; what cannot be computed is reported as this.
constexpr std::int64_t impossible = -1;

bool in_range(const Tokens& tokens) {
  const TokenCounts counts = tokens.counts();
  const auto list = {tokens.number(), counts.input, counts.output, counts.cached_input};
  return std::ranges::all_of(list,
                             [](std::int64_t each) { return each >= 0 && each <= largest_tokens; });
}

std::int64_t cost_of(const Tokens& tokens, const TokenPrices& prices) {
  return in_range(tokens) ? credits_for(tokens, prices).value_or(impossible) : impossible;
}

std::int64_t hold_of(std::int64_t estimated, const PinnedPolicy& policy) {
  const bool computable = estimated >= 0 && estimated <= largest_credits && policy.buffer >= 0 &&
                          policy.buffer <= largest_buffer;
  return computable ? with_buffer(estimated, policy.buffer).value_or(impossible) : impossible;
}

/// The service under which the end of a session is recorded.
std::string service_of(SessionStatus status) {
  return status == SessionStatus::completed ? "chat-streaming"
                                            : "chat-streaming-" + std::string(to_string(status));
}

/// What the journal says of a session, by kind of entry, and in its order what was held, paid from
/// the hold, and given back.
struct SessionEntries {
  std::map<EntryKind, std::int64_t> sums;
  std::vector<Slice> held;
  std::vector<Slice> settled;
  std::vector<Slice> given_back;
  std::vector<Timestamp> held_at;
  const CreditEntry* new_allocation = nullptr;

  void add(const CreditEntry& entry) {
    const std::int64_t amount = amount_of(entry).value_or(0);
    const Slice part{.allocation_id = entry.allocation_id, .credits = amount};
    std::int64_t& sum_of_kind = sums[entry.kind];
    sum_of_kind = wrapping_add(sum_of_kind, amount);
    if (entry.kind == EntryKind::hold) {
      held_at.push_back(entry.created_at);
      held.push_back(part);
    } else if (entry.kind == EntryKind::settle) {
      settled.push_back(part);
    } else if (entry.kind == EntryKind::refund || entry.kind == EntryKind::move) {
      given_back.push_back(part);
    } else if (entry.kind == EntryKind::allocate) {
      new_allocation = &entry;
    }
  }

  [[nodiscard]] std::int64_t sum(EntryKind kind) const {
    const auto found = sums.find(kind);
    return found == sums.end() ? 0 : found->second;
  }
  [[nodiscard]] std::int64_t sum(EntryKind one, EntryKind other) const {
    return wrapping_add(sum(one), sum(other));
  }
};

class SessionAuditor {
 public:
  SessionAuditor(const AccountRows& rows, const RowIndex& index) : rows_(rows), index_(index) {
    for (const CreditEntry& entry : rows.entries) {
      if (entry.session_id) {
        entries_[*entry.session_id].add(entry);
      }
    }
  }

  std::vector<std::string> audit() {
    for (const SessionRecord& record : rows_.sessions) {
      row_ = "streaming_sessions: session " + record.session.session_id + ": ";
      const SessionEntries& entries = entries_[record.session.session_id];
      check_state(record);
      check_hold(record, entries);
      if (record.ending) {
        check_end(record, entries);
        check_policy(record, entries);
        check_usage(record, entries);
      } else {
        check_active(record, entries);
      }
      entries_.erase(record.session.session_id);
    }
    for (const auto& [session_id, entries] : entries_) {
      problems_.push_back("credit_entries: session " + session_id + " is named and is not there");
    }
    return std::move(problems_);
  }

 private:
  void require(bool holds, const std::string& otherwise) {
    if (!holds) {
      problems_.push_back(row_ + otherwise);
    }
  }

  void expect(const std::string& what, std::int64_t found, std::int64_t expected) {
    require(found == expected,
            what + " is " + std::to_string(found) + ", expected " + std::to_string(expected));
  }

  void check_state(const SessionRecord& record) {
    const StreamingSession& session = record.session;
    const bool active = session.status == SessionStatus::active;
    const bool fits = active != record.ending.has_value() &&
                      active != session.completed_at.has_value() &&
                      active != record.usage_id.has_value();
    require(fits, "its status is " + std::string(to_string(session.status)) +
                      ", and ended_tokens, completed_at or usage_id say otherwise");
    const std::chrono::microseconds left = latest_instant - session.last_activity_at;
    const std::chrono::microseconds lasts =
        std::clamp(record.policy.session_ttl, std::chrono::microseconds(0), left);
    require(session.expires_at == session.last_activity_at + lasts,
            "expires_at is not its policy's session_ttl after last_activity_at");
    require(session.last_activity_at >= session.started_at,
            "last_activity_at is before started_at");
  }

  void check_hold(const SessionRecord& record, const SessionEntries& entries) {
    const StreamingSession& session = record.session;
    const std::int64_t first = hold_of(cost_of(record.first_tokens, record.prices), record.policy);
    std::int64_t sum = 0;
    bool first_is_a_part = first == 0;
    std::ptrdiff_t first_slices = 0;  // of the hold that it began with
    for (const Slice& slice : record.slices) {
      first_slices += first_is_a_part ? 0 : 1;
      sum = wrapping_add(sum, slice.credits);
      first_is_a_part |= sum == first;
    }
    expect("the sum of its slices", sum, session.allocated_credits);
    expect("estimated_credits", session.estimated_credits,
           cost_of(session.estimated_tokens, record.prices));
    expect("allocated_credits", session.allocated_credits,
           hold_of(session.estimated_credits, record.policy));
    require(record.slices == entries.held, "its slices are not what the journal says was held");
    require(first_is_a_part, "its first slices do not add up to a hold of " +
                                 std::to_string(first) + " for first_tokens");
    const auto begun =
        entries.held_at.begin() + std::min(first_slices, std::ssize(entries.held_at));
    require(std::all_of(entries.held_at.begin(), begun,
                        [&](Timestamp at) { return at == session.started_at; }),
            "started_at is not the instant of its first hold");
  }

  void check_active(const SessionRecord& record, const SessionEntries& entries) {
    expect("what its hold gave back or paid while active",
           wrapping_add(entries.sum(EntryKind::settle, EntryKind::refund),
                        entries.sum(EntryKind::move, EntryKind::overage)),
           0);
    expect("used_credits", record.session.used_credits, 0);
    expect("refund", record.refund, 0);
    expect("overage", record.overage, 0);
    expect("uncollected", record.uncollected, 0);
  }

  void check_end(const SessionRecord& record, const SessionEntries& entries) {
    const std::int64_t used = record.session.used_credits;
    const std::int64_t allocated = record.session.allocated_credits;
    expect("used_credits", used, cost_of(record.ending->tokens, record.prices));
    expect("refund", record.refund, used < allocated ? wrapping_subtract(allocated, used) : 0);
    expect("overage", record.overage, used > allocated ? wrapping_subtract(used, allocated) : 0);
    expect("what its hold paid", entries.sum(EntryKind::settle), std::min(used, allocated));
    expect("what its hold gave back", entries.sum(EntryKind::refund, EntryKind::move),
           record.refund);
    // Not by the ledger's own function, so that a fault in it does not judge itself.
    std::vector<Slice> paid;
    std::vector<Slice> back;
    std::int64_t unpaid = used;
    for (const Slice& slice : record.slices) {
      const std::int64_t part = std::min(unpaid, slice.credits);
      unpaid = wrapping_subtract(unpaid, part);
      if (part > 0) {
        paid.push_back({.allocation_id = slice.allocation_id, .credits = part});
      }
      if (part < slice.credits) {
        back.push_back({.allocation_id = slice.allocation_id,
                        .credits = wrapping_subtract(slice.credits, part)});
      }
    }
    std::ranges::reverse(back);
    require(paid == entries.settled && back == entries.given_back,
            "its hold was not split first taken, first paid; last taken, first given back");
  }

  /// Under `charge` the balance paid all but what was uncollected, under `absorb` nothing. Under
  /// `to_source` nothing moved; under `new_allocation` only what was revoked went back.
  void check_policy(const SessionRecord& record, const SessionEntries& entries) {
    const bool absorbs = record.policy.overage == OveragePolicy::absorb;
    expect("what the balance paid beyond its hold", entries.sum(EntryKind::overage),
           absorbs ? 0 : wrapping_subtract(record.overage, record.uncollected));
    if (absorbs) {
      expect("uncollected", record.uncollected, 0);
    } else {
      require(record.uncollected >= 0 && record.uncollected <= record.overage,
              "uncollected is " + std::to_string(record.uncollected) + " of an overage of " +
                  std::to_string(record.overage));
    }
    const std::int64_t moved = entries.sum(EntryKind::move);
    expect("what its hold moved to a new allocation", entries.sum(EntryKind::allocate), moved);
    if (record.policy.refund == RefundPolicy::to_source) {
      expect("what moved under to_source", moved, 0);
      return;
    }
    expect("what went back under new_allocation and was not revoked",
           entries.sum(EntryKind::refund), entries.sum(EntryKind::revoke));
    const CreditAllocation* opened = entries.new_allocation == nullptr
                                         ? nullptr
                                         : index_.allocation(entries.new_allocation->allocation_id);
    if (opened != nullptr) {
      const std::int64_t days =
          std::clamp<std::int64_t>(record.policy.refund_expiry_days, 0, largest_days);
      const bool lasts = opened->effective_at == opened->allocated_at &&
                         opened->expires_at == days_after(opened->allocated_at, days);
      require(lasts, "its refund, allocation " + std::to_string(opened->id) +
                         ", does not last as long as its policy says");
    }
  }

  void check_usage(const SessionRecord& record, const SessionEntries& entries) {
    const std::int64_t usage_id = record.usage_id.value_or(0);
    const UsageRecord* usage = index_.usage_record(usage_id);
    if (usage == nullptr || !usage_ids_.insert(usage_id).second) {
      require(false, "it has no usage record of its own");
      return;
    }
    const std::string its_record = "its usage record " + std::to_string(usage_id);
    expect("the credits of " + its_record, usage->credits, record.session.used_credits);
    expect("the collected_credits of " + its_record, usage->collected_credits,
           entries.sum(EntryKind::settle, EntryKind::overage));
    require(record.session.completed_at == usage->timestamp,
            "completed_at is not the instant of " + its_record);
    require(usage->service == service_of(record.session.status),
            its_record + " is of service " + usage->service + ", expected " +
                service_of(record.session.status));
    require(usage->operation == record.session.model_id,
            its_record + " is of another model than the session");
    require(usage->metadata == session_metadata(record, record.ending->tokens, usage->timestamp),
            "the metadata of " + its_record +
                " is not that of a session with its id, tokens, estimate and duration");
  }

  const AccountRows& rows_;
  const RowIndex& index_;
  std::map<std::string, SessionEntries> entries_;
  std::set<std::int64_t> usage_ids_;
  std::string row_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> audit_sessions(const AccountRows& rows, const RowIndex& index) {
  return SessionAuditor(rows, index).audit();
}

}  // namespace accounting::domain
