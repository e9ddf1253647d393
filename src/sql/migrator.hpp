// Migrator: brings a database's schema up to this version of the library, forward only.
#pragma once

#include "sql/connection.hpp"
#include "sql/embedded_migrations.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace accounting::sql {

struct MigrationStatus {
  std::int64_t version = 0;  ///< the highest applied; 0 where the database is empty
  std::int64_t pending = 0;  ///< migrations of this library that are not applied
};

/// Reads which migrations are applied and compares them with the embedded ones. Throws
/// MigrationError where one is missing, its checksum differs, or the schema is newer. Needs no
/// permission to write.
MigrationStatus migration_status(Connection& connection);
MigrationStatus migration_status(Connection& connection,
                                 const std::vector<EmbeddedMigration>& migrations);

/// True where the database holds no table of the library's (and for SQLite, no table at all).
bool database_is_empty(Connection& connection);

/// Applies what is pending, each file in one transaction under a lock, so that several processes
/// may migrate at once. Answers the version reached. Throws MigrationError. `now` is recorded.
/// Also makes the table `accounting_locks`, whose row 'pricing' others lock.
std::int64_t migrate(Connection& connection, Timestamp now);
std::int64_t migrate(Connection& connection, Timestamp now,
                     const std::vector<EmbeddedMigration>& migrations);

}  // namespace accounting::sql
