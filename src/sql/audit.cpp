// Audit: every account's rows, one account at a time, all from one snapshot.
#include "sql/collect.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

#include <exception>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace accounting::sql {
namespace {

using enum Type;

constexpr std::int64_t accounts_a_trip = 1'000;

const Statement next_user_ids{
    .name = "next_user_ids",
    .text =
        "SELECT user_id FROM user_accounts WHERE user_id > :after ORDER BY user_id "
        "LIMIT :limit",
    .parameters = {{"after", text}, {"limit", integer}},
    .columns = {text}};

const Statement read_journal_heads{
    .name = "read_journal_heads",
    .text =
        "SELECT user_id, last_entry_sequence, last_entry_hash FROM user_accounts ORDER BY user_id",
    .columns = {text, integer, text}};

/// Whose rows are there without their account: foreign keys were off, or an account was deleted
/// with them disabled.
const Statement user_ids_without_account{
    .name = "user_ids_without_account",
    .text =
        "SELECT DISTINCT user_id FROM ("
        "SELECT user_id FROM credit_allocations UNION "
        "SELECT user_id FROM streaming_sessions UNION "
        "SELECT user_id FROM session_slices UNION "
        "SELECT user_id FROM usage_records UNION "
        "SELECT user_id FROM credit_entries UNION "
        "SELECT user_id FROM idempotency_keys UNION "
        "SELECT user_id FROM usage_rollups) AS owners "
        "WHERE NOT EXISTS (SELECT 1 FROM user_accounts "
        "WHERE user_accounts.user_id = owners.user_id) ORDER BY user_id",
    .columns = {text}};

const Statement audit_counters{
    .name = "audit_counters",
    .text = "SELECT " ACCOUNTING_COUNTER_COLUMNS " FROM user_accounts WHERE user_id = :user_id",
    .parameters = {{"user_id", text}},
    .columns = columns::counters};

const Statement audit_allocations{
    .name = "audit_allocations",
    .text = "SELECT " ACCOUNTING_ALLOCATION_COLUMNS
            " FROM credit_allocations WHERE user_id = :user_id ORDER BY id",
    .parameters = {{"user_id", text}},
    .columns = columns::allocation};

const Statement audit_sessions{
    .name = "audit_sessions",
    .text = "SELECT " ACCOUNTING_SESSION_COLUMNS
            " FROM streaming_sessions WHERE user_id = :user_id ORDER BY session_id",
    .parameters = {{"user_id", text}},
    .columns = columns::session};

const Statement audit_slices{
    .name = "audit_slices",
    .text =
        "SELECT session_id, position, allocation_id, credits FROM session_slices "
        "WHERE user_id = :user_id ORDER BY session_id, position",
    .parameters = {{"user_id", text}},
    .columns = {text, integer, integer, integer}};

const Statement audit_usage{.name = "audit_usage",
                            .text = "SELECT " ACCOUNTING_USAGE_COLUMNS
                                    " FROM usage_records WHERE user_id = :user_id ORDER BY id",
                            .parameters = {{"user_id", text}},
                            .columns = columns::usage};

const Statement audit_entries{.name = "audit_entries",
                              .text =
                                  "SELECT " ACCOUNTING_ENTRY_COLUMNS
                                  " FROM credit_entries WHERE user_id = :user_id ORDER BY sequence",
                              .parameters = {{"user_id", text}},
                              .columns = columns::entry};

const Statement audit_keys{
    .name = "audit_keys",
    .text = "SELECT " ACCOUNTING_KEY_COLUMNS
            " FROM idempotency_keys WHERE user_id = :user_id ORDER BY idempotency_key",
    .parameters = {{"user_id", text}},
    .columns = columns::key};

const Statement audit_rollups{
    .name = "audit_rollups",
    .text =
        "SELECT DAY_TEXT(day), service, model, records, credits FROM usage_rollups "
        "WHERE user_id = :user_id ORDER BY day, service, model",
    .parameters = {{"user_id", text}},
    .columns = {text, text, text, integer, integer}};

domain::RollupRow read_rollup(const Row& row) {
  RowReader reader(row);
  return {.day = reader.text(),
          .service = reader.text(),
          .model = reader.text(),
          .records = reader.integer(),
          .credits = reader.integer()};
}

std::string text_of(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*number);
  }
  const auto* words = std::get_if<std::string>(&value);
  return words != nullptr ? *words : "NULL";
}

/// What a table's rows are called where they cannot be read: the invariant that misses them, and
/// the columns that identify them.
struct RowName {
  const char* invariant;
  const char* table;
  std::vector<std::size_t> columns;
};

/// Reads each row to the end of a list; reports those that nothing of the library wrote so.
template <class List, class Read>
Batch::UseRows append_readable(domain::AccountRows& account, List& list, Read read, RowName name) {
  return [&account, &list, read, name = std::move(name)](const Rows& rows) {
    list.reserve(rows.size());
    for (const Row& row : rows) {
      try {
        list.push_back(read(row));
      } catch (const std::exception&) {
        std::string detail = std::string(name.table) + ": row";
        for (const std::size_t column : name.columns) {
          detail += " " + text_of(row.at(column));
        }
        account.unreadable.push_back({.invariant = name.invariant,
                                      .user_id = account.user_id,
                                      .detail = detail + " cannot be read"});
      }
    }
  };
}

/// Gives each session its slices, which count from 1.
void add_slices(domain::AccountRows& account, const Rows& rows) {
  std::map<std::string, domain::SessionRecord*> sessions;
  for (domain::SessionRecord& record : account.sessions) {
    sessions.emplace(record.session.session_id, &record);
  }
  for (const Row& row : rows) {
    RowReader reader(row);
    const std::string session_id = reader.text();
    const std::int64_t position = reader.integer();
    const std::int64_t allocation_id = reader.integer();
    const auto session = sessions.find(session_id);
    const auto report = [&](const std::string& what) {
      std::string detail = "session_slices: session ";
      detail += session_id;
      detail += ": position ";
      detail += std::to_string(position) + what;
      account.unreadable.push_back(
          {.invariant = "I3", .user_id = account.user_id, .detail = std::move(detail)});
    };
    if (session == sessions.end()) {
      report(" is of a session that is not there");
      continue;
    }
    auto& slices = session->second->slices;
    slices.push_back({.allocation_id = allocation_id, .credits = reader.integer()});
    if (position != std::ssize(slices)) {
      report(", expected " + std::to_string(slices.size()));
    }
  }
}

void load_account(Batch& batch, domain::AccountRows& account) {
  const std::string& user_id = account.user_id;
  batch.add(audit_counters, {user_id}, [&account](const Rows& rows) {
    account.known = !rows.empty();
    if (account.known) {
      account.counters = read_counters(rows.front());
    }
  });
  batch.add(audit_allocations, {user_id},
            append_readable(account, account.allocations, read_allocation,
                            {"I1", "credit_allocations", {0}}));
  batch.add(
      audit_sessions, {user_id},
      append_readable(account, account.sessions, read_session, {"I3", "streaming_sessions", {1}}));
  batch.add(audit_slices, {user_id}, [&account](const Rows& rows) { add_slices(account, rows); });
  batch.add(
      audit_usage, {user_id},
      append_readable(account, account.usage_records, read_usage, {"I2", "usage_records", {0}}));
  batch.add(audit_entries, {user_id},
            append_readable(account, account.entries, read_entry, {"I4", "credit_entries", {0}}));
  batch.add(audit_keys, {user_id},
            append_readable(account, account.keys, read_key, {"I5", "idempotency_keys", {1, 2}}));
  batch.add(
      audit_rollups, {user_id},
      append_readable(account, account.rollups, read_rollup, {"I6", "usage_rollups", {0, 1, 2}}));
}

domain::AccountRows account_of(Connection& connection, const std::string& user_id) {
  domain::AccountRows account;
  account.user_id = user_id;
  Batch batch;
  load_account(batch, account);
  batch.run(connection, Begin::nothing, false);
  return account;
}

}  // namespace

std::vector<store::JournalHead> SqlSession::journal_heads() {
  lease_->finish_by(Deadline::max());  // it takes as long as there are accounts
  std::vector<store::JournalHead> heads;
  Batch batch;
  batch.add(read_journal_heads, {}, append_to(heads, [](const Row& row) {
              RowReader reader(row);
              return store::JournalHead{
                  .user_id = reader.text(), .entries = reader.integer(), .hash = reader.text()};
            }));
  run(batch);
  return heads;
}

void SqlSession::each_account(const std::function<void(const domain::AccountRows&)>& check) {
  lease_->finish_by(Deadline::max());  // it takes as long as there are accounts
  try {
    const auto read_user_id = [](const Row& row) { return RowReader(row).text(); };
    Begin begin = Begin::read;
    std::string after;
    for (std::vector<std::string> user_ids(1); !user_ids.empty();) {
      user_ids.clear();
      Batch page;
      page.add(next_user_ids, {after, accounts_a_trip}, append_to(user_ids, read_user_id));
      page.run(*lease_, std::exchange(begin, Begin::nothing), false);
      for (const std::string& user_id : user_ids) {
        check(account_of(*lease_, user_id));
        after = user_id;
      }
    }
    std::vector<std::string> left_over;
    Batch rest;
    rest.add(user_ids_without_account, {}, append_to(left_over, read_user_id));
    rest.run(*lease_, Begin::nothing, false);
    for (const std::string& user_id : left_over) {
      check(account_of(*lease_, user_id));
    }
    lease_->rollback();
  } catch (const SqlError& error) {
    throw_store_error(error);
  }
}

}  // namespace accounting::sql
