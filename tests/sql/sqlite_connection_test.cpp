// SQLite files: which can be opened, which only read.
#include "samples.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <barrier>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;

TEST_CASE("SQLite opens paths with spaces, and memory, as they are meant") {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "two  words = 'x'" / "my books.db";
  std::filesystem::create_directories(file.parent_path());
  const auto url = "sqlite:///" + file.string();
  const EmptyDatabase named{.name = "sqlite", .url = url};
  const auto connection = named.connect();
  create_items(*connection);
  CHECK(std::filesystem::exists(file));
  CHECK(std::filesystem::exists(file.string() + "-wal"));

  const EmptyDatabase memory{.name = "sqlite", .url = "sqlite://"};
  const auto first = memory.connect();
  const auto second = memory.connect();
  create_items(*first);
  create_items(*second);
  first->run({.calls = {item(1, "a", 1)}});
  CHECK(count(*first) == 1);
  CHECK(count(*second) == 0);
}

TEST_CASE("a file that is no SQLite database, and a folder that is not there, cannot be opened") {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "letter.txt";
  std::ofstream(file) << std::string(4096, 'x');
  const EmptyDatabase letter{.name = "sqlite", .url = "sqlite:///" + file.string()};
  CHECK(kind_of([&] { static_cast<void>(letter.connect()); }) == SqlErrorKind::cannot_open);
  const EmptyDatabase nowhere{.name = "sqlite", .url = directory.sqlite_url("no/such/folder.db")};
  CHECK(kind_of([&] { static_cast<void>(nowhere.connect()); }) == SqlErrorKind::cannot_open);
}

TEST_CASE("a file that cannot be written is read, and a write says why it is refused") {
  const auto database = sqlite_database();
  const std::filesystem::path file = parse_database_url(database.url).path;
  {
    const auto connection = database.connect();
    create_items(*connection);
    connection->run({.calls = {item(1, "a", 1)}});
    // Without a log beside it, the file alone is the database.
    connection->run_script("PRAGMA journal_mode = DELETE");
  }
  chmod(file.c_str(), 0444);
  chmod(file.parent_path().c_str(), 0555);
  const bool was_root = geteuid() == 0;
  REQUIRE((!was_root || seteuid(65'534) == 0));  // root may write anything
  {
    const auto connection = database.connect();
    CHECK(count(*connection) == 1);
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write, .calls = {item(2, "b", 2)}, .commit = true});
          }) == SqlErrorKind::read_only);
    connection->rollback();
    CHECK(count(*connection) == 1);
  }
  REQUIRE((!was_root || seteuid(0) == 0));
  chmod(file.parent_path().c_str(), 0755);
}

TEST_CASE("several connections that open a new file at once do not disturb one another") {
  // SQLite itself refuses about one in four hundred of them, without waiting.
  constexpr int connections = 12;
  for (int round = 0; round < 60; ++round) {
    const auto database = sqlite_database();
    std::barrier start(connections);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < connections; ++thread) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        CHECK_NOTHROW(database.connect()->run_script("CREATE TABLE IF NOT EXISTS t (a INTEGER)"));
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
  }
}

TEST_CASE("a session waits for the disk and keeps its foreign keys") {
  const Statement settings{.name = "settings",
                           .text =
                               "SELECT (SELECT synchronous FROM pragma_synchronous),"
                               " (SELECT foreign_keys FROM pragma_foreign_keys),"
                               " (SELECT trusted_schema FROM pragma_trusted_schema)",
                           .columns = {Type::integer, Type::integer, Type::integer}};
  const auto database = sqlite_database();
  const auto connection = database.connect();
  CHECK(connection->run({.calls = {{&settings, {}}}}) == std::vector<Rows>{{{2, 1, 0}}});
}

TEST_CASE("a full database says so, keeps what it has, and goes on once there is room") {
  const auto database = sqlite_database();
  const auto connection = database.connect();
  create_items(*connection);
  connection->run({.calls = {item(1, "a", 1)}});
  connection->run_script("PRAGMA max_page_count = 20");
  const Trip trip{.begin = Begin::write,
                  .calls = {item(2, "b", 1), item(3, std::string(200'000, 'x'), 1)},
                  .commit = true};
  CHECK(kind_of([&] { connection->run(trip); }) == SqlErrorKind::full);
  CHECK_THROWS_AS(connection->run({.commit = true}), SqlError);
  connection->rollback();
  CHECK(count(*connection) == 1);
  connection->run_script("PRAGMA max_page_count = 1000");
  connection->run(trip);
  CHECK(count(*connection) == 3);
}
