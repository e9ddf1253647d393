#include "sql/migrator.hpp"

#include "accounting/error.hpp"
#include "crypto/digest.hpp"
#include "sql/chain_journals.hpp"
#include "sql/sql_error.hpp"

#include <string_view>
#include <utility>

namespace accounting::sql {
namespace {

using Migrations = std::vector<EmbeddedMigration>;

struct Applied {
  std::int64_t version;
  std::string checksum;
};

const Statement has_migrations_postgresql{
    .name = "migrator_has_migrations",
    .text =
        "SELECT (to_regclass('accounting_migrations') IS NOT NULL)::int,"
        " (to_regclass('accounting_locks') IS NOT NULL)::int",
    .columns = {Type::integer, Type::integer}};

const Statement has_migrations_sqlite{
    .name = "migrator_has_migrations",
    .text =
        "SELECT count(*) FILTER (WHERE name = 'accounting_migrations'),"
        " count(*) FILTER (WHERE name = 'accounting_locks')"
        " FROM sqlite_master WHERE type = 'table'",
    .columns = {Type::integer, Type::integer}};

const Statement has_tables_postgresql{.name = "migrator_has_tables",
                                      .text =
                                          "SELECT count(to_regclass(name))"
                                          " FROM unnest(CAST(:names AS text[])) AS tables (name)",
                                      .parameters = {{"names", Type::text}},
                                      .columns = {Type::integer}};

const Statement has_tables_sqlite{.name = "migrator_has_tables",
                                  .text = "SELECT count(*) FROM sqlite_master",
                                  .columns = {Type::integer}};

const Statement has_own_tables_sqlite{
    .name = "migrator_has_own_tables",
    .text =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('user_accounts',"
        " 'credit_allocations', 'streaming_sessions', 'session_slices', 'usage_records',"
        " 'credit_entries', 'idempotency_keys', 'usage_rollups', 'pricing_rules', 'api_keys',"
        " 'audit_entries')",
    .columns = {Type::integer}};

const Statement read_applied{
    .name = "migrator_read_applied",
    .text = "SELECT version, checksum FROM accounting_migrations ORDER BY version",
    .columns = {Type::integer, Type::text}};

// The number is this library's, chosen once.
const Statement lock_database{.name = "migrator_lock_database",
                              .text = "SELECT pg_advisory_xact_lock(4702111234474983745)"};

// For databases that accept advisory locks and ignore them.
const Statement lock_row{
    .name = "migrator_lock_row",
    .text = "SELECT name FROM accounting_locks WHERE name = 'migrations' LOCK_ROW",
    .columns = {Type::text}};

const Statement record{.name = "migrator_record",
                       .text =
                           "INSERT INTO accounting_migrations (version, name, checksum, applied_at)"
                           " VALUES (:version, :name, :checksum, INSTANT(:applied_at))",
                       .parameters = {{"version", Type::integer},
                                      {"name", Type::text},
                                      {"checksum", Type::text},
                                      {"applied_at", Type::instant}}};

constexpr const char* bookkeeping_postgresql =
    "CREATE TABLE IF NOT EXISTS accounting_migrations (version bigint PRIMARY KEY,"
    " name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL);"
    "CREATE TABLE IF NOT EXISTS accounting_locks (name text PRIMARY KEY);"
    "INSERT INTO accounting_locks (name) VALUES ('migrations'), ('pricing')"
    " ON CONFLICT DO NOTHING";

constexpr const char* bookkeeping_sqlite =
    "CREATE TABLE IF NOT EXISTS accounting_migrations (version INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS accounting_locks (name TEXT PRIMARY KEY) STRICT;"
    "INSERT INTO accounting_locks (name) VALUES ('migrations'), ('pricing')"
    " ON CONFLICT DO NOTHING";

bool is_postgresql(const Connection& connection) noexcept {
  return connection.kind() == DatabaseKind::postgresql;
}

std::string_view text_for(const EmbeddedMigration& migration, const Connection& connection) {
  return is_postgresql(connection) ? migration.postgresql : migration.sqlite;
}

std::string title(const EmbeddedMigration& migration) {
  return "migration " + std::to_string(migration.version) + " (" + std::string(migration.name) +
         ")";
}

struct Bookkeeping {
  bool migrations;
  bool locks;
};

Bookkeeping bookkeeping(Connection& connection) {
  const auto& statement =
      is_postgresql(connection) ? has_migrations_postgresql : has_migrations_sqlite;
  const auto answers = connection.run({.calls = {{&statement, {}}}});
  const auto& row = answers.at(0).at(0);
  return {.migrations = std::get<std::int64_t>(row.at(0)) != 0,
          .locks = std::get<std::int64_t>(row.at(1)) != 0};
}

std::vector<Applied> applied_of(const Rows& rows) {
  std::vector<Applied> applied;
  for (const auto& row : rows) {
    applied.push_back({std::get<std::int64_t>(row.at(0)), std::get<std::string>(row.at(1))});
  }
  return applied;
}

/// Throws unless what is applied is a beginning of what this library brings.
void check(const std::vector<Applied>& applied, const Migrations& migrations,
           const Connection& connection) {
  const std::int64_t newest = migrations.empty() ? 0 : migrations.back().version;
  if (!applied.empty() && applied.back().version > newest) {
    throw MigrationError("the schema is at version " + std::to_string(applied.back().version) +
                         ", and this library knows versions up to " + std::to_string(newest) +
                         ": use a newer library");
  }
  for (std::size_t index = 0; index < applied.size(); ++index) {
    const auto& expected = migrations[index];
    if (applied[index].version != expected.version) {
      throw MigrationError(title(expected) + " is missing from accounting_migrations although " +
                           "later ones are recorded: restore the table from a backup");
    }
    if (applied[index].checksum != crypto::sha256_hex(text_for(expected, connection))) {
      throw MigrationError(title(expected) + " was applied with another content than this " +
                           "library's: use the build of the library that applied it");
    }
  }
}

MigrationStatus status_of(const std::vector<Applied>& applied, const Migrations& migrations) {
  return {.version = applied.empty() ? 0 : applied.back().version,
          .pending = static_cast<std::int64_t>(migrations.size() - applied.size())};
}

/// True where another process made the same table at the same moment.
bool lost_race(const SqlError& error) {
  return error.kind() == SqlErrorKind::unique_violation ||
         error.kind() == SqlErrorKind::serialization || error.state() == "42P07";
}

void make_bookkeeping(Connection& connection) {
  constexpr int most_attempts = 10;
  for (int attempt = 1;; ++attempt) {
    const auto present = bookkeeping(connection);
    if (present.migrations && present.locks) {
      return;
    }
    try {
      Trip trip{.begin = Begin::write};
      if (is_postgresql(connection)) {
        trip.calls.push_back({&lock_database, {}});
      }
      connection.run(trip);
      connection.run_script(is_postgresql(connection) ? bookkeeping_postgresql
                                                      : bookkeeping_sqlite);
      connection.run({.commit = true});
    } catch (const SqlError& error) {
      connection.rollback();
      if (attempt == most_attempts || !lost_race(error)) {
        throw;
      }
    }
  }
}

/// Begins the transaction of one migration; alone in the database until it ends.
std::vector<Applied> begin_alone(Connection& connection) {
  Trip trip{.begin = Begin::write};
  if (is_postgresql(connection)) {
    trip.calls = {{&lock_database, {}}, {&lock_row, {}}};
  }
  trip.calls.push_back({&read_applied, {}});
  return applied_of(connection.run(trip).back());
}

void run_file(Connection& connection, const EmbeddedMigration& migration) {
  try {
    if (is_postgresql(connection)) {
      connection.run_script("SET LOCAL statement_timeout = 0");
    }
    connection.run_script(std::string(text_for(migration, connection)));
  } catch (const SqlError& error) {
    switch (error.kind()) {
      case SqlErrorKind::unique_violation:
      case SqlErrorKind::constraint:
      case SqlErrorKind::out_of_range:
      case SqlErrorKind::missing_table:
      case SqlErrorKind::other:
        throw MigrationError(title(migration) +
                             " could not be applied, and nothing of it was: " + error.what());
      default:
        throw;
    }
  }
  if (!connection.in_transaction()) {
    throw MigrationError(title(migration) + " ended its own transaction");
  }
}

void apply(Connection& connection, const EmbeddedMigration& migration, Timestamp now) {
  run_file(connection, migration);
  if (migration.name == "hash_chain") {
    chain_journals(connection);
  }
  connection.run({.calls = {{&record,
                             {std::int64_t{migration.version}, std::string(migration.name),
                              crypto::sha256_hex(text_for(migration, connection)), now}}},
                  .commit = true});
}

std::int64_t count_of(Connection& connection, const Call& call) {
  return std::get<std::int64_t>(connection.run({.calls = {call}}).at(0).at(0).at(0));
}

std::int64_t count_own_tables(Connection& connection) {
  if (!is_postgresql(connection)) {
    return count_of(connection, {&has_own_tables_sqlite, {}});
  }
  return count_of(connection,
                  {&has_tables_postgresql,
                   {std::string("{user_accounts,credit_allocations,streaming_sessions,"
                                "session_slices,usage_records,credit_entries,idempotency_keys,"
                                "usage_rollups,pricing_rules,api_keys,audit_entries}")}});
}

/// Throws where a database that was never migrated holds somebody else's tables of these names.
void refuse_foreign_tables(Connection& connection) {
  if (!bookkeeping(connection).migrations && count_own_tables(connection) != 0) {
    throw MigrationError(
        "the database holds tables of the library's names that it did not make; "
        "nothing was changed: use an empty database or schema");
  }
}

/// Applies one pending migration, or finds that there is none left.
MigrationStatus step(Connection& connection, Timestamp now, const Migrations& migrations) {
  try {
    const auto applied = begin_alone(connection);
    check(applied, migrations, connection);
    if (applied.size() == migrations.size()) {
      connection.rollback();
    } else {
      apply(connection, migrations[applied.size()], now);
    }
  } catch (...) {
    connection.rollback();
    throw;
  }
  return migration_status(connection, migrations);
}

}  // namespace

MigrationStatus migration_status(Connection& connection) {
  return migration_status(connection, embedded_migrations());
}

MigrationStatus migration_status(Connection& connection, const Migrations& migrations) {
  if (!bookkeeping(connection).migrations) {
    return status_of({}, migrations);
  }
  const auto applied = applied_of(connection.run({.calls = {{&read_applied, {}}}}).at(0));
  check(applied, migrations, connection);
  return status_of(applied, migrations);
}

bool database_is_empty(Connection& connection) {
  return is_postgresql(connection)
             ? !bookkeeping(connection).migrations && count_own_tables(connection) == 0
             : count_of(connection, {&has_tables_sqlite, {}}) == 0;
}

std::int64_t migrate(Connection& connection, Timestamp now) {
  return migrate(connection, now, embedded_migrations());
}

std::int64_t migrate(Connection& connection, Timestamp now, const Migrations& migrations) {
  auto status = migration_status(connection, migrations);
  if (status.pending > 0) {
    refuse_foreign_tables(connection);
    make_bookkeeping(connection);
  }
  while (status.pending > 0) {
    status = step(connection, now, migrations);
  }
  return status.version;
}

}  // namespace accounting::sql
