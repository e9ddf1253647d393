// What a decision needs, loaded in one trip: accounts locked in order, then what hangs on them,
// in later statements, which see what was committed before the lock was had.
#include "sql/columns.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

#include <algorithm>

namespace accounting::sql {
namespace {

using enum Type;

const Statement lock_account_counters{.name = "lock_account_counters",
                                      .text =
                                          "SELECT " ACCOUNTING_COUNTER_COLUMNS
                                          " FROM user_accounts WHERE user_id = :user_id LOCK_ROW",
                                      .parameters = {{"user_id", text}},
                                      .columns = columns::counters};

const Statement lock_account_counters_if_free{
    .name = "lock_account_counters_if_free",
    .text = "SELECT " ACCOUNTING_COUNTER_COLUMNS
            " FROM user_accounts WHERE user_id = :user_id LOCK_ROW_IF_FREE",
    .parameters = {{"user_id", text}},
    .columns = columns::counters};

const Statement account_exists_at_all{
    .name = "account_exists_at_all",
    .text = "SELECT user_id FROM user_accounts WHERE user_id = :user_id",
    .parameters = {{"user_id", text}},
    .columns = {text}};

const Statement load_key{
    .name = "load_key",
    .text = "SELECT " ACCOUNTING_KEY_COLUMNS
            " FROM idempotency_keys WHERE user_id = :user_id AND idempotency_key = :key",
    .parameters = {{"user_id", text}, {"key", text}},
    .columns = columns::key};

const Statement load_session{
    .name = "load_session",
    .text = "SELECT " ACCOUNTING_SESSION_COLUMNS
            " FROM streaming_sessions WHERE user_id = :user_id AND session_id = :session_id",
    .parameters = {{"user_id", text}, {"session_id", text}},
    .columns = columns::session};

// Each with its allocation, from the slices on: an account may have many allocations, which
// PostgreSQL would read for each slice if it knew that all slices are of one account. One that is
// gone makes the row unreadable.
const Statement load_slices{
    .name = "load_slices",
    .text = "SELECT credits, " ACCOUNTING_ALLOCATION_STATE_COLUMNS
            " FROM (SELECT user_id, position, allocation_id, credits FROM session_slices "
            "WHERE user_id = :user_id AND session_id = :session_id ORDER BY position) AS slices "
            "LEFT JOIN credit_allocations "
            "ON credit_allocations.user_id = slices.user_id AND id = allocation_id "
            "ORDER BY position",
    .parameters = {{"user_id", text}, {"session_id", text}},
    .columns = {integer, integer, instant, instant, instant, integer, instant}};

const Statement load_allocation{
    .name = "load_allocation",
    .text = "SELECT " ACCOUNTING_ALLOCATION_COLUMNS
            " FROM credit_allocations WHERE user_id = :user_id AND id = :id",
    .parameters = {{"user_id", text}, {"id", integer}},
    .columns = columns::allocation};

// One range of the index, which is in burn order. With those that are not in effect yet: what was
// loaded may be decided over for longer.
const Statement load_active_allocations{
    .name = "load_active_allocations",
    .text = "SELECT " ACCOUNTING_ALLOCATION_STATE_COLUMNS
            " FROM credit_allocations WHERE user_id = :user_id AND active "
            "AND coalesce(expires_at, END_OF_TIME) > INSTANT(:now) "
            "ORDER BY coalesce(expires_at, END_OF_TIME), allocated_at, id LIMIT :limit",
    .parameters = {{"user_id", text}, {"now", instant}, {"limit", integer}},
    .columns = columns::allocation_state};

const Statement load_rule_in_force{.name = "load_rule_in_force",
                                   .text =
                                       "SELECT " ACCOUNTING_RULE_COLUMNS
                                       " FROM pricing_rules WHERE model_id = :model_id "
                                       "AND effective_from <= INSTANT(:at) "
                                       "AND (effective_to IS NULL OR effective_to > INSTANT(:at)) "
                                       "ORDER BY effective_from DESC LIMIT 1",
                                   .parameters = {{"model_id", text}, {"at", instant}},
                                   .columns = columns::rule};

/// Adds an allocation where it stands in burn order, unless it is there already.
void add_in_order(std::vector<domain::AllocationState>& allocations,
                  const domain::AllocationState& added) {
  const auto place = std::lower_bound(
      allocations.begin(), allocations.end(), added,
      [](const auto& left, const auto& right) { return left.position < right.position; });
  if (place == allocations.end() || place->position != added.position) {
    allocations.insert(place, added);
  }
}

void load_sessions(Batch& batch, const std::string& user_id, const domain::AccountNeeds& needs,
                   domain::AccountState& account) {
  for (const std::string& session_id : needs.sessions) {
    batch.add(load_session, {user_id, session_id}, [&account, session_id](const Rows& rows) {
      for (const Row& row : rows) {
        account.sessions.emplace(session_id, read_session(row));
      }
    });
    batch.add(load_slices, {user_id, session_id}, [&account, session_id](const Rows& rows) {
      for (const Row& row : rows) {
        RowReader reader(row);
        const std::int64_t credits = reader.integer();
        const domain::AllocationState allocation = read_allocation_state(reader);
        account.sessions.at(session_id)
            .slices.push_back({.allocation_id = allocation.position.id, .credits = credits});
        add_in_order(account.allocations, allocation);
      }
    });
  }
}

void load_allocations(Batch& batch, const std::string& user_id, const domain::AccountNeeds& needs,
                      Timestamp now, domain::AccountState& account) {
  for (const std::int64_t id : needs.allocations) {
    batch.add(load_allocation, {user_id, id}, [&account, id](const Rows& rows) {
      for (const Row& row : rows) {
        const CreditAllocation allocation = read_allocation(row);
        add_in_order(account.allocations, state_of(allocation));
        account.named_allocations.emplace(id, allocation);
      }
    });
  }
  const std::int64_t limit = needs.active_allocations;
  if (limit == 0) {
    return;
  }
  batch.add(load_active_allocations, {user_id, now, limit}, [&account, limit](const Rows& rows) {
    for (const Row& row : rows) {
      RowReader reader(row);
      const domain::AllocationState allocation = read_allocation_state(reader);
      add_in_order(account.allocations, allocation);
      account.loaded_up_to = allocation.position;
    }
    account.all_loaded = static_cast<std::int64_t>(rows.size()) < limit;
  });
}

void load_account(Batch& batch, const std::string& user_id, const domain::AccountNeeds& needs,
                  Timestamp now, domain::AccountState& account) {
  for (const std::string& key : needs.keys) {
    batch.add(load_key, {user_id, key}, [&account, key](const Rows& rows) {
      for (const Row& row : rows) {
        account.keys.emplace(key, read_key(row));
      }
    });
  }
  load_sessions(batch, user_id, needs, account);
  load_allocations(batch, user_id, needs, now, account);
}

}  // namespace

domain::State SqlSession::load(const domain::Needs& needs, Timestamp now) {
  domain::State loaded;
  std::set<std::string, std::less<>> missing;
  const Statement& lock =
      needs.leave_out_held ? lock_account_counters_if_free : lock_account_counters;
  Batch batch;
  for (const auto& each : needs.accounts) {
    const std::string& user_id = each.first;
    domain::AccountState& account = loaded.accounts[user_id];
    batch.add(lock, {user_id}, [&account, &missing, &user_id](const Rows& rows) {
      if (rows.empty()) {
        missing.insert(user_id);
      } else {
        account.counters = read_counters(rows.front());
      }
    });
  }
  for (const auto& [user_id, account_needs] : needs.accounts) {
    load_account(batch, user_id, account_needs, now, loaded.accounts[user_id]);
  }
  for (const std::string& model_id : needs.models) {
    batch.add(load_rule_in_force, {model_id, now}, [&loaded, model_id](const Rows& rows) {
      for (const Row& row : rows) {
        loaded.rules.emplace(model_id, read_rule(row));
      }
    });
  }
  run(batch);
  for (const std::string& user_id : missing) {
    loaded.accounts.erase(user_id);
  }
  if (needs.leave_out_held) {
    loaded.held = existing(missing);
  }
  return loaded;
}

/// Of accounts that a lock was not had of, those that are there: another has them locked.
std::set<std::string, std::less<>> SqlSession::existing(
    const std::set<std::string, std::less<>>& users) {
  std::set<std::string, std::less<>> found;
  Batch batch;
  for (const std::string& user_id : users) {
    batch.add(account_exists_at_all, {user_id}, [&found, &user_id](const Rows& rows) {
      if (!rows.empty()) {
        found.insert(user_id);
      }
    });
  }
  if (!batch.empty()) {
    run(batch);
  }
  return found;
}

std::optional<PricingRule> SqlSession::rule_in_force(const std::string& model_id, Timestamp at) {
  std::optional<PricingRule> rule;
  Batch batch;
  batch.add(load_rule_in_force, {model_id, at}, [&](const Rows& rows) {
    if (!rows.empty()) {
      rule = read_rule(rows.front());
    }
  });
  run(batch);
  return rule;
}

}  // namespace accounting::sql
