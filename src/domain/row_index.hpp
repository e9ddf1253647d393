// RowIndex: an account's rows by what identifies them.
#pragma once

#include "domain/invariants.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace accounting::domain {

/// Of two rows with the same identity it knows the first. Must not outlive the rows.
class RowIndex {
 public:
  explicit RowIndex(const AccountRows& rows) {
    for (const CreditAllocation& row : rows.allocations) {
      allocations_.emplace(row.id, &row);
    }
    for (const UsageRecord& row : rows.usage_records) {
      usage_records_.emplace(row.id, &row);
    }
    for (const CreditEntry& row : rows.entries) {
      entries_.emplace(row.sequence, &row);
    }
    for (const SessionRecord& row : rows.sessions) {
      sessions_.emplace(row.session.session_id, &row);
    }
  }

  // Each null where there is none.
  [[nodiscard]] const CreditAllocation* allocation(std::int64_t id) const {
    return find(allocations_, id);
  }
  [[nodiscard]] const UsageRecord* usage_record(std::int64_t id) const {
    return find(usage_records_, id);
  }
  [[nodiscard]] const CreditEntry* entry(std::int64_t sequence) const {
    return find(entries_, sequence);
  }
  [[nodiscard]] const SessionRecord* session(const std::string& session_id) const {
    return find(sessions_, session_id);
  }

 private:
  template <class Key, class Row>
  static const Row* find(const std::map<Key, const Row*>& rows, const Key& key) {
    const auto found = rows.find(key);
    return found == rows.end() ? nullptr : found->second;
  }

  std::map<std::int64_t, const CreditAllocation*> allocations_;
  std::map<std::int64_t, const UsageRecord*> usage_records_;
  std::map<std::int64_t, const CreditEntry*> entries_;
  std::map<std::string, const SessionRecord*> sessions_;
};

}  // namespace accounting::domain
