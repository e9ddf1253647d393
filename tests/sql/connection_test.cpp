// The three kinds of connection answer the same rows for the same trips.
#include "samples.hpp"

#include <chrono>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::monostate null;
constexpr Timestamp noon = std::chrono::sys_days(std::chrono::year{2026} / 3 / 1) + 12h + 7us;

Rows items_of(Connection& connection) {
  return connection.run({.calls = {{&select_items, {}}}}).at(0);
}

}  // namespace

TEST_CASE("a trip writes and reads, with NULL, JSON, instants, days, flags and exact numbers") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    const auto answers = connection->run(
        {.begin = Begin::write,
         .calls = {{&insert_full, {1, "Käse ':x' \"", 7, noon, "{\"a\": [1]}", 1, "0.0000000001"}},
                   {&insert_full, {2, null, 0, null, null, null, null}},
                   {&select_full, {}}},
         .commit = true});
    REQUIRE(answers.size() == 3);
    CHECK(answers[0].empty());
    const Rows expected = {{1, "Käse ':x' \"", 7, noon.time_since_epoch().count(), "2026-03-01",
                            "{\"a\": [1]}", 1, "0.0000000001"},
                           {2, null, 0, null, null, null, null, null}};
    CHECK(answers[2] == expected);
    CHECK_FALSE(connection->in_transaction());
  }
}

TEST_CASE("a transaction spans trips, and only its commit makes it last") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto writer = database.connect();
    const auto reader = database.connect();
    create_items(*writer);
    writer->run({.begin = Begin::write, .calls = {item(1, "a", 1)}});
    CHECK(writer->in_transaction());
    CHECK(count(*reader) == 0);
    writer->run({.calls = {item(2, "b", 2)}});
    CHECK(count(*writer) == 2);
    writer->run({.commit = true});
    CHECK_FALSE(writer->in_transaction());
    CHECK(count(*reader) == 2);

    writer->run({.begin = Begin::write, .calls = {item(3, "c", 3)}});
    writer->rollback();
    CHECK_FALSE(writer->in_transaction());
    CHECK(count(*reader) == 2);
  }
}

TEST_CASE("a read transaction is one snapshot") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto reader = database.connect();
    const auto writer = database.connect();
    create_items(*writer);
    reader->run({.begin = Begin::read, .calls = {{&count_items, {}}}});
    writer->run({.begin = Begin::write, .calls = {item(1, "a", 1)}, .commit = true});
    CHECK(count(*reader) == 0);
    reader->run({.commit = true});
    CHECK(count(*reader) == 1);
  }
}

TEST_CASE("a trip by itself happens as a whole or not at all") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    CHECK(kind_of([&] {
            connection->run({.calls = {item(1, "a", 1), item(1, "b", 2)}});
          }) == SqlErrorKind::unique_violation);
    CHECK_FALSE(connection->in_transaction());
    CHECK(count(*connection) == 0);
    connection->run({.calls = {item(1, "a", 1), item(2, "b", 2)}});
    CHECK(count(*connection) == 2);
  }
}

TEST_CASE("a failed transaction takes nothing more, and is rolled back") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write,
                             .calls = {item(1, "a", 1), item(2, "b", -1), item(3, "c", 3)},
                             .commit = true});
          }) == SqlErrorKind::constraint);
    CHECK(connection->in_transaction());
    CHECK_THROWS_AS(connection->run({.calls = {item(4, "d", 4)}}), SqlError);
    CHECK_THROWS_AS(connection->run({.commit = true}), SqlError);
    connection->rollback();
    CHECK_FALSE(connection->broken());
    CHECK(count(*connection) == 0);
    connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}, .commit = true});
    CHECK(count(*connection) == 1);
  }
}

TEST_CASE("a statement that must touch one row fails the trip before its commit otherwise") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    connection->run({.calls = {item(1, "a", 10)}});
    connection->run({.begin = Begin::write, .calls = {{&take_amount, {1, 4}}}, .commit = true});
    CHECK(items_of(*connection) == Rows{{1, "a", 6}});
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write,
                             .calls = {{&take_amount, {1, 1}}, {&take_amount, {2, 1}}},
                             .commit = true});
          }) == SqlErrorKind::row_count);
    connection->rollback();
    CHECK(items_of(*connection) == Rows{{1, "a", 6}});
  }
}

TEST_CASE("errors have a kind that the store can act on") {
  const Statement missing{
      .name = "missing", .text = "SELECT 1 FROM nowhere", .columns = {Type::integer}};
  const Statement nonsense{
      .name = "nonsense", .text = "SELECT FROM WHERE", .columns = {Type::integer}};
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    CHECK(kind_of([&] {
            connection->run({.calls = {{&missing, {}}}});
          }) == SqlErrorKind::missing_table);
    CHECK(kind_of([&] { connection->run({.calls = {{&nonsense, {}}}}); }) == SqlErrorKind::other);
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}});
            connection->run({.begin = Begin::write});
          }) == SqlErrorKind::other);
    connection->rollback();
    const auto before = Timestamp(-1us);
    CHECK(kind_of([&] {
            connection->run({.calls = {{&insert_full, {1, "a", 1, before, null, null, null}}}});
          }) == SqlErrorKind::out_of_range);
    CHECK(count(*connection) == 0);
    CHECK_FALSE(connection->broken());
  }
}

TEST_CASE("a statement that runs too long, and a lock that is not had in time") {
  const Statement slow{
      .name = "slow",
      .text =
          "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
          " FROM n WHERE i < 200000000) SELECT i FROM n) AS numbers",
      .columns = {Type::integer}};
  for (auto database : every_database()) {
    CAPTURE(database.name);
    database.options.statement_timeout = 300ms;
    database.options.lock_timeout = 200ms;  // a second on SQLite
    const auto connection = database.connect();
    const auto other = database.connect();
    create_items(*connection);
    connection->run({.calls = {item(1, "a", 10)}});
    CHECK(kind_of([&] { connection->run({.calls = {{&slow, {}}}}); }) == SqlErrorKind::timeout);
    other->run({.begin = Begin::write, .calls = {{&take_amount, {1, 1}}}});
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write, .calls = {{&take_amount, {1, 1}}}});
          }) == SqlErrorKind::busy);
    connection->rollback();
    other->rollback();
    connection->run({.begin = Begin::write, .calls = {{&take_amount, {1, 1}}}, .commit = true});
    CHECK(items_of(*connection) == Rows{{1, "a", 9}});
  }
}
