// How a session with a PostgreSQL server comes to be, in bounded time.
#pragma once

#include "accounting/options.hpp"
#include "sql/connection.hpp"
#include "sql/database_url.hpp"
#include "sql/sql_error.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <string>

namespace accounting::sql {

struct HangUp {
  void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
};

using PostgresqlHandle = std::unique_ptr<PGconn, HangUp>;

/// A time as the server's settings and libpq's parameters take it.
std::string milliseconds_text(std::chrono::milliseconds time);

/// A session with the first of the URL's hosts that can be had. Not through SOCI: where the session
/// ends while SOCI sends its own first statement, it leaks socket and session, and where the server
/// falls silent there, it waits without end. Throws SqlError (`unreachable`).
PostgresqlHandle connect_to_postgresql(const DatabaseUrl& url, const Options& options,
                                       Deadline deadline);

}  // namespace accounting::sql
