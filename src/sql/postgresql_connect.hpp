// How a session with a PostgreSQL server comes to be, in bounded time.
#pragma once

#include "accounting/options.hpp"
#include "platform/host_addresses.hpp"
#include "sql/connection.hpp"
#include "sql/database_url.hpp"
#include "sql/sql_error.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace accounting::sql {

struct HangUp {
  void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
};

using PostgresqlHandle = std::unique_ptr<PGconn, HangUp>;

/// A time as the server's settings and libpq's parameters take it.
std::string milliseconds_text(std::chrono::milliseconds time);

/// What libpq says about a failed connect, with SQLSTATEs, as what may be told on: it may name
/// hosts and roles.
SqlError failed_connect(std::string_view message);

/// The addresses of a host's name.
using Resolver = std::function<std::vector<std::string>(const std::string& host)>;

/// A session with the first of the URL's hosts that can be had. Not through SOCI: where the session
/// ends while SOCI sends its own first statement, it leaks socket and session, and where the server
/// falls silent there, it waits without end. The hosts share the time until the deadline, and the
/// addresses of a host its part; none gets more than `connect_timeout`. Notices are not printed,
/// now and later. Throws SqlError (`unreachable`, `turned_away`).
PostgresqlHandle connect_to_postgresql(const DatabaseUrl& url, const Options& options,
                                       Deadline deadline,
                                       const Resolver& addresses_of = platform::addresses_of);

}  // namespace accounting::sql
