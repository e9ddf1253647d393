#include "samples.hpp"

#include <optional>

namespace accounting::sql {

std::ostream& operator<<(std::ostream& out, SqlErrorKind kind) { return out << describe(kind); }

}  // namespace accounting::sql

namespace accounting::testing {

using sql::Call;
using sql::SqlError;
using sql::Statement;
using sql::Type;

std::unique_ptr<sql::Connection> EmptyDatabase::connect() const {
  return sql::connect(sql::parse_database_url(url), options);
}

EmptyDatabase sqlite_database() {
  auto directory = std::make_shared<TemporaryDirectory>();
  return {.name = "sqlite", .url = directory->sqlite_url(), .keeper = directory};
}

std::vector<EmptyDatabase> postgresql_databases() {
  std::vector<EmptyDatabase> databases;
  if (const auto server = postgresql_url_or_skip()) {
    for (const std::string name : {"pipelined", "plain"}) {
      auto schema = std::make_shared<FreshSchema>(*server);
      databases.push_back({.name = name,
                           .url = schema->url(),
                           .options = {.pipeline = name == "pipelined"},
                           .keeper = schema});
    }
  }
  return databases;
}

std::vector<EmptyDatabase> every_database() {
  auto databases = postgresql_databases();
  databases.push_back(sqlite_database());
  return databases;
}

void create_items(sql::Connection& connection) {
  connection.run_script(
      connection.kind() == sql::DatabaseKind::postgresql
          ? "CREATE TABLE items (id bigint PRIMARY KEY, name varchar(2000000),"
            " amount bigint NOT NULL CHECK (amount >= 0), at timestamptz, day date, data jsonb,"
            " flag boolean, price numeric);"
          : "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT,"
            " amount INTEGER NOT NULL CHECK (amount >= 0), at INTEGER, day TEXT, data TEXT,"
            " flag INTEGER, price TEXT) STRICT;");
}

const Statement insert_item{
    .name = "insert_item",
    .text = "INSERT INTO items (id, name, amount) VALUES (:id, :name, :amount)",
    .parameters = {{"id", Type::integer}, {"name", Type::text}, {"amount", Type::integer}}};

const Statement insert_full{
    .name = "insert_full",
    .text =
        "INSERT INTO items (id, name, amount, at, day, data, flag, price) VALUES (:id, :name,"
        " :amount, INSTANT(:at), DAY(:at), JSON(:data), FLAG(:flag), NUMERIC(:price))",
    .parameters = {{"id", Type::integer},
                   {"name", Type::text},
                   {"amount", Type::integer},
                   {"at", Type::instant},
                   {"data", Type::text},
                   {"flag", Type::integer},
                   {"price", Type::text}}};

const Statement insert_returning{
    .name = "insert_returning",
    .text = "INSERT INTO items (id, name, amount) VALUES (:id, :name, 0) RETURNING id",
    .parameters = {{"id", Type::integer}, {"name", Type::text}},
    .columns = {Type::integer}};

const Statement select_items{.name = "select_items",
                             .text = "SELECT id, name, amount FROM items ORDER BY id",
                             .columns = {Type::integer, Type::text, Type::integer}};

const Statement select_full{
    .name = "select_full",
    .text =
        "SELECT id, name, amount, INSTANT_OF(at), DAY_TEXT(day), JSON_TEXT(data), FLAG_OF(flag),"
        " NUMERIC_TEXT(price) FROM items ORDER BY id",
    .columns = {Type::integer, Type::text, Type::integer, Type::instant, Type::text, Type::text,
                Type::integer, Type::text}};

const Statement take_amount{.name = "take_amount",
                            .text = "UPDATE items SET amount = amount - :amount WHERE id = :id",
                            .parameters = {{"id", Type::integer}, {"amount", Type::integer}},
                            .touches_one_row = true};

const Statement count_items{
    .name = "count_items", .text = "SELECT count(*) FROM items", .columns = {Type::integer}};

Call item(std::int64_t id, const std::string& name, std::int64_t amount) {
  return {&insert_item, {id, name, amount}};
}

std::int64_t count(sql::Connection& connection) {
  const auto answers = connection.run({.calls = {{&count_items, {}}}});
  return std::get<std::int64_t>(answers.at(0).at(0).at(0));
}

SqlError error_of(const std::function<void()>& call) {
  std::optional<SqlError> met;
  try {
    call();
  } catch (const SqlError& error) {
    met = error;
  }
  REQUIRE_MESSAGE(met.has_value(), "an SqlError was expected");
  return *met;
}

sql::SqlErrorKind kind_of(const std::function<void()>& call) { return error_of(call).kind(); }

}  // namespace accounting::testing
