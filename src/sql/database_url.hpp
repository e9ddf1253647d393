// DatabaseUrl: which database a URL or the environment names.
#pragma once

#include "accounting/options.hpp"
#include "sql/connection.hpp"

#include <chrono>
#include <memory>
#include <optional>
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

/// One of the hosts that a PostgreSQL URL names.
struct Host {
  std::string
      parameters;    ///< leave a URL this host only, at its query's end; empty: it is the only
  std::string name;  ///< what has addresses to be looked up; empty for a socket or an address

  friend bool operator==(const Host&, const Host&) = default;
};

/// A PostgreSQL URL's hosts in their order; a single one without a name where `service` gives them.
/// Hosts that the URL does not give are those of PGHOST, PGHOSTADDR, PGPORT and PGSERVICE.
std::vector<Host> each_host(const DatabaseUrl& url);

/// `connect_timeout` of a PostgreSQL URL, a day at most; none where it has none above 0.
std::optional<std::chrono::milliseconds> connect_timeout(const DatabaseUrl& url);

/// A parameter as it is added at the end of a PostgreSQL URL's query.
std::string one_parameter(const std::string& keyword, const std::string& value);

/// ACCOUNTING_DATABASE_URL, else the original's DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD
/// as a PostgreSQL URL; InvalidArgument("database") where neither is set.
std::string database_url_from_environment();

/// Opens a connection. Throws SqlError.
std::unique_ptr<Connection> connect(const DatabaseUrl& url, const Options& options,
                                    Deadline deadline = Deadline::max());

}  // namespace accounting::sql
