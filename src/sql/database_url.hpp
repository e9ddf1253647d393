// DatabaseUrl: which database a URL or the environment names.
#pragma once

#include "accounting/options.hpp"
#include "sql/connection.hpp"

#include <memory>
#include <string>
#include <vector>

namespace accounting::sql {

struct DatabaseUrl {
  DatabaseKind kind = DatabaseKind::sqlite;
  bool in_memory = false;  ///< SQLite only
  std::string path;        ///< SQLite: the file as given; empty in memory
  std::string url;         ///< PostgreSQL: the URL for libpq
};

/// Reads `sqlite://`, `sqlite:///:memory:`, `sqlite:///relative`, `sqlite:////absolute`,
/// `postgresql://…` or `postgres://…`. Throws InvalidArgument("database"), which never repeats a
/// password.
DatabaseUrl parse_database_url(const std::string& url);

/// The parameters that, at the end of a PostgreSQL URL's query, leave it one of its hosts, for each
/// in turn; a single empty one where it has one host only, or where `service` names them. Hosts
/// that the URL does not give are those of PGHOST, PGHOSTADDR, PGPORT and PGSERVICE.
std::vector<std::string> each_host(const DatabaseUrl& url);

/// ACCOUNTING_DATABASE_URL, else the original's DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD
/// as a PostgreSQL URL; InvalidArgument("database") where neither is set.
std::string database_url_from_environment();

/// Opens a connection. Throws SqlError.
std::unique_ptr<Connection> connect(const DatabaseUrl& url, const Options& options,
                                    Deadline deadline = Deadline::max());

}  // namespace accounting::sql
