// SqlError: what a database refused or how it failed, in terms that the store acts on. Never
// leaves the room: the store turns it into one of the library's errors.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace accounting::sql {

enum class SqlErrorKind {
  serialization,     ///< the database asks for another try (40001, 40P01); nothing was changed
  busy,              ///< a lock was not had in time (55P03, SQLITE_BUSY); nothing was changed
  timeout,           ///< the statement ran too long (57014); nothing was changed
  connection_lost,   ///< the session broke before a commit was sent; nothing was changed
  commit_unknown,    ///< the session broke after a commit was sent, or SQLite's files failed in it
  commit_refused,    ///< the database rolled back instead of committing; nothing was changed
  unique_violation,  ///< a row with that key exists (23505)
  constraint,        ///< a check, foreign key or not-null constraint refused the row
  row_count,         ///< a statement touched another number of rows than it must
  out_of_range,      ///< a number too large for its column (22003)
  missing_table,     ///< the schema is not there (42P01)
  read_only,         ///< the database cannot be written to
  full,              ///< no space is left
  unreachable,       ///< no session could be made
  turned_away,       ///< the server admits no such session, and will not the next time either
  cannot_open,       ///< there is no such file, or it may not be opened or is no database
  other
};

class SqlError : public std::runtime_error {
 public:
  /// `message` is a fixed sentence: the database's own may quote values or the statement.
  SqlError(SqlErrorKind kind, const std::string& message, std::string state = {});

  [[nodiscard]] SqlErrorKind kind() const noexcept { return kind_; }
  /// The SQLSTATE, or the SQLite result code as text; empty where there is none.
  [[nodiscard]] const std::string& state() const noexcept { return state_; }

 private:
  SqlErrorKind kind_;
  std::string state_;
};

/// A sentence for people that holds for every error of the kind, and so holds no value.
std::string_view describe(SqlErrorKind kind) noexcept;

}  // namespace accounting::sql
