// Pipelining: how many round trips a trip takes, and what an error in the middle leaves behind.
#include "samples.hpp"
#include "support/tcp_proxy.hpp"

#include <chrono>
#include <optional>
#include <utility>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;
using namespace std::chrono_literals;

namespace {

/// A pipelined connection with the sample table; null where there is no server.
struct Pipelined {
  Pipelined() {
    for (auto& database : postgresql_databases()) {
      if (database.name == "pipelined") {
        keeper = database;
        connection = database.connect();
        create_items(*connection);
      }
    }
  }
  std::int64_t round_trips_of(const Trip& trip) const {
    const auto before = connection->round_trips();
    connection->run(trip);
    return connection->round_trips() - before;
  }
  std::optional<EmptyDatabase> keeper;
  std::unique_ptr<Connection> connection;
};

std::vector<Call> items_from(std::int64_t first, std::int64_t last) {
  std::vector<Call> calls;
  for (auto id = first; id <= last; ++id) {
    calls.push_back(item(id, "name", id));
  }
  return calls;
}

}  // namespace

TEST_CASE("a trip is one round trip, also where it begins, prepares and commits") {
  const Pipelined with;
  if (!with.connection) {
    return;
  }
  const Trip trip{.begin = Begin::write,
                  .calls = {item(1, "a", 1), {&take_amount, {1, 1}}, {&select_items, {}}},
                  .commit = true};
  CHECK(with.round_trips_of(trip) == 1);
  CHECK(with.round_trips_of({.begin = Begin::read, .calls = {{&count_items, {}}}}) == 1);
  CHECK(with.round_trips_of({.calls = {{&count_items, {}}, {&select_items, {}}}}) == 1);
  CHECK(with.round_trips_of({.commit = true}) == 1);
  CHECK(with.round_trips_of({.calls = {{&count_items, {}}}}) == 1);
}

TEST_CASE("a trip of a thousand calls, and one that answers a lot, arrive whole") {
  const Pipelined with;
  if (!with.connection) {
    return;
  }
  CHECK(with.round_trips_of(
            {.begin = Begin::write, .calls = items_from(1, 1000), .commit = true}) == 1);
  const Statement large{.name = "large",
                        .text = "SELECT repeat('x', 20000) FROM items ORDER BY id",
                        .columns = {Type::text}};
  const auto answers =
      with.connection->run({.calls = {{&large, {}}, {&select_items, {}}, {&large, {}}}});
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].size() == 1000);
  CHECK(answers[2].back() == Row{std::string(20'000, 'x')});
  for (std::int64_t id = 1; id <= 1000; ++id) {
    REQUIRE(answers[1][static_cast<std::size_t>(id - 1)] == Row{id, "name", id});
  }

  // Much in both directions at once: neither side may wait for the other.
  std::vector<Call> calls;
  const Statement echo{.name = "echo",
                       .text = "SELECT CAST(:text AS text)",
                       .parameters = {{"text", Type::text}},
                       .columns = {Type::text}};
  for (int index = 0; index < 450; ++index) {
    calls.push_back({&echo, {std::string(100'000, 'y') + std::to_string(index)}});
  }
  const auto echoes = with.connection->run({.calls = calls});
  REQUIRE(echoes.size() == 450);
  for (int index = 0; index < 450; ++index) {
    REQUIRE(echoes[static_cast<std::size_t>(index)][0][0] ==
            calls[static_cast<std::size_t>(index)].values[0]);
  }
}

TEST_CASE("an error in the middle leaves a connection that works, and nothing stored") {
  for (const std::int64_t failing : {1, 2, 500, 999, 1000}) {
    CAPTURE(failing);
    const Pipelined with;
    if (!with.connection) {
      return;
    }
    auto calls = items_from(1, 1000);
    calls[static_cast<std::size_t>(failing - 1)].values[2] = std::int64_t{-1};
    const auto before = with.connection->round_trips();
    CHECK(kind_of([&] {
            with.connection->run({.begin = Begin::write, .calls = calls, .commit = true});
          }) == SqlErrorKind::constraint);
    CHECK(with.connection->in_transaction());
    CHECK(with.connection->round_trips() - before == 1);
    with.connection->rollback();
    CHECK_FALSE(with.connection->broken());
    CHECK_FALSE(with.connection->in_transaction());
    CHECK(count(*with.connection) == 0);
    with.connection->run({.begin = Begin::write, .calls = items_from(1, 300), .commit = true});
    CHECK(count(*with.connection) == 300);
  }
}

TEST_CASE("a value larger than the buffers goes out while nothing comes in") {
  const Statement measure{.name = "measure",
                          .text = "SELECT length(CAST(:text AS text))",
                          .parameters = {{"text", Type::text}},
                          .columns = {Type::integer}};
  constexpr std::int64_t size = 40'000'000;
  for (auto database : postgresql_databases()) {
    CAPTURE(database.name);
    database.options.statement_timeout = 60s;  // less than for ever
    const auto connection = database.connect();
    const auto answers = connection->run({.calls = {{&measure, {std::string(size, 'x')}}}});
    CHECK(answers == std::vector<Rows>{{{size}}});
  }
}

TEST_CASE("of a large trip that failed the rest is not sent, and its connection goes on") {
  const Pipelined with;
  if (!with.connection) {
    return;
  }
  TcpProxy proxy(with.keeper->url);
  const EmptyDatabase far{.name = "pipelined", .url = proxy.url()};
  const auto connection = far.connect();
  const auto before = proxy.bytes_from_clients();
  std::vector<Call> calls = {item(1, "a", -1)};
  for (std::int64_t id = 2; id <= 600; ++id) {
    calls.push_back(item(id, std::string(100'000, 'z'), id));
  }
  CHECK(kind_of([&] {
          connection->run({.begin = Begin::write, .calls = calls, .commit = true});
        }) == SqlErrorKind::constraint);
  // Of 60 MB as much as the sockets hold, and what was under way when the answer came.
  CHECK(proxy.bytes_from_clients() - before < 30'000'000);
  connection->rollback();
  CHECK_FALSE(connection->broken());
  CHECK(count(*connection) == 0);
}

TEST_CASE("a statement that could not be prepared is prepared again the next time") {
  const Pipelined with;
  if (!with.connection) {
    return;
  }
  const Statement later{.name = "later",
                        .text = "INSERT INTO later (id) VALUES (:id)",
                        .parameters = {{"id", Type::integer}}};
  const Trip trip{.begin = Begin::write,
                  .calls = {{&count_items, {}}, {&later, {1}}, {&select_items, {}}},
                  .commit = true};
  CHECK(kind_of([&] { with.connection->run(trip); }) == SqlErrorKind::missing_table);
  with.connection->rollback();
  with.connection->run_script("CREATE TABLE later (id bigint)");
  CHECK_NOTHROW(with.connection->run(trip));
  CHECK_NOTHROW(with.connection->run(trip));
}

TEST_CASE("a statement stays prepared as long as the connection, and once") {
  const Pipelined with;
  if (!with.connection) {
    return;
  }
  const Statement prepared{.name = "prepared",
                           .text =
                               "SELECT count(*) FROM pg_prepared_statements"
                               " WHERE name = 'insert_item'",
                           .columns = {Type::integer}};
  for (std::int64_t id = 1; id <= 3; ++id) {
    const auto answers = with.connection->run(
        {.begin = Begin::write, .calls = {item(id, "a", 1), {&prepared, {}}}, .commit = true});
    CHECK(answers.at(1) == Rows{{1}});
  }
}

TEST_CASE("a table that changes its columns under a prepared statement costs one connection") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    auto connection = database.connect();
    connection->run_script("CREATE TABLE t (a integer); INSERT INTO t VALUES (1)");
    const Statement all{.name = "all", .text = "SELECT * FROM t", .columns = {Type::integer}};
    CHECK(connection->run({.calls = {{&all, {}}}}) == std::vector<Rows>{{{1}}});
    connection->run_script("ALTER TABLE t ALTER a TYPE bigint");
    CHECK_THROWS_AS(connection->run({.calls = {{&all, {}}}}), SqlError);
    CHECK(connection->broken());
    connection = database.connect();
    CHECK(connection->run({.calls = {{&all, {}}}}) == std::vector<Rows>{{{1}}});
  }
}

TEST_CASE("what makes a session durable and lets go of silent clients is set for the session") {
  // Whatever comes from the configuration changes with it while the session lasts. Over a Unix
  // socket the tcp_ settings have no value.
  const Statement sources{
      .name = "sources",
      .text =
          "SELECT CASE WHEN inet_server_addr() IS NULL OR name = 'synchronous_commit' THEN ''"
          " ELSE current_setting(name) END, source FROM pg_settings WHERE name IN"
          " ('synchronous_commit', 'tcp_keepalives_idle', 'tcp_keepalives_interval',"
          " 'tcp_keepalives_count', 'tcp_user_timeout') ORDER BY name",
      .columns = {Type::text, Type::text}};
  for (auto database : postgresql_databases()) {
    database.options.tcp_user_timeout = 7s;
    const auto connection = database.connect();
    const Rows rows = connection->run({.calls = {{&sources, {}}}}).front();
    REQUIRE(rows.size() == 5);
    std::string values;
    for (const Row& row : rows) {
      CHECK(row[1] == Value("session"));
      values += std::get<std::string>(row[0]) + ' ';
    }
    const bool is_local = values == "     ";
    CHECK((is_local || values == " 3 10 5 7000 "));
  }
}

TEST_CASE("a session keeps UTC and waits for the disk, whatever the server's defaults are") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  const Statement setting{.name = "setting",
                          .text =
                              "SELECT current_setting('synchronous_commit'),"
                              " current_setting('TimeZone')",
                          .columns = {Type::text, Type::text}};
  for (const auto& [asked, expected] : {std::pair("off", "on"), std::pair("local", "local"),
                                        std::pair("remote_write", "remote_write")}) {
    const EmptyDatabase database{
        .name = "pipelined",
        .url = with_parameter(*server, "options",
                              std::string("-cTimeZone=Asia/Tokyo -csynchronous_commit=") + asked)};
    const auto connection = database.connect();
    CHECK(connection->run({.calls = {{&setting, {}}}}) == std::vector<Rows>{{{expected, "UTC"}}});
  }
}
