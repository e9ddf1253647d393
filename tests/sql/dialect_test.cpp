// How a statement is spelled for each database.
#include "sql/dialect.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace accounting;
using namespace accounting::sql;
using namespace std::chrono_literals;

namespace {

const std::vector<Parameter> parameters = {
    {"n", Type::integer}, {"t", Type::text}, {"at", Type::instant}};

std::string postgresql(const std::string& text) {
  return spell({.name = "s", .text = text, .parameters = parameters}, DatabaseKind::postgresql);
}

std::string sqlite(const std::string& text) {
  return spell({.name = "s", .text = text, .parameters = parameters}, DatabaseKind::sqlite);
}

}  // namespace

TEST_CASE("what the databases say differently is spelled out") {
  CHECK(postgresql("INSTANT_OF(a.at)") == "(a.at)");
  CHECK(sqlite("INSTANT_OF(a.at)") == "(a.at)");
  CHECK(postgresql("x < INSTANT(:at)") == "x < (:at::timestamptz)::timestamptz");
  CHECK(sqlite("x < INSTANT(:at)") == "x < (:at)");
  CHECK(postgresql("DAY(:at)") == "((:at::timestamptz)::timestamptz AT TIME ZONE 'UTC')::date");
  CHECK(sqlite("DAY(:at)") == "strftime('%Y-%m-%d', (:at) / 1000000, 'unixepoch')");
  CHECK(postgresql("DAY_TEXT(day)") == "to_char(day, 'YYYY-MM-DD')");
  CHECK(postgresql("JSON(:t), JSON_TEXT(data)") == "(:t)::jsonb, (data)::text");
  CHECK(sqlite("JSON(:t), JSON_TEXT(data)") == "(:t), (data)");
  CHECK(postgresql("FLAG(:n)") == "((:n::bigint)::bigint = 1)");
  CHECK(postgresql("FLAG_OF(a)") == "(a)::int::bigint");
  CHECK(postgresql("NUMERIC_TEXT(NUMERIC(:t))") == "((:t)::numeric)::text");
  CHECK(postgresql("SELECT 1 LOCK_ROW") == "SELECT 1 FOR NO KEY UPDATE");
  CHECK(sqlite("SELECT 1 LOCK_ROW") == "SELECT 1 ");
  CHECK(postgresql("SELECT 1 LOCK_ROW_IF_FREE") == "SELECT 1 FOR NO KEY UPDATE SKIP LOCKED");
  CHECK(sqlite("SELECT 1 LOCK_ROW_IF_FREE") == "SELECT 1 ");
  CHECK(postgresql("coalesce(a, END_OF_TIME)") == "coalesce(a, 'infinity')");
  CHECK(sqlite("coalesce(a, END_OF_TIME)") == "coalesce(a, 9223372036854775807)");
  CHECK(sqlite("INSTANT_OF(coalesce(a, (b)))") == "(coalesce(a, (b)))");
}

TEST_CASE("quotes, casts, and words that only look like the dialect's stay as they are") {
  CHECK(postgresql("':n' \":n\" a::text MICROS XDAY(x) json(x)") ==
        "':n' \":n\" a::text MICROS XDAY(x) json(x)");
  CHECK(postgresql("INSTANT_OF(f(')'))") == "(f(')'))");
  CHECK(postgresql("'it''s :n'") == "'it''s :n'");
}

TEST_CASE("a statement that cannot be right is a mistake of the library") {
  CHECK_THROWS_AS(postgresql(":unknown"), MistakenStatement);
  CHECK_THROWS_AS(postgresql("INSTANT_OF(a"), MistakenStatement);
  CHECK_THROWS_AS(postgresql("'open"), MistakenStatement);
}

TEST_CASE("a row that must be found is asked for in the statement itself, which answers nothing") {
  Statement lock{.name = "l",
                 .text = "SELECT 1 FROM t WHERE b = :n LOCK_ROW_IF_FREE",
                 .parameters = {{"n", Type::integer}},
                 .touches_one_row = true};
  CHECK(spell(lock, DatabaseKind::postgresql) ==
        "WITH touched AS (SELECT 1 FROM t WHERE b = :n::bigint FOR NO KEY UPDATE SKIP LOCKED) "
        "SELECT 1 / (count(*) = 1)::int FROM touched");
  CHECK(spell_for_many(lock).text ==
        "WITH touched AS (SELECT each_row.number, found.* FROM unnest($1::bigint[]) WITH "
        "ORDINALITY AS each_row (p1, number) CROSS JOIN LATERAL (SELECT * FROM (SELECT 1 FROM t "
        "WHERE b = each_row.p1 FOR NO KEY UPDATE SKIP LOCKED) AS one OFFSET 0) AS found) "
        "SELECT 1 / (count(*) = cardinality($1::bigint[]))::int FROM touched");
  lock.columns = {Type::integer};
  CHECK_THROWS_AS(spell(lock, DatabaseKind::postgresql), MistakenStatement);
}

TEST_CASE("one row or failure is asked of PostgreSQL in the statement itself") {
  const Statement update{.name = "u", .text = "UPDATE t SET a = 1", .touches_one_row = true};
  CHECK(spell(update, DatabaseKind::postgresql) ==
        "WITH touched AS (UPDATE t SET a = 1 RETURNING 1)"
        " SELECT 1 / (count(*) = 1)::int FROM touched");
  CHECK(spell(update, DatabaseKind::sqlite) == "UPDATE t SET a = 1");
}

TEST_CASE("a read of many rows answers the number of its row first") {
  const Statement read{.name = "s",
                       .text = "SELECT a FROM t WHERE b = :t AND c > INSTANT(:at) LOCK_ROW",
                       .parameters = parameters,
                       .columns = {Type::integer}};
  CHECK(has_form_for_many(read));
  const NumberedText many = spell_for_many(read);
  CHECK(many.text ==
        "SELECT each_row.number, found.* FROM unnest($1::bigint[], $2::text[], $3::timestamptz[])"
        " WITH ORDINALITY AS each_row (p1, p2, p3, number) CROSS JOIN LATERAL ("
        "SELECT * FROM (SELECT a FROM t WHERE b = each_row.p2 AND c > (each_row.p3)::timestamptz"
        " FOR NO KEY UPDATE) AS one OFFSET 0) AS found");
  CHECK(many.parameters == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("an insert of many rows selects them, and keeps what stands behind the values") {
  const Statement insert{.name = "s",
                         .text =
                             "INSERT INTO t (a, b) VALUES (:n, coalesce(:t, ')')) "
                             "ON CONFLICT (a) DO UPDATE SET b = excluded.b",
                         .parameters = {{"n", Type::integer}, {"t", Type::text}}};
  CHECK(has_form_for_many(insert));
  CHECK(
      spell_for_many(insert).text ==
      "INSERT INTO t (a, b) SELECT each_row.p1, coalesce(each_row.p2, ')') FROM"
      " (SELECT unnest($1::bigint[]) AS p1, unnest($2::text[]) AS p2"
      " LIMIT cardinality($1::bigint[])) AS each_row ON CONFLICT (a) DO UPDATE SET b = excluded.b");
}

TEST_CASE("an update of many rows must touch as many where each must touch one") {
  Statement update{.name = "s",
                   .text = "UPDATE t SET a = a + :n WHERE b = :t",
                   .parameters = {{"n", Type::integer}, {"t", Type::text}}};
  const std::string plain =
      "UPDATE t SET a = a + each_row.p1"
      " FROM (SELECT unnest($1::bigint[]) AS p1, unnest($2::text[]) AS p2"
      " LIMIT cardinality($1::bigint[])) AS each_row WHERE b = each_row.p2";
  CHECK(spell_for_many(update).text == plain);
  update.touches_one_row = true;
  CHECK(spell_for_many(update).text ==
        "WITH touched AS (" + plain +
            " RETURNING 1) SELECT 1 / (count(*) = cardinality($1::bigint[]))::int FROM touched");
}

TEST_CASE("an update of many rows has its rows before its own condition") {
  const Statement update{.name = "s",
                         .text =
                             "UPDATE t SET a = (SELECT c FROM u WHERE d = :n), b = '( WHERE '"
                             " WHERE b = (SELECT b FROM t WHERE b = :n LOCK_ROW_IF_FREE)",
                         .parameters = {{"n", Type::integer}}};
  CHECK(spell_for_many(update).text ==
        "UPDATE t SET a = (SELECT c FROM u WHERE d = each_row.p1), b = '( WHERE '"
        " FROM (SELECT unnest($1::bigint[]) AS p1 LIMIT cardinality($1::bigint[])) AS each_row"
        " WHERE b = (SELECT b FROM t WHERE b = each_row.p1 FOR NO KEY UPDATE SKIP LOCKED)");
}

TEST_CASE("what cannot be asked for many rows at once is asked for each") {
  const auto has_form = [](const std::string& text, std::vector<Parameter> named,
                           std::vector<Type> columns) {
    return has_form_for_many(
        {.name = "s", .text = text, .parameters = std::move(named), .columns = std::move(columns)});
  };
  const std::vector<Parameter> one = {{"n", Type::integer}};
  CHECK(has_form("SELECT a FROM t WHERE b = :n", one, {Type::integer}));
  CHECK(has_form("UPDATE t SET a = :n WHERE b = 1", one, {}));
  CHECK_FALSE(has_form("SELECT a FROM t", {}, {Type::integer}));
  CHECK_FALSE(has_form("DELETE FROM t WHERE b = :n", one, {}));
  CHECK_FALSE(has_form("WITH x AS (SELECT 1) SELECT :n", one, {Type::integer}));
  CHECK_FALSE(has_form("INSERT INTO t (a) VALUES (:n) RETURNING a", one, {Type::integer}));
  CHECK_THROWS_AS(
      spell_for_many({.name = "s", .text = "DELETE FROM t WHERE b = :n", .parameters = one}),
      MistakenStatement);
  CHECK_THROWS_AS(
      spell_for_many({.name = "s", .text = "INSERT INTO t SELECT :n", .parameters = one}),
      MistakenStatement);
  CHECK_THROWS_AS(spell_for_many({.name = "s", .text = "UPDATE t SET a = :n", .parameters = one}),
                  MistakenStatement);
}

TEST_CASE("names become numbers, each use its own") {
  const auto numbered = number_parameters(":t = ':n' || :n::bigint || :t", parameters);
  CHECK(numbered.text == "$1 = ':n' || $2::bigint || $3");
  CHECK(numbered.parameters == std::vector<std::size_t>{1, 0, 1});
}

TEST_CASE("instants are written exactly") {
  CHECK(instant_text(Timestamp(0us)) == "1970-01-01 00:00:00.000000+00");
  CHECK(instant_text(Timestamp(1'767'225'599'999'999us)) == "2025-12-31 23:59:59.999999+00");
  CHECK(storable(Timestamp(0us)));
  CHECK_FALSE(storable(Timestamp(-1us)));
  const Timestamp end = std::chrono::sys_days(std::chrono::year{10'000} / 1 / 1);
  CHECK(storable(end - 1us));
  CHECK_FALSE(storable(end));
}
