// Calls of one statement in a trip, which PostgreSQL is asked as one statement over arrays: the
// same answers and effects as one by one.
#include "samples.hpp"

#include <chrono>
#include <limits>
#include <optional>
#include <utility>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::monostate null;
constexpr Timestamp first_instant{0us};
constexpr Timestamp last_instant =
    std::chrono::sys_days(std::chrono::year{10'000} / 1 / 1) - std::chrono::microseconds(1);
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t beyond_32_bits = std::int64_t{1} << 31;

const Statement echo{
    .name = "echo",
    .text = "SELECT CAST(:text AS text), INSTANT(:at), :number",
    .parameters = {{"text", Type::text}, {"at", Type::instant}, {"number", Type::integer}},
    .columns = {Type::text, Type::instant, Type::integer}};

const Statement find_item{
    .name = "find_item",
    .text = "SELECT id, name, amount, INSTANT_OF(at), DAY_TEXT(day) FROM items WHERE id = :id",
    .parameters = {{"id", Type::integer}},
    .columns = {Type::integer, Type::text, Type::integer, Type::instant, Type::text}};

const Statement find_range{
    .name = "find_range",
    .text =
        "SELECT id FROM items WHERE id >= :low AND id < :high "
        "ORDER BY amount DESC, id LIMIT :limit",
    .parameters = {{"low", Type::integer}, {"high", Type::integer}, {"limit", Type::integer}},
    .columns = {Type::integer}};

const Statement add_amount{
    .name = "add_amount",
    .text =
        "INSERT INTO items (id, name, amount) VALUES (:id, :name, :amount) "
        "ON CONFLICT (id) DO UPDATE SET amount = items.amount + excluded.amount",
    .parameters = {{"id", Type::integer}, {"name", Type::text}, {"amount", Type::integer}}};

const Statement rename_from{
    .name = "rename_from",
    .text = "UPDATE items SET name = :name WHERE id >= :low AND id < :high",
    .parameters = {{"name", Type::text}, {"low", Type::integer}, {"high", Type::integer}}};

const Statement prepared_for_many{
    .name = "count_prepared",
    .text = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE '%\\_many'",
    .columns = {Type::integer}};

struct Database {
  EmptyDatabase database;
  std::unique_ptr<Connection> connection;

  [[nodiscard]] bool shares() const { return database.options.share_statements; }
  std::vector<Rows> run(const Trip& trip) const { return connection->run(trip); }
};

/// PostgreSQL both ways, and each where statements are shared and where they are not.
std::vector<Database> databases() {
  std::vector<Database> all;
  for (const bool share : {true, false}) {
    for (EmptyDatabase& each : postgresql_databases()) {
      each.options.share_statements = share;
      each.name += share ? ", shared" : ", one by one";
      auto connection = each.connect();
      create_items(*connection);
      all.push_back({.database = each, .connection = std::move(connection)});
    }
  }
  return all;
}

std::vector<Call> edge_items() {
  return {{&insert_full, {1, "", 0, first_instant, null, 0, "0"}},
          {&insert_full, {beyond_32_bits, null, beyond_32_bits, last_instant, "[]", 1, null}},
          {&insert_full,
           {-beyond_32_bits - 1, R"({"NULL", ' \ ", NULL})", most, null, "{\"a\": 1}", null,
            "123456789012345.0000000001"}},
          {&insert_full, {most, "NULL", 7, Timestamp(1us), null, null, "-0.5"}}};
}

}  // namespace

TEST_CASE("what is written together is what is written one by one") {
  std::optional<std::vector<Rows>> expected;
  for (const Database& each : databases()) {
    CAPTURE(each.database.name);
    std::vector<Call> calls = edge_items();
    calls.push_back({&select_full, {}});
    const std::vector<Rows> answers =
        each.run({.begin = Begin::write, .calls = calls, .commit = true});
    REQUIRE(answers.size() == 5);
    CHECK(answers[4].size() == 4);
    CHECK(answers[4][1] == Row{1, "", 0, 0, "1970-01-01", null, 0, "0"});
    expected = expected.value_or(answers);
    CHECK(answers == *expected);
    CHECK(each.run({.calls = {{&prepared_for_many, {}}}})[0] == Rows{{each.shares() ? 1 : 0}});
  }
}

TEST_CASE("what is read together is answered call by call, each in its own order") {
  std::optional<std::vector<Rows>> expected;
  for (const Database& each : databases()) {
    CAPTURE(each.database.name);
    each.run({.begin = Begin::write, .calls = edge_items(), .commit = true});
    each.run({.begin = Begin::write,
              .calls = {item(10, "a", 5), item(11, "b", 9), item(12, "c", 9), item(13, "d", 1)},
              .commit = true});
    std::vector<Call> calls;
    for (const std::int64_t id : {most, std::int64_t{404}, std::int64_t{1}, most, beyond_32_bits}) {
      calls.push_back({&find_item, {id}});
      calls.push_back({&find_range, {10, 10 + id % 5, 3}});
    }
    calls.push_back({&find_item, {null}});
    calls.push_back({&echo, {"", first_instant, -most - 1}});
    calls.push_back({&echo, {null, last_instant, null}});
    calls.push_back({&echo, {"Käse", null, beyond_32_bits}});
    const std::vector<Rows> answers = each.run({.calls = calls});
    REQUIRE(answers.size() == calls.size());
    CHECK(answers[0] == answers[6]);
    CHECK(answers[2].empty());
    CHECK(answers[10].empty());
    CHECK(answers[1] == Rows{{11}, {10}});
    CHECK(answers[3] == Rows{{11}, {12}, {10}});
    CHECK(answers[11] == Rows{{"", 0, -most - 1}});
    CHECK(answers[12] == Rows{{null, last_instant.time_since_epoch().count(), null}});
    CHECK(answers[13] == Rows{{"Käse", null, beyond_32_bits}});
    expected = expected.value_or(answers);
    CHECK(answers == *expected);
  }
}

TEST_CASE("an update of many that misses one of its rows stores nothing, COMMIT or not") {
  for (const Database& each : databases()) {
    CAPTURE(each.database.name);
    each.run({.begin = Begin::write,
              .calls = {item(1, "a", 10), item(2, "b", 10), item(3, "c", 10)},
              .commit = true});
    each.run({.begin = Begin::write,
              .calls = {{&take_amount, {1, 1}}, {&take_amount, {3, 3}}},
              .commit = true});
    const Rows before = each.run({.calls = {{&select_items, {}}}})[0];
    CHECK(before == Rows{{1, "a", 9}, {2, "b", 10}, {3, "c", 7}});
    for (const std::int64_t missing : {std::int64_t{404}, most}) {
      const Trip trip{.begin = Begin::write,
                      .calls = {{&take_amount, {1, 1}},
                                {&take_amount, {missing, 1}},
                                {&take_amount, {2, 1}},
                                item(9, "x", 1)},
                      .commit = true};
      CHECK(kind_of([&] { each.run(trip); }) == SqlErrorKind::row_count);
      each.connection->rollback();
      CHECK(each.run({.calls = {{&select_items, {}}}})[0] == before);
    }
    // As does one that takes more than there is.
    CHECK(kind_of([&] {
            each.run({.begin = Begin::write,
                      .calls = {{&take_amount, {1, 1}}, {&take_amount, {2, 11}}},
                      .commit = true});
          }) == SqlErrorKind::constraint);
    each.connection->rollback();
    CHECK(each.run({.calls = {{&select_items, {}}}})[0] == before);
  }
}

TEST_CASE("an update of many that names a row twice does not pass for two") {
  for (const Database& each : databases()) {
    if (!each.shares()) {
      continue;  // there, one comes after the other
    }
    CAPTURE(each.database.name);
    each.run({.begin = Begin::write, .calls = {item(1, "a", 10)}, .commit = true});
    CHECK_THROWS_AS(each.run({.begin = Begin::write,
                              .calls = {{&take_amount, {1, 1}}, {&take_amount, {1, 1}}},
                              .commit = true}),
                    SqlError);
    each.connection->rollback();
    CHECK(count(*each.connection) == 1);
  }
}

TEST_CASE("updates that may touch any number of rows, and inserts that may meet a row") {
  for (const Database& each : databases()) {
    CAPTURE(each.database.name);
    each.run({.begin = Begin::write,
              .calls = {item(1, "a", 1), item(2, "b", 2), item(3, "c", 3)},
              .commit = true});
    each.run({.begin = Begin::write,
              .calls = {{&rename_from, {"low", 0, 3}},
                        {&rename_from, {"none", 50, 60}},
                        {&rename_from, {null, 3, 9}},
                        {&add_amount, {3, "ignored", 10}},
                        {&add_amount, {4, "new", 4}}},
              .commit = true});
    CHECK(each.run({.calls = {{&select_items, {}}}})[0] ==
          Rows{{1, "low", 1}, {2, "low", 2}, {3, null, 13}, {4, "new", 4}});
  }
}

TEST_CASE("an instant that cannot be stored is refused before anything is sent") {
  for (const Database& each : databases()) {
    CAPTURE(each.database.name);
    for (const Timestamp instant : {Timestamp::max(), last_instant + 1us, first_instant - 1us}) {
      const auto before = each.connection->round_trips();
      CHECK(kind_of([&] {
              each.run({.begin = Begin::write,
                        .calls = {{&insert_full, {1, "a", 1, first_instant, null, 0, null}},
                                  {&insert_full, {2, "b", 1, instant, null, 0, null}}},
                        .commit = true});
            }) == SqlErrorKind::out_of_range);
      CHECK(each.connection->round_trips() == before);
      each.connection->rollback();
      CHECK(count(*each.connection) == 0);
    }
    // What somebody else put there is later than all that can be.
    each.connection->run_script("INSERT INTO items (id, amount, at) VALUES (5, 0, 'infinity')");
    const auto found = each.run({.calls = {{&find_item, {5}}, {&find_item, {5}}}});
    CHECK(found[0][0][3] == Value(most));
    CHECK(found[0] == found[1]);
  }
}

TEST_CASE("more rows than fit one message are several, and all of them arrive") {
  for (const Database& each : databases()) {
    CAPTURE(each.database.name);
    std::vector<Call> calls;
    for (std::int64_t id = 1; id <= 40; ++id) {
      calls.push_back(item(id, std::string(30'000, 'x') + std::to_string(id), id));
    }
    each.run({.begin = Begin::write, .calls = calls, .commit = true});
    const Rows rows = each.run({.calls = {{&select_items, {}}}})[0];
    REQUIRE(rows.size() == 40);
    for (std::size_t index = 0; index < rows.size(); ++index) {
      CHECK(rows[index] ==
            Row{calls[index].values[0], calls[index].values[1], calls[index].values[2]});
    }
  }
}
