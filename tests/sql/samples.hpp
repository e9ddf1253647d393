// Samples: every kind of connection, and a small table with statements that exercise it.
#pragma once

#include "sql/connection.hpp"
#include "sql/database_url.hpp"
#include "sql/sql_error.hpp"
#include "support/databases.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace accounting::sql {

std::ostream& operator<<(std::ostream& out, SqlErrorKind kind);

}  // namespace accounting::sql

namespace accounting::testing {

/// An empty database and a way to connect to it.
struct EmptyDatabase {
  std::string name;  ///< "pipelined", "plain" or "sqlite"
  std::string url;
  Options options = {};
  std::shared_ptr<void> keeper = {};  ///< removes the database in the end

  [[nodiscard]] bool postgresql() const { return name != "sqlite"; }
  [[nodiscard]] std::unique_ptr<sql::Connection> connect() const;
};

EmptyDatabase sqlite_database();
/// PostgreSQL both ways; none, and a loud word, where there is no server.
std::vector<EmptyDatabase> postgresql_databases();
/// PostgreSQL both ways, where there is a server, and an SQLite file.
std::vector<EmptyDatabase> every_database();

/// items (id, name, amount ≥ 0, at, day, data, flag, price)
void create_items(sql::Connection& connection);

extern const sql::Statement insert_item;       ///< id, name, amount
extern const sql::Statement insert_full;       ///< id, name, amount, at, data, flag, price
extern const sql::Statement insert_returning;  ///< id, name → id
extern const sql::Statement select_items;      ///< → id, name, amount, in order of id
extern const sql::Statement select_full;       ///< → all columns, in order of id
extern const sql::Statement take_amount;       ///< id, amount; must touch one row
extern const sql::Statement count_items;       ///< → count

sql::Call item(std::int64_t id, const std::string& name, std::int64_t amount);
std::int64_t count(sql::Connection& connection);

/// The error that the call met; fails the test where it met none.
sql::SqlError error_of(const std::function<void()>& call);
sql::SqlErrorKind kind_of(const std::function<void()>& call);

}  // namespace accounting::testing
