// The audit trail: appended to in the transaction of the change, and read back.
#include "sql/collect.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

namespace accounting::sql {
namespace {

using enum Type;

// Whoever changes an account, its keys or the prices holds their lock, which keeps the number from
// being taken twice.
const Statement insert_audit_entry{
    .name = "insert_audit_entry",
    .text =
        "INSERT INTO audit_entries (user_id, id, actor, operation, subject, details, created_at) "
        "SELECT CAST(:user_id AS TEXT), coalesce(max(id), 0) + 1, CAST(:actor AS TEXT), "
        "CAST(:operation AS TEXT), CAST(:subject AS TEXT), JSON(:details), INSTANT(:created_at) "
        "FROM audit_entries WHERE user_id = :user_id",
    .parameters = {{"user_id", text},
                   {"actor", text},
                   {"operation", text},
                   {"subject", text},
                   {"details", text},
                   {"created_at", instant}}};

#define ACCOUNTING_OF_USER_AND_ACTOR                               \
  " WHERE (CAST(:user_id AS TEXT) IS NULL OR user_id = :user_id) " \
  "AND (CAST(:actor AS TEXT) IS NULL OR actor = :actor)"

const Statement count_audit_entries{
    .name = "count_audit_entries",
    .text = "SELECT count(*) FROM audit_entries" ACCOUNTING_OF_USER_AND_ACTOR,
    .parameters = {{"user_id", text}, {"actor", text}},
    .columns = {integer}};

const Statement list_audit_entries{
    .name = "list_audit_entries",
    .text = "SELECT " ACCOUNTING_AUDIT_COLUMNS " FROM audit_entries" ACCOUNTING_OF_USER_AND_ACTOR
            " ORDER BY created_at DESC, user_id DESC, id DESC LIMIT :limit OFFSET :offset",
    .parameters = {{"user_id", text}, {"actor", text}, {"limit", integer}, {"offset", integer}},
    .columns = columns::audit};

// By their numbers: a transaction may have begun before another that changed the account first.
const Statement list_audit_entries_of_user{
    .name = "list_audit_entries_of_user",
    .text = "SELECT " ACCOUNTING_AUDIT_COLUMNS
            " FROM audit_entries WHERE user_id = :user_id "
            "AND (CAST(:actor AS TEXT) IS NULL OR actor = :actor) "
            "ORDER BY id DESC LIMIT :limit OFFSET :offset",
    .parameters = {{"user_id", text}, {"actor", text}, {"limit", integer}, {"offset", integer}},
    .columns = columns::audit};

#undef ACCOUNTING_OF_USER_AND_ACTOR

}  // namespace

void SqlSession::append_audit(const AuditEntry& entry) {
  pending_.add(insert_audit_entry, {entry.user_id, entry.actor, entry.operation, entry.subject,
                                    entry.details, entry.created_at});
}

Page<AuditEntry> SqlSession::audit(const ListAuditRequest& request) {
  const Value user_id = optional_value(request.user_id);
  const Value actor = optional_value(request.actor);
  std::vector<AuditEntry> items;
  std::int64_t total = 0;
  Batch batch;
  batch.add(count_audit_entries, {user_id, actor}, assign_integer(total));
  batch.add(request.user_id ? list_audit_entries_of_user : list_audit_entries,
            {user_id, actor, request.limit, (request.page - 1) * request.limit},
            append_to(items, read_audit));
  run(batch);
  return page_of(std::move(items), total, request.page, request.limit);
}

}  // namespace accounting::sql
