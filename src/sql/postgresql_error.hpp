// What PostgreSQL's SQLSTATEs mean to the store.
#pragma once

#include "sql/sql_error.hpp"
#include "sql/statement.hpp"

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

namespace accounting::sql {

struct ClearResult {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};

using PostgresqlResult = std::unique_ptr<PGresult, ClearResult>;

/// An error as the server reported it. An empty state: the connection broke instead.
struct ServerError {
  std::string state;
  bool fatal = false;  ///< the server ends the session with it
};

ServerError read_error(const PGresult* result);

/// True where the session is over, whoever ended it.
bool ends_session(const ServerError& error) noexcept;

/// True where the session goes on but its prepared statements are of no more use.
bool spoils_statements(const ServerError& error) noexcept;

/// True where the server itself says that it does not know whether it committed.
bool leaves_commit_open(const ServerError& error) noexcept;

/// The error of a statement that can have had no effect. `statement` may be null.
SqlError statement_error(const ServerError& error, const Statement* statement);

/// An error whose kind says it all.
SqlError plain_error(SqlErrorKind kind, const std::string& state = {});

}  // namespace accounting::sql
