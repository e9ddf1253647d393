// MemoryStore: the tables of the books in memory, loaded and changed as the SQL stores do it, so
// that the ledger is tested through the door that it has. It refuses what a database would refuse.
#pragma once

#include "domain/changes.hpp"
#include "domain/invariants.hpp"
#include "domain/ledger.hpp"
#include "domain/needs.hpp"
#include "domain/state.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace accounting::testing {

/// "YYYY-MM-DD" of an instant's UTC day.
inline std::string day_text(Timestamp instant) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(instant));
  const auto digits = [](int number, std::size_t width) {
    const std::string text = std::to_string(number);
    return std::string(width - std::min(width, text.size()), '0') + text;
  };
  return digits(static_cast<int>(date.year()), 4) + "-" +
         digits(static_cast<int>(static_cast<unsigned>(date.month())), 2) + "-" +
         digits(static_cast<int>(static_cast<unsigned>(date.day())), 2);
}

template <class Keys>
auto find_key(Keys& keys, const std::string& key) {
  return std::find_if(keys.begin(), keys.end(), [&](const auto& row) { return row.key == key; });
}

template <class Sessions>
auto find_session(Sessions& sessions, const std::string& session_id) {
  return std::find_if(sessions.begin(), sessions.end(),
                      [&](const auto& row) { return row.session.session_id == session_id; });
}

class MemoryStore {
 public:
  void add_account(const std::string& user_id) { accounts_[user_id].user_id = user_id; }
  /// Puts rows in the place of those that are there.
  void put(domain::AccountRows rows) {
    std::string user_id = rows.user_id;
    accounts_.insert_or_assign(std::move(user_id), std::move(rows));
  }
  void add_rule(PricingRule rule) { rules_.push_back(std::move(rule)); }

  [[nodiscard]] const domain::AccountRows& account(const std::string& user_id) const {
    return accounts_.at(user_id);
  }
  [[nodiscard]] const std::map<std::string, domain::AccountRows>& accounts() const {
    return accounts_;
  }
  /// Null where there is no such account.
  [[nodiscard]] const domain::AccountRows* find(const std::string& user_id) const {
    const auto found = accounts_.find(user_id);
    return found == accounts_.end() ? nullptr : &found->second;
  }

  /// What `needs` names; of each account's active allocations at most the first `prefix` in burn
  /// order, and none where the needs ask for none.
  [[nodiscard]] domain::State load(const domain::Needs& needs, Timestamp now,
                                   std::int64_t prefix) const {
    domain::State state;
    for (const auto& [user_id, wanted] : needs.accounts) {
      if (const auto found = accounts_.find(user_id); found != accounts_.end()) {
        const auto limit = std::min(wanted.active_allocations, prefix);
        load_account(found->second, wanted, now, limit, state.accounts[user_id]);
      }
    }
    load_rules(rules_, needs, now, state);
    return state;
  }

  static void load_rules(const std::vector<PricingRule>& rules, const domain::Needs& needs,
                         Timestamp now, domain::State& state) {
    for (const PricingRule& rule : rules) {
      const bool in_force =
          rule.effective_from <= now && (!rule.effective_to || now < *rule.effective_to);
      if (in_force && needs.models.contains(rule.model_id)) {
        state.rules.emplace(rule.model_id, rule);
      }
    }
  }

  static void load_account(const domain::AccountRows& rows, const domain::AccountNeeds& needs,
                           Timestamp now, std::int64_t limit, domain::AccountState& account) {
    account.counters = rows.counters;
    for (const std::string& key : needs.keys) {
      if (const auto found = find_key(rows.keys, key); found != rows.keys.end()) {
        account.keys.emplace(key, *found);
      }
    }
    std::vector<bool> wanted(rows.allocations.size());
    for (const std::string& session_id : needs.sessions) {
      if (const auto found = find_session(rows.sessions, session_id);
          found != rows.sessions.end()) {
        account.sessions.emplace(session_id, *found);
        for (const Slice& slice : found->slices) {
          wanted.at(index_of(slice.allocation_id)) = true;
        }
      }
    }
    for (const std::int64_t id : needs.allocations) {
      if (id >= 1 && id <= static_cast<std::int64_t>(rows.allocations.size())) {
        account.named_allocations.emplace(id, rows.allocations.at(index_of(id)));
        wanted.at(index_of(id)) = true;
      }
    }
    load_prefix(rows, now, limit, account, wanted);
  }

  /// ORDER BY expires_at NULLS LAST, allocated_at, id
  static bool comes_first(const CreditAllocation* left, const CreditAllocation* right) {
    if (left->expires_at != right->expires_at) {
      return left->expires_at && (!right->expires_at || *left->expires_at < *right->expires_at);
    }
    return std::pair(left->allocated_at, left->id) < std::pair(right->allocated_at, right->id);
  }

  void apply(const domain::Changes& changes) {
    for (const domain::CountersChange& change : changes.counters) {
      apply_counters(accounts_.at(change.user_id).counters, change);
    }
    for (const CreditAllocation& allocation : changes.new_allocations) {
      CreditAllocation row = allocation;
      row.remaining_credits = row.total_credits;
      append(accounts_.at(row.user_id).allocations, row, row.id);
    }
    for (const domain::AllocationChange& change : changes.allocations) {
      apply_allocation(accounts_.at(change.user_id).allocations, change);
    }
    for (const domain::SessionChange& change : changes.sessions) {
      apply_session(accounts_.at(change.record.session.user_id).sessions, change);
    }
    for (const domain::NewSlice& added : changes.slices) {
      auto& slices = find_session(accounts_.at(added.user_id).sessions, added.session_id)->slices;
      append(slices, added.slice, added.position);
    }
    for (const UsageRecord& record : changes.usage_records) {
      append(accounts_.at(record.user_id).usage_records, record, record.id);
    }
    for (const CreditEntry& entry : changes.entries) {
      append(accounts_.at(entry.user_id).entries, entry, entry.sequence);
    }
    for (const domain::RollupChange& change : changes.rollups) {
      apply_rollup(accounts_.at(change.user_id).rollups, change);
    }
    for (const auto& [user_id, record] : changes.keys) {
      auto& keys = accounts_.at(user_id).keys;
      require(find_key(keys, record.key) == keys.end(), "a key is stored twice");
      keys.push_back(record);
    }
  }

 private:
  static void require(bool holds, const char* what) {
    if (!holds) {
      throw std::logic_error(what);
    }
  }

  template <class Row>
  static void append(std::vector<Row>& rows, const Row& row, std::int64_t number) {
    require(number == static_cast<std::int64_t>(rows.size()) + 1, "a row's number is not the next");
    rows.push_back(row);
  }

  static domain::AllocationState state_of(const CreditAllocation& row) {
    return {
        .position = {.expires_at = row.expires_at, .allocated_at = row.allocated_at, .id = row.id},
        .effective_at = row.effective_at,
        .remaining = row.remaining_credits,
        .revoked = row.revoked_at.has_value()};
  }

  static void load_prefix(const domain::AccountRows& rows, Timestamp now, std::int64_t limit,
                          domain::AccountState& account, std::vector<bool>& wanted) {
    std::vector<const CreditAllocation*> ordered;
    for (const CreditAllocation& row : rows.allocations) {
      ordered.push_back(&row);
    }
    std::sort(ordered.begin(), ordered.end(), comes_first);
    std::int64_t loaded = 0;
    for (const CreditAllocation* row : ordered) {
      // Those that are not in effect yet belong to it: the state may be decided over for longer.
      const bool active = !row->revoked_at && row->remaining_credits > 0 &&
                          (!row->expires_at || now < *row->expires_at);
      const bool in_prefix = active && loaded < limit;
      if (in_prefix || wanted.at(index_of(row->id))) {
        account.allocations.push_back(state_of(*row));
      }
      if (in_prefix) {
        loaded += 1;
        account.loaded_up_to = account.allocations.back().position;
      }
    }
    account.all_loaded = limit > 0 && loaded < limit;
  }

  static std::size_t index_of(std::int64_t id) { return static_cast<std::size_t>(id - 1); }

  static void apply_counters(domain::AccountCounters& row, const domain::CountersChange& change) {
    const auto& [user_id, before, after] = change;
    require(row.last_allocation_id == before.last_allocation_id &&
                row.last_usage_id == before.last_usage_id &&
                row.last_entry_sequence == before.last_entry_sequence &&
                row.last_entry_hash == before.last_entry_hash,
            "the counters are not those that were loaded");
    row.last_allocation_id = after.last_allocation_id;
    row.last_usage_id = after.last_usage_id;
    row.last_entry_sequence = after.last_entry_sequence;
    row.last_entry_hash = after.last_entry_hash;
    row.allocated_credits += after.allocated_credits - before.allocated_credits;
    row.used_credits += after.used_credits - before.used_credits;
  }

  static void apply_allocation(std::vector<CreditAllocation>& rows,
                               const domain::AllocationChange& change) {
    CreditAllocation& row = rows.at(index_of(change.id));
    row.remaining_credits += change.change.remaining;
    row.held_credits += change.change.held;
    row.consumed_credits += change.change.consumed;
    row.revoked_credits += change.change.revoked;
    row.moved_credits += change.change.moved;
    require(std::min({row.remaining_credits, row.held_credits, row.consumed_credits,
                      row.revoked_credits, row.moved_credits}) >= 0,
            "CHECK: an allocation's credits are negative");
    if (change.revoked_at) {
      require(!row.revoked_at, "an allocation is revoked twice");
      row.revoked_at = change.revoked_at;
      row.revoked_by = change.revoked_by;
    }
  }

  /// What a session was begun with is written once; its slices are rows of their own.
  static void apply_session(std::vector<domain::SessionRecord>& rows,
                            const domain::SessionChange& change) {
    const auto found = find_session(rows, change.record.session.session_id);
    if (!change.before) {
      require(found == rows.end(), "a session is stored twice");
      rows.push_back(change.record);
      rows.back().slices.clear();
      return;
    }
    require(found != rows.end() && found->session.status == SessionStatus::active,
            "the session that changes is not there, or has ended");
    domain::SessionRecord changed = change.record;
    changed.session.model_id = found->session.model_id;
    changed.session.started_at = found->session.started_at;
    changed.first_tokens = found->first_tokens;
    changed.prices = found->prices;
    changed.policy = found->policy;
    changed.slices = found->slices;
    *found = std::move(changed);
  }

  static void apply_rollup(std::vector<domain::RollupRow>& rows,
                           const domain::RollupChange& change) {
    const std::string day = day_text(change.day);
    for (domain::RollupRow& row : rows) {
      if (row.day == day && row.service == change.service && row.model == change.model) {
        row.records += change.records;
        row.credits += change.credits;
        return;
      }
    }
    rows.push_back({.day = day,
                    .service = change.service,
                    .model = change.model,
                    .records = change.records,
                    .credits = change.credits});
  }

  std::map<std::string, domain::AccountRows> accounts_;
  std::vector<PricingRule> rules_;
};

/// What commands came to, and how often more had to be loaded for them.
struct Round {
  std::vector<domain::Result> results;
  int loaded_again = 0;
};

/// One batch from load to store, as a writer does it; the first load sees at most `prefix` active
/// allocations of each account, each further one four times as many.
inline Round run_batch(MemoryStore& store, std::span<const domain::Command> commands, Timestamp now,
                       const Policy& policy, std::int64_t prefix = 1'000) {
  for (int attempt = 0; attempt < 12; ++attempt, prefix *= 4) {
    domain::State state = store.load(domain::needs_of(commands, attempt), now, prefix);
    domain::Decision decision = domain::decide(state, commands, now, policy);
    if (!decision.need_more) {
      store.apply(decision.changes);
      return {.results = std::move(decision.results), .loaded_again = attempt};
    }
  }
  throw std::logic_error("the decision asked for more although everything was loaded");
}

}  // namespace accounting::testing
