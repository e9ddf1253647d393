#include "property/comparison.hpp"

#include "property/memory_store.hpp"
#include "property/sequence.hpp"

#include <algorithm>
#include <tuple>

namespace accounting::testing {
namespace {

std::string shown(const CreditAllocation& row) { return text_of(domain::Answer(row)); }
std::string shown(const UsageRecord& row) { return text_of(domain::Answer(row)); }
std::string shown(const CreditEntry& row) {
  return std::string(to_string(row.kind)) + " " + std::to_string(row.credits) + " held " +
         std::to_string(row.held_credits) + " of #" + std::to_string(row.allocation_id) + " " +
         row.session_id.value_or("") + " at " + since(row.created_at);
}
std::string shown(const domain::RollupRow& row) {
  return row.day + " " + row.service + " " + row.model + ": " + std::to_string(row.records) +
         " records, " + std::to_string(row.credits) + " credits";
}
std::string shown(const domain::KeyRecord& row) { return row.key; }
std::string shown(const ReferenceKey& row) { return row.key; }

template <class Expected, class Found, class Same>
std::optional<std::string> compare_rows(const char* table, const std::vector<Expected>& expected,
                                        const std::vector<Found>& found, Same same) {
  if (expected.size() != found.size()) {
    return std::string(table) + ": " + std::to_string(found.size()) + " rows, expected " +
           std::to_string(expected.size());
  }
  for (std::size_t index = 0; index < expected.size(); ++index) {
    if (!same(expected[index], found[index])) {
      return std::string(table) + ": row " + std::to_string(index + 1) + " is " +
             shown(found[index]) + ", expected " + shown(expected[index]);
    }
  }
  return std::nullopt;
}

/// The metadata of a session's record has tests of its own.
bool same_usage(const UsageRecord& left, const UsageRecord& right) {
  const bool of_session = left.service.starts_with("chat-streaming");
  return std::tie(left.id, left.user_id, left.timestamp, left.service, left.operation, left.credits,
                  left.collected_credits) == std::tie(right.id, right.user_id, right.timestamp,
                                                      right.service, right.operation, right.credits,
                                                      right.collected_credits) &&
         (of_session ? right.metadata.has_value() : left.metadata == right.metadata);
}

bool same_session(const ReferenceSession& left, const domain::SessionRecord& right) {
  const Settlement none;
  const Settlement& end = left.settlement ? *left.settlement : none;
  return left.session == right.session && left.first_tokens == right.first_tokens &&
         left.prices == right.prices && left.policy == right.policy &&
         left.slices == right.slices && left.settlement.has_value() == right.ending.has_value() &&
         (!right.ending || right.ending->tokens == left.ended_with) &&
         right.usage_id.value_or(0) == left.usage_id && right.refund == end.refund &&
         right.overage == end.overage && right.uncollected == end.uncollected;
}

/// Sessions have no order of their own.
std::optional<std::string> compare_sessions(const std::vector<ReferenceSession>& expected,
                                            const std::vector<domain::SessionRecord>& found) {
  for (const ReferenceSession& each : expected) {
    const auto same_id = find_session(found, each.session.session_id);
    if (same_id == found.end() || !same_session(each, *same_id)) {
      return "streaming_sessions: " + text_of(domain::Answer(each.session)) +
             " was expected, and is missing or differs";
    }
  }
  return expected.size() == found.size()
             ? std::nullopt
             : std::optional<std::string>("streaming_sessions: one more than expected");
}

bool same_entry(const CreditEntry& left, const CreditEntry& right) {
  const auto columns = [](const CreditEntry& entry) {
    return std::tie(entry.sequence, entry.user_id, entry.allocation_id, entry.kind, entry.credits,
                    entry.held_credits, entry.session_id, entry.usage_id, entry.actor,
                    entry.created_at);
  };
  return columns(left) == columns(right);
}

std::optional<std::string> unbalanced_session(const domain::AccountRows& rows,
                                              const domain::SessionRecord& record) {
  std::int64_t slices = 0;
  for (const Slice& slice : record.slices) {
    slices += slice.credits;
  }
  std::int64_t from_hold = 0;
  std::int64_t back = 0;
  std::int64_t from_balance = 0;
  for (const CreditEntry& entry : rows.entries) {
    if (entry.session_id == record.session.session_id) {
      from_hold -= entry.kind == EntryKind::settle ? entry.held_credits : 0;
      back -=
          entry.kind == EntryKind::refund || entry.kind == EntryKind::move ? entry.held_credits : 0;
      from_balance -= entry.kind == EntryKind::overage ? entry.credits : 0;
    }
  }
  const StreamingSession& session = record.session;
  const bool charges = record.policy.overage == OveragePolicy::charge;
  const std::int64_t owed =
      charges ? session.used_credits : std::min(session.used_credits, session.allocated_credits);
  const bool balanced =
      slices == session.allocated_credits &&
      (record.ending
           ? from_hold + back == slices && from_hold + from_balance + record.uncollected == owed &&
                 session.status != SessionStatus::active
           : from_hold + back + from_balance == 0 && session.status == SessionStatus::active);
  return balanced
             ? std::nullopt
             : std::optional("I3, plainly: session " + session.session_id + " does not add up");
}

}  // namespace

bool same_result(const domain::Result& found, const domain::Result& expected) {
  const auto* refusal = std::get_if<domain::Refusal>(&found);
  const auto* refused = std::get_if<domain::Refusal>(&expected);
  if (refusal != nullptr && refused != nullptr) {
    return std::tie(refusal->code, refusal->argument, refusal->required, refusal->available) ==
           std::tie(refused->code, refused->argument, refused->required, refused->available);
  }
  const auto* answer = std::get_if<domain::Answer>(&found);
  const auto* answered = std::get_if<domain::Answer>(&expected);
  return answer != nullptr && answered != nullptr && *answer == *answered;
}

std::optional<std::string> difference(const ReferenceAccount& expected,
                                      const domain::AccountRows& found, MadeBy made_by) {
  const bool by_engine = made_by == MadeBy::engine;
  const auto same_key = [by_engine](const ReferenceKey& left, const domain::KeyRecord& right) {
    return left.key == right.key && (!by_engine || left.fingerprint == right.fingerprint);
  };
  for (std::size_t index = 0;
       index < std::min(expected.allocations.size(), found.allocations.size()); ++index) {
    if (expected.allocations[index] != found.allocations[index]) {
      return "credit_allocations: " + text_of(domain::Answer(found.allocations[index])) +
             "; expected " + text_of(domain::Answer(expected.allocations[index]));
    }
  }
  auto different = compare_rows("credit_allocations", expected.allocations, found.allocations,
                                std::equal_to<>());
  if (!different) {
    different = compare_sessions(expected.sessions, found.sessions);
  }
  if (!different) {
    different =
        compare_rows("usage_records", expected.usage_records, found.usage_records, same_usage);
  }
  if (!different) {
    different = compare_rows("credit_entries", expected.entries, found.entries,
                             [by_engine](const CreditEntry& left, const CreditEntry& right) {
                               return by_engine ? left == right : same_entry(left, right);
                             });
  }
  if (!different) {
    different = compare_rows("usage_rollups", expected.rollups, found.rollups, std::equal_to<>());
  }
  if (!different) {
    different = compare_rows("idempotency_keys", expected.keys, found.keys, same_key);
  }
  return different;
}

std::optional<std::string> unbalanced(const domain::AccountRows& rows) {
  std::int64_t consumed = 0;
  for (const CreditAllocation& row : rows.allocations) {
    const auto places = {row.remaining_credits, row.held_credits, row.consumed_credits,
                         row.revoked_credits, row.moved_credits};
    std::int64_t sum = 0;
    for (const std::int64_t place : places) {
      sum += place;
    }
    if (std::min(places) < 0 || sum != row.total_credits) {
      return "I1, plainly: " + text_of(domain::Answer(row));
    }
    consumed += row.consumed_credits;
  }
  std::int64_t paid = 0;
  for (const UsageRecord& record : rows.usage_records) {
    paid += record.collected_credits;
  }
  for (const CreditEntry& entry : rows.entries) {
    paid -= entry.kind == EntryKind::deduct ? entry.credits : 0;
  }
  if (paid != consumed) {
    return "I2, plainly: " + std::to_string(consumed) + " consumed, " + std::to_string(paid) +
           " paid";
  }
  for (const domain::SessionRecord& record : rows.sessions) {
    if (auto problem = unbalanced_session(rows, record)) {
      return problem;
    }
  }
  return std::nullopt;
}

}  // namespace accounting::testing
