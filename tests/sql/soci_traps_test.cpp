// The traps of SOCI and its databases that lose or duplicate money, one test each: the library
// must not suffer them, whatever the versions underneath do. Trap 10 has a file of its own.
#include "samples.hpp"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <limits>
#include <optional>
#include <thread>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;
using namespace std::chrono_literals;

namespace {

/// Sets environment variables for one test.
class Environment {
 public:
  Environment(const std::string& name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name.c_str())) {
      before_ = before;
    }
    setenv(name.c_str(), value.c_str(), 1);
    tzset();
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    if (before_) {
      setenv(name_.c_str(), before_->c_str(), 1);
    } else {
      unsetenv(name_.c_str());
    }
    tzset();
  }

 private:
  std::string name_;
  std::optional<std::string> before_;
};

Rows items_of(Connection& connection) {
  return connection.run({.calls = {{&select_items, {}}}}).at(0);
}

}  // namespace

TEST_CASE("trap 1: a statement used again with other rows stores each row once") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    connection->run({.begin = Begin::write,
                     .calls = {item(1, "a", 1), item(2, "b", 2), item(3, "c", 3)},
                     .commit = true});
    connection->run({.begin = Begin::write,
                     .calls = {item(4, "d", 4), item(5, "e", 5), item(6, "f", 6)},
                     .commit = true});
    CHECK(items_of(*connection) ==
          Rows{{1, "a", 1}, {2, "b", 2}, {3, "c", 3}, {4, "d", 4}, {5, "e", 5}, {6, "f", 6}});
  }
}

TEST_CASE("trap 2: the commit of a transaction that has failed raises") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}});
    // A failure behind the connection's back, which only the database knows of.
    if (database.postgresql()) {
      CHECK_THROWS_AS(connection->run_script("SELECT 1 / 0"), SqlError);
    } else {
      connection->run_script("ROLLBACK");
    }
    CHECK(kind_of([&] { connection->run({.commit = true}); }) == SqlErrorKind::commit_refused);
    connection->rollback();
    CHECK(count(*connection) == 0);
  }
}

TEST_CASE("trap 3: an id that INSERT … RETURNING answers is stored") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    const auto answers = connection->run({.calls = {{&insert_returning, {7, "a"}}}});
    CHECK(answers == std::vector<Rows>{{{7}}});
    CHECK(count(*database.connect()) == 1);

    // Its failure shows at the commit only, after the id was answered.
    connection->run_script(
        "CREATE TABLE parts (id integer PRIMARY KEY, item integer REFERENCES items (id)"
        " DEFERRABLE INITIALLY DEFERRED)");
    const Statement insert_part{.name = "insert_part",
                                .text = "INSERT INTO parts VALUES (1, 999) RETURNING id",
                                .columns = {Type::integer}};
    CHECK(kind_of([&] {
            connection->run({.calls = {{&insert_part, {}}}});
          }) == SqlErrorKind::constraint);
    CHECK_FALSE(connection->in_transaction());
    const Statement count_parts{
        .name = "count_parts", .text = "SELECT count(*) FROM parts", .columns = {Type::integer}};
    CHECK(connection->run({.calls = {{&count_parts, {}}}}) == std::vector<Rows>{{{0}}});
  }
}

TEST_CASE("trap 4: a SELECT that was read leaves no snapshot behind") {
  const auto database = sqlite_database();
  const auto reader = database.connect();
  const auto writer = database.connect();
  create_items(*writer);
  std::vector<Call> calls;
  for (std::int64_t id = 1; id <= 500; ++id) {
    calls.push_back(item(id, "a", id));
  }
  writer->run({.begin = Begin::write, .calls = calls, .commit = true});
  const Statement first{.name = "first",
                        .text = "SELECT id FROM items ORDER BY id LIMIT 1",
                        .columns = {Type::integer}};
  for (int round = 0; round < 3; ++round) {
    CHECK(items_of(*reader).size() == 500U + static_cast<unsigned>(round));
    CHECK(reader->run({.calls = {{&first, {}}}}) == std::vector<Rows>{{{1}}});
    writer->run({.calls = {item(1000 + round, "b", 1)}});
    writer->run_script("PRAGMA wal_checkpoint(TRUNCATE)");
    // Reads go on to see what is new, and the reader can write at once.
    CHECK(count(*reader) == 501 + round);
    const auto start = std::chrono::steady_clock::now();
    reader->run({.calls = {{&take_amount, {1000 + round, 1}}}});
    CHECK(std::chrono::steady_clock::now() - start < 1s);
  }
  // Only a log that nobody reads from shrinks to nothing.
  writer->run_script("PRAGMA wal_checkpoint(TRUNCATE)");
  const auto log = parse_database_url(database.url).path + "-wal";
  CHECK(std::filesystem::file_size(log) == 0);
}

TEST_CASE("trap 5: writers on SQLite wait for one another, also after a read") {
  const auto database = sqlite_database();
  const auto first = database.connect();
  create_items(*first);
  first->run({.calls = {item(1, "a", 0)}});
  first->run({.begin = Begin::write, .calls = {{&select_items, {}}}});
  std::thread second([&] {
    const auto connection = database.connect();
    const auto start = std::chrono::steady_clock::now();
    CHECK_NOTHROW(connection->run({.begin = Begin::write,
                                   .calls = {{&select_items, {}}, {&take_amount, {1, -1}}},
                                   .commit = true}));
    CHECK(std::chrono::steady_clock::now() - start >= 200ms);
  });
  std::this_thread::sleep_for(300ms);
  first->run({.calls = {{&take_amount, {1, -1}}}, .commit = true});
  second.join();
  CHECK(items_of(*first) == Rows{{1, "a", 2}});

  const Statement set_amount{.name = "set_amount",
                             .text = "UPDATE items SET amount = :amount WHERE id = 1",
                             .parameters = {{"amount", Type::integer}},
                             .touches_one_row = true};
  const auto count_up = [&] {
    const auto connection = database.connect();
    for (int round = 0; round < 100; ++round) {
      const auto rows = connection->run({.begin = Begin::write, .calls = {{&select_items, {}}}});
      const auto amount = std::get<std::int64_t>(rows.at(0).at(0).at(2));
      connection->run({.calls = {{&set_amount, {amount + 1}}}, .commit = true});
    }
  };
  std::thread left([&] { CHECK_NOTHROW(count_up()); });
  std::thread right([&] { CHECK_NOTHROW(count_up()); });
  left.join();
  right.join();
  CHECK(items_of(*first) == Rows{{1, "a", 202}});
}

TEST_CASE("trap 6: no error repeats a bound value") {
  const std::string secret = "sk_live_SECRET";
  const Statement cast{.name = "cast_text",
                       .text = "SELECT id FROM items WHERE NUMERIC(:text) = 1 OR id = 1",
                       .parameters = {{"text", Type::text}},
                       .columns = {Type::integer}};
  const Statement wrong_table{.name = "wrong_table",
                              .text = "SELECT id FROM nowhere WHERE name = :name",
                              .parameters = {{"name", Type::text}},
                              .columns = {Type::integer}};
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    connection->run_script("CREATE UNIQUE INDEX ON_name ON items (name)");
    connection->run({.calls = {item(1, secret, 1)}});
    std::vector<Call> calls = {
        item(2, secret, 1), item(3, "sk_live_SECRET 2", -5), {&wrong_table, {secret}}};
    if (database.postgresql()) {
      calls.push_back({&cast, {secret}});
      calls.push_back({&insert_full, {4, "x", 1, std::monostate{}, secret, 1, "1"}});
      calls.push_back({&insert_full, {4, "x", 1, std::monostate{}, "{}", 1, secret}});
    }
    for (const auto& call : calls) {
      const auto error = error_of([&] { connection->run({.calls = {call}}); });
      const std::string told = error.what() + error.state();
      CAPTURE(told);
      CHECK(told.find("SECRET") == std::string::npos);
      CHECK(told.find("sk_live") == std::string::npos);
      CHECK(told.find("INSERT") == std::string::npos);
    }
  }
}

TEST_CASE("trap 7: text is stored whole or refused, never cut") {
  const std::string long_text(1'000'000, 'x');
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    CHECK_THROWS_AS(connection->run({.calls = {item(1, std::string("ab\0cd", 5), 1)}}), SqlError);
    CHECK(count(*connection) == 0);
    connection->run({.calls = {item(1, long_text, 1), item(2, "", 2)}});
    CHECK(items_of(*connection) == Rows{{1, long_text, 1}, {2, "", 2}});
  }
}

TEST_CASE("trap 8: 64-bit numbers are exact, and too large ones refused") {
  const auto most = std::numeric_limits<std::int64_t>::max();
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    connection->run({.calls = {item(5'000'000'000, "a", 5'000'000'000), item(most, "b", most)}});
    const Rows expected = {{5'000'000'000, "a", 5'000'000'000}, {most, "b", most}};
    CHECK(items_of(*connection) == expected);
    const auto kind = kind_of([&] { connection->run({.calls = {{&take_amount, {most, -1}}}}); });
    CHECK((kind == SqlErrorKind::out_of_range || kind == SqlErrorKind::constraint));
    CHECK(items_of(*connection) == expected);
    const auto lowest = std::numeric_limits<std::int64_t>::min();
    connection->run({.calls = {item(lowest, "c", 0)}});
    CHECK(std::get<std::int64_t>(items_of(*connection).at(0).at(0)) == lowest);
  }
}

TEST_CASE("trap 9: instants are exact wherever client and server think they are") {
  const Environment client("TZ", "Asia/Tokyo");
  const Environment session("PGTZ", "America/New_York");
  const std::vector<std::pair<Timestamp, std::string>> instants = {
      {Timestamp(0us), "1970-01-01"},
      {std::chrono::sys_days(std::chrono::year{2026} / 1 / 1), "2026-01-01"},
      {std::chrono::sys_days(std::chrono::year{2026} / 1 / 1) - 1us, "2025-12-31"},
      {std::chrono::sys_days(std::chrono::year{2028} / 2 / 29) + 123'456us, "2028-02-29"},
      {std::chrono::sys_days(std::chrono::year{2026} / 3 / 29) + 2h + 30min, "2026-03-29"},
      {std::chrono::sys_days(std::chrono::year{10'000} / 1 / 1) - 1us, "9999-12-31"}};
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    std::int64_t id = 0;
    for (const auto& [instant, day] : instants) {
      connection->run({.calls = {{&insert_full, {++id, "a", 1, instant, "{}", 0, "1"}}}});
    }
    const auto rows = connection->run({.calls = {{&select_full, {}}}}).at(0);
    REQUIRE(rows.size() == instants.size());
    for (std::size_t index = 0; index < rows.size(); ++index) {
      CAPTURE(instants[index].second);
      CHECK(rows[index][3] == Value(instants[index].first.time_since_epoch().count()));
      CHECK(rows[index][4] == Value(instants[index].second));
    }
  }
}
