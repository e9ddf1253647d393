// Audit: every account's rows, one account at a time, all from one snapshot.
#include "sql/collect.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

#include <map>

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

const Statement audit_slices{.name = "audit_slices",
                             .text =
                                 "SELECT session_id, allocation_id, credits FROM session_slices "
                                 "WHERE user_id = :user_id ORDER BY session_id, position",
                             .parameters = {{"user_id", text}},
                             .columns = {text, integer, integer}};

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

void add_slices(domain::AccountRows& account, const Rows& rows) {
  std::map<std::string, domain::SessionRecord*> sessions;
  for (domain::SessionRecord& record : account.sessions) {
    sessions.emplace(record.session.session_id, &record);
  }
  for (const Row& row : rows) {
    RowReader reader(row);
    const auto session = sessions.find(reader.text());
    const std::int64_t allocation_id = reader.integer();
    if (session != sessions.end()) {
      session->second->slices.push_back(
          {.allocation_id = allocation_id, .credits = reader.integer()});
    }
  }
}

void load_account(Batch& batch, domain::AccountRows& account) {
  const std::string& user_id = account.user_id;
  batch.add(audit_counters, {user_id},
            [&account](const Rows& rows) { account.counters = read_counters(rows.at(0)); });
  batch.add(audit_allocations, {user_id}, append_to(account.allocations, read_allocation));
  batch.add(audit_sessions, {user_id}, append_to(account.sessions, read_session));
  batch.add(audit_slices, {user_id}, [&account](const Rows& rows) { add_slices(account, rows); });
  batch.add(audit_usage, {user_id}, append_to(account.usage_records, read_usage));
  batch.add(audit_entries, {user_id}, append_to(account.entries, read_entry));
  batch.add(audit_keys, {user_id}, append_to(account.keys, read_key));
  batch.add(audit_rollups, {user_id}, append_to(account.rollups, read_rollup));
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
    Begin begin = Begin::read;
    std::string after;
    for (std::vector<std::string> user_ids(1); !user_ids.empty();) {
      user_ids.clear();
      Batch page;
      page.add(next_user_ids, {after, accounts_a_trip},
               append_to(user_ids, [](const Row& row) { return RowReader(row).text(); }));
      page.run(*lease_, std::exchange(begin, Begin::nothing), false);
      for (const std::string& user_id : user_ids) {
        domain::AccountRows account;
        account.user_id = user_id;
        Batch batch;
        load_account(batch, account);
        batch.run(*lease_, Begin::nothing, false);
        check(account);
        after = user_id;
      }
    }
    lease_->rollback();
  } catch (const SqlError& error) {
    throw_store_error(error);
  }
}

}  // namespace accounting::sql
