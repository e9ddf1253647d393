// Queries: what is stored, read back. Where a user is named, the account comes first in the same
// snapshot.
#include "accounting/error.hpp"
#include "domain/validation.hpp"
#include "domain/words.hpp"
#include "sql/collect.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

#include <chrono>
#include <limits>
#include <ratio>

namespace accounting::sql {
namespace {

using enum Type;

const Statement find_account{
    .name = "find_account",
    .text = "SELECT " ACCOUNTING_ACCOUNT_COLUMNS " FROM user_accounts WHERE user_id = :user_id",
    .parameters = {{"user_id", text}},
    .columns = columns::account};

const Statement count_accounts{
    .name = "count_accounts",
    .text = "SELECT count(*) FROM user_accounts WHERE CAST(:role AS TEXT) IS NULL OR role = :role",
    .parameters = {{"role", text}},
    .columns = {integer}};

const Statement list_accounts{
    .name = "list_accounts",
    .text = "SELECT " ACCOUNTING_ACCOUNT_COLUMNS
            " FROM user_accounts WHERE CAST(:role AS TEXT) IS NULL OR role = :role "
            "ORDER BY created_at DESC, user_id DESC LIMIT :limit OFFSET :offset",
    .parameters = {{"role", text}, {"limit", integer}, {"offset", integer}},
    .columns = columns::account};

const Statement list_active_allocations{
    .name = "list_active_allocations",
    .text = "SELECT " ACCOUNTING_ALLOCATION_COLUMNS
            " FROM credit_allocations WHERE user_id = :user_id AND active "
            "AND coalesce(expires_at, END_OF_TIME) > INSTANT(:now) "
            "AND effective_at <= INSTANT(:now) "
            "ORDER BY coalesce(expires_at, END_OF_TIME), allocated_at, id",
    .parameters = {{"user_id", text}, {"now", instant}},
    .columns = columns::allocation};

const Statement sum_active_allocations{
    .name = "sum_active_allocations",
    .text =
        "SELECT CAST(coalesce(sum(remaining_credits), 0) AS BIGINT) "
        "FROM credit_allocations WHERE user_id = :user_id AND active "
        "AND coalesce(expires_at, END_OF_TIME) > INSTANT(:now) "
        "AND effective_at <= INSTANT(:now)",
    .parameters = {{"user_id", text}, {"now", instant}},
    .columns = {integer}};

const Statement sum_held{
    .name = "sum_held",
    .text =
        "SELECT CAST(coalesce(sum(allocated_credits), 0) AS BIGINT) "
        "FROM streaming_sessions WHERE user_id = :user_id AND status = 'active'",
    .parameters = {{"user_id", text}},
    .columns = {integer}};

const Statement count_allocations{
    .name = "count_allocations",
    .text = "SELECT count(*) FROM credit_allocations WHERE user_id = :user_id",
    .parameters = {{"user_id", text}},
    .columns = {integer}};

const Statement list_allocations{
    .name = "list_allocations",
    .text = "SELECT " ACCOUNTING_ALLOCATION_COLUMNS
            " FROM credit_allocations WHERE user_id = :user_id "
            "ORDER BY id DESC LIMIT :limit OFFSET :offset",
    .parameters = {{"user_id", text}, {"limit", integer}, {"offset", integer}},
    .columns = columns::allocation};

const Statement list_entries{
    .name = "list_entries",
    .text = "SELECT " ACCOUNTING_ENTRY_COLUMNS
            " FROM credit_entries WHERE user_id = :user_id AND sequence > :after "
            "ORDER BY sequence LIMIT :limit",
    .parameters = {{"user_id", text}, {"after", integer}, {"limit", integer}},
    .columns = columns::entry};

const Statement find_session{
    .name = "find_session",
    .text = "SELECT " ACCOUNTING_SESSION_COLUMNS
            " FROM streaming_sessions WHERE user_id = :user_id AND session_id = :session_id",
    .parameters = {{"user_id", text}, {"session_id", text}},
    .columns = columns::session};

const Statement list_active_sessions{
    .name = "list_active_sessions",
    .text = "SELECT " ACCOUNTING_SESSION_COLUMNS
            " FROM streaming_sessions WHERE user_id = :user_id AND status = 'active' "
            "ORDER BY started_at, session_id",
    .parameters = {{"user_id", text}},
    .columns = columns::session};

const Statement list_all_active_sessions{.name = "list_all_active_sessions",
                                         .text = "SELECT " ACCOUNTING_SESSION_COLUMNS
                                                 " FROM streaming_sessions WHERE status = 'active' "
                                                 "ORDER BY started_at, user_id, session_id",
                                         .columns = columns::session};

const Statement list_stale_sessions{
    .name = "list_stale_sessions",
    .text =
        "SELECT user_id, session_id FROM streaming_sessions "
        "WHERE status = 'active' AND expiry_quarter <= :quarter AND expires_at <= INSTANT(:now) "
        "ORDER BY last_activity_at, user_id, session_id LIMIT :limit",
    .parameters = {{"quarter", integer}, {"now", instant}, {"limit", integer}},
    .columns = {text, text}};

const Statement list_usage{
    .name = "list_usage",
    .text = "SELECT " ACCOUNTING_USAGE_COLUMNS
            " FROM usage_records WHERE user_id = :user_id AND id > :after "
            "AND timestamp >= INSTANT(:start) "
            "AND (INSTANT(:end) IS NULL OR timestamp < INSTANT(:end)) ORDER BY id LIMIT :limit",
    .parameters = {{"user_id", text},
                   {"after", integer},
                   {"start", instant},
                   {"end", instant},
                   {"limit", integer}},
    .columns = columns::usage};

const Statement list_rules{
    .name = "list_rules",
    .text = "SELECT " ACCOUNTING_RULE_COLUMNS
            " FROM pricing_rules WHERE CAST(:model_id AS TEXT) IS NULL OR model_id = :model_id "
            "ORDER BY model_id, effective_from",
    .parameters = {{"model_id", text}},
    .columns = columns::rule};

StreamingSession session_view(const Row& row) { return read_session(row).session; }

}  // namespace

bool SqlSession::account_exists(Batch& batch, const std::string& user_id) {
  bool exists = false;
  Batch whole;
  whole.add(find_account, {user_id}, [&](const Rows& rows) { exists = !rows.empty(); });
  whole.append(std::move(batch));
  run(whole);
  return exists;
}

std::optional<UserAccount> SqlSession::account(const std::string& user_id) {
  std::vector<UserAccount> found;
  Batch batch;
  batch.add(find_account, {user_id}, append_to(found, read_account));
  run(batch);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

Page<UserAccount> SqlSession::accounts(const ListAccountsRequest& request) {
  const Value role = request.role ? Value(std::string(to_string(*request.role))) : Value();
  std::vector<UserAccount> items;
  std::int64_t total = 0;
  Batch batch;
  batch.add(count_accounts, {role}, assign_integer(total));
  batch.add(list_accounts, {role, request.limit, (request.page - 1) * request.limit},
            append_to(items, read_account));
  run(batch);
  return page_of(std::move(items), total, request.page, request.limit);
}

std::optional<Balance> SqlSession::balance(const std::string& user_id, Timestamp now) {
  Balance balance;
  Batch batch;
  batch.add(list_active_allocations, {user_id, now},
            append_to(balance.active_allocations, read_allocation));
  batch.add(sum_held, {user_id}, assign_integer(balance.held_credits));
  if (!account_exists(batch, user_id)) {
    return std::nullopt;
  }
  for (const CreditAllocation& allocation : balance.active_allocations) {
    balance.total_credits += allocation.remaining_credits;
  }
  return balance;
}

std::optional<std::int64_t> SqlSession::active_credits(const std::string& user_id, Timestamp now) {
  std::int64_t credits = 0;
  Batch batch;
  batch.add(sum_active_allocations, {user_id, now}, assign_integer(credits));
  return account_exists(batch, user_id) ? std::optional(credits) : std::nullopt;
}

std::optional<Page<CreditAllocation>> SqlSession::history(const HistoryRequest& request) {
  std::vector<CreditAllocation> items;
  std::int64_t total = 0;
  Batch batch;
  batch.add(count_allocations, {request.user_id}, assign_integer(total));
  batch.add(list_allocations, {request.user_id, request.limit, (request.page - 1) * request.limit},
            append_to(items, read_allocation));
  if (!account_exists(batch, request.user_id)) {
    return std::nullopt;
  }
  return page_of(std::move(items), total, request.page, request.limit);
}

std::optional<std::vector<CreditEntry>> SqlSession::entries(const EntriesRequest& request) {
  std::vector<CreditEntry> entries;
  Batch batch;
  batch.add(list_entries, {request.user_id, request.after, request.limit},
            append_to(entries, read_entry));
  return account_exists(batch, request.user_id) ? std::optional(std::move(entries)) : std::nullopt;
}

std::optional<std::optional<StreamingSession>> SqlSession::session(
    const GetSessionRequest& request) {
  std::vector<StreamingSession> found;
  Batch batch;
  batch.add(find_session, {request.user_id, request.session_id}, append_to(found, session_view));
  if (!account_exists(batch, request.user_id)) {
    return std::nullopt;
  }
  return found.empty() ? std::optional<StreamingSession>() : std::optional(found.front());
}

std::optional<std::vector<StreamingSession>> SqlSession::active_sessions(
    const std::string& user_id) {
  std::vector<StreamingSession> sessions;
  Batch batch;
  batch.add(list_active_sessions, {user_id}, append_to(sessions, session_view));
  return account_exists(batch, user_id) ? std::optional(std::move(sessions)) : std::nullopt;
}

std::vector<StreamingSession> SqlSession::all_active_sessions() {
  std::vector<StreamingSession> sessions;
  Batch batch;
  batch.add(list_all_active_sessions, {}, append_to(sessions, session_view));
  run(batch);
  return sessions;
}

std::vector<std::pair<std::string, std::string>> SqlSession::stale_sessions(Timestamp now,
                                                                            std::int64_t limit) {
  std::vector<std::pair<std::string, std::string>> sessions;
  Batch batch;
  using Quarters = std::chrono::duration<std::int64_t, std::ratio<900>>;
  const std::int64_t quarter = std::chrono::floor<Quarters>(now.time_since_epoch()).count();
  batch.add(list_stale_sessions, {quarter, now, limit}, append_to(sessions, [](const Row& row) {
              RowReader reader(row);
              std::string user_id = reader.text();
              return std::pair(std::move(user_id), reader.text());
            }));
  run(batch);
  return sessions;
}

std::optional<std::vector<UsageRecord>> SqlSession::usage(const ListUsageRequest& request) {
  std::vector<UsageRecord> records;
  Batch batch;
  batch.add(list_usage,
            {request.user_id, request.after, request.start.value_or(domain::earliest_instant),
             optional_value(request.end), request.limit},
            append_to(records, read_usage));
  return account_exists(batch, request.user_id) ? std::optional(std::move(records)) : std::nullopt;
}

std::vector<PricingRule> SqlSession::rules(const std::optional<std::string>& model_id) {
  std::vector<PricingRule> rules;
  Batch batch;
  batch.add(list_rules, {optional_value(model_id)}, append_to(rules, read_rule));
  run(batch);
  return rules;
}

}  // namespace accounting::sql
