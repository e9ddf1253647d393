#include "sql/sql_error.hpp"

#include <utility>

namespace accounting::sql {

SqlError::SqlError(SqlErrorKind kind, const std::string& message, std::string state)
    : std::runtime_error(message), kind_(kind), state_(std::move(state)) {}

std::string_view describe(SqlErrorKind kind) noexcept {
  switch (kind) {
    case SqlErrorKind::serialization:
      return "the database asks for another try";
    case SqlErrorKind::busy:
      return "a lock was not free in time";
    case SqlErrorKind::timeout:
      return "the statement ran longer than allowed";
    case SqlErrorKind::connection_lost:
      return "the connection to the database was lost";
    case SqlErrorKind::commit_unknown:
      return "the database did not confirm the commit";
    case SqlErrorKind::commit_refused:
      return "the database rolled back instead of committing";
    case SqlErrorKind::unique_violation:
      return "a row with that key exists";
    case SqlErrorKind::constraint:
      return "a constraint refused the row";
    case SqlErrorKind::row_count:
      return "a statement touched another number of rows than it must";
    case SqlErrorKind::out_of_range:
      return "a number is too large for its column";
    case SqlErrorKind::missing_table:
      return "a table is missing";
    case SqlErrorKind::read_only:
      return "the database cannot be written to";
    case SqlErrorKind::full:
      return "the database has no space left";
    case SqlErrorKind::cannot_open:
      return "the file could not be opened";
    case SqlErrorKind::unreachable:
      return "no connection to the database could be made";
    case SqlErrorKind::turned_away:
      return "the server admits no such connection";
    case SqlErrorKind::other:
      break;
  }
  return "the database refused the statement";
}

}  // namespace accounting::sql
