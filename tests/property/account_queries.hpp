// Account queries: what the books answer about one account, by plain loops over its rows. They read
// stored rows and the reference's alike.
#pragma once

#include "accounting/accounting.hpp"
#include "property/memory_store.hpp"
#include "store/store.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace accounting::testing {

// What services add to the rows, hashes and the metadata of sessions, the reference does not know.
template <class Value>
Value plain(Value value) {
  return value;
}
inline std::vector<CreditEntry> plain(std::vector<CreditEntry> entries) {
  for (CreditEntry& entry : entries) {
    entry.hash.clear();
  }
  return entries;
}
inline std::vector<UsageRecord> plain(std::vector<UsageRecord> records) {
  for (UsageRecord& record : records) {
    if (record.service.starts_with("chat-streaming")) {
      record.metadata.reset();
    }
  }
  return records;
}
inline UserStats plain(UserStats stats) {
  stats.recent_activity = plain(std::move(stats.recent_activity));
  return stats;
}

inline bool is_active(const CreditAllocation& row, Timestamp now) {
  return !row.revoked_at && row.remaining_credits > 0 && row.effective_at <= now &&
         (!row.expires_at || now < *row.expires_at);
}

template <class Account>
Balance balance_of(const Account& account, Timestamp now) {
  std::vector<const CreditAllocation*> active;
  Balance balance;
  for (const CreditAllocation& row : account.allocations) {
    if (is_active(row, now)) {
      active.push_back(&row);
      balance.total_credits += row.remaining_credits;
    }
  }
  std::sort(active.begin(), active.end(), MemoryStore::comes_first);
  for (const CreditAllocation* row : active) {
    balance.active_allocations.push_back(*row);
  }
  for (const auto& record : account.sessions) {
    const bool holds = record.session.status == SessionStatus::active;
    balance.held_credits += holds ? record.session.allocated_credits : 0;
  }
  return balance;
}

template <class Account>
Page<CreditAllocation> history_of(const Account& account, std::int64_t page, std::int64_t limit) {
  const auto total = static_cast<std::int64_t>(account.allocations.size());
  Page<CreditAllocation> found{
      .items = {}, .total = total, .page = page, .total_pages = (total + limit - 1) / limit};
  for (std::int64_t index = (page - 1) * limit; index < std::min(total, page * limit); ++index) {
    found.items.push_back(account.allocations[static_cast<std::size_t>(total - 1 - index)]);
  }
  return found;
}

template <class Account>
std::vector<CreditEntry> entries_of(const Account& account, std::int64_t after,
                                    std::int64_t limit) {
  std::vector<CreditEntry> found;
  for (const CreditEntry& entry : account.entries) {
    if (entry.sequence > after && static_cast<std::int64_t>(found.size()) < limit) {
      found.push_back(entry);
    }
  }
  return found;
}

template <class Account>
std::optional<StreamingSession> session_of(const Account& account, const std::string& session_id) {
  for (const auto& record : account.sessions) {
    if (record.session.session_id == session_id) {
      return record.session;
    }
  }
  return std::nullopt;
}

/// Oldest first.
template <class Account>
std::vector<StreamingSession> active_sessions_of(const Account& account) {
  std::vector<StreamingSession> found;
  for (const auto& record : account.sessions) {
    if (record.session.status == SessionStatus::active) {
      found.push_back(record.session);
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) {
    return std::tie(left.started_at, left.user_id, left.session_id) <
           std::tie(right.started_at, right.user_id, right.session_id);
  });
  return found;
}

inline bool is_within(Timestamp instant, const store::TimeRange& range) {
  return (!range.start || *range.start <= instant) && (!range.end || instant < *range.end);
}

template <class Account>
std::vector<UsageRecord> usage_of(const Account& account, const store::TimeRange& range,
                                  std::int64_t after, std::int64_t limit) {
  std::vector<UsageRecord> found;
  for (const UsageRecord& record : account.usage_records) {
    if (record.id > after && is_within(record.timestamp, range) &&
        static_cast<std::int64_t>(found.size()) < limit) {
      found.push_back(record);
    }
  }
  return found;
}

template <class Account>
UserStats stats_of(const Account& account, const store::TimeRange& range) {
  UserStats stats;
  for (const UsageRecord& record : account.usage_records) {
    if (!is_within(record.timestamp, range)) {
      continue;
    }
    stats.total_records += 1;
    stats.total_credits += record.credits;
    stats.by_service[record.service] += record.credits;
    stats.by_day[day_text(record.timestamp)] += record.credits;
    if (record.service == "chat" || record.service.starts_with("chat-")) {
      stats.by_model[record.operation] += record.credits;
    }
    stats.recent_activity.push_back(record);
  }
  std::sort(stats.recent_activity.begin(), stats.recent_activity.end(),
            [](const auto& left, const auto& right) {
              return std::tie(left.timestamp, left.id) > std::tie(right.timestamp, right.id);
            });
  stats.recent_activity.resize(std::min<std::size_t>(stats.recent_activity.size(), 10));
  return stats;
}

/// Active sessions whose time is up, oldest sign of life first.
template <class Account>
void add_stale_sessions(const Account& account, Timestamp now,
                        std::vector<StreamingSession>& sessions) {
  for (const auto& record : account.sessions) {
    if (record.session.status == SessionStatus::active && record.session.expires_at <= now) {
      sessions.push_back(record.session);
    }
  }
}

/// Names of the first `limit`, in the order in which they are to be expired.
inline std::vector<std::pair<std::string, std::string>> in_order_of_life(
    std::vector<StreamingSession> sessions, std::int64_t limit) {
  std::sort(sessions.begin(), sessions.end(), [](const auto& left, const auto& right) {
    return std::tie(left.last_activity_at, left.user_id, left.session_id) <
           std::tie(right.last_activity_at, right.user_id, right.session_id);
  });
  std::vector<std::pair<std::string, std::string>> names;
  for (const StreamingSession& session : sessions) {
    if (static_cast<std::int64_t>(names.size()) < limit) {
      names.emplace_back(session.user_id, session.session_id);
    }
  }
  return names;
}

}  // namespace accounting::testing
