// Migrations: applied once, in order, whoever else does it at the same time; anything odd refused.
#include "samples.hpp"

#include "accounting/error.hpp"
#include "sql/migrator.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;

namespace {

constexpr Timestamp now = std::chrono::sys_days(std::chrono::year{2026} / 1 / 1);

constexpr const char* create_one = "CREATE TABLE one (id integer); INSERT INTO one VALUES (1);";
constexpr const char* create_two =
    "CREATE TABLE two (id integer); -- a comment; with a semicolon\nINSERT INTO two VALUES (2);";

const std::vector<EmbeddedMigration> first_only = {{1, "one", create_one, create_one}};
const std::vector<EmbeddedMigration> both = {{1, "one", create_one, create_one},
                                             {2, "two", create_two, create_two}};

const Statement sum{.name = "sum",
                    .text = "SELECT (SELECT sum(id) FROM one) + (SELECT sum(id) FROM two)",
                    .columns = {Type::integer}};

std::string refusal_of(Connection& connection, const std::vector<EmbeddedMigration>& migrations) {
  std::string status_says;
  std::string migrate_says;
  try {
    migration_status(connection, migrations);
  } catch (const MigrationError& error) {
    status_says = error.what();
  }
  try {
    migrate(connection, now, migrations);
  } catch (const MigrationError& error) {
    migrate_says = error.what();
  }
  CHECK(status_says == migrate_says);
  return migrate_says;
}

void check_status(Connection& connection, const std::vector<EmbeddedMigration>& migrations,
                  std::int64_t version, std::int64_t pending) {
  const auto status = migration_status(connection, migrations);
  CHECK(status.version == version);
  CHECK(status.pending == pending);
}

}  // namespace

TEST_CASE("an empty database is brought up to date, and again without effect") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    CHECK(database_is_empty(*connection));
    check_status(*connection, both, 0, 2);
    CHECK(database_is_empty(*connection));
    CHECK(migrate(*connection, now, both) == 2);
    check_status(*connection, both, 2, 0);
    CHECK_FALSE(database_is_empty(*connection));
    CHECK(migrate(*connection, now, both) == 2);
    CHECK(connection->run({.calls = {{&sum, {}}}}) == std::vector<Rows>{{{3}}});

    const Statement records{.name = "records",
                            .text =
                                "SELECT version, name, length(checksum), INSTANT_OF(applied_at)"
                                " FROM accounting_migrations ORDER BY version",
                            .columns = {Type::integer, Type::text, Type::integer, Type::instant}};
    const auto at = now.time_since_epoch().count();
    CHECK(connection->run({.calls = {{&records, {}}}}) ==
          std::vector<Rows>{{{1, "one", 64, at}, {2, "two", 64, at}}});
    const Statement locks{.name = "locks",
                          .text = "SELECT name FROM accounting_locks ORDER BY name",
                          .columns = {Type::text}};
    CHECK(connection->run({.calls = {{&locks, {}}}}) ==
          std::vector<Rows>{{{"migrations"}, {"pricing"}}});
  }
}

TEST_CASE("a newer library adds what is new, and an older one refuses") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    CHECK(migrate(*connection, now, first_only) == 1);
    check_status(*connection, both, 1, 1);
    CHECK(migrate(*connection, now, both) == 2);
    const auto refusal = refusal_of(*connection, first_only);
    CHECK(refusal.find("version 2") != std::string::npos);
    CHECK(refusal.find("newer library") != std::string::npos);
  }
}

TEST_CASE("a migration that was applied with another content is refused") {
  const std::vector<EmbeddedMigration> edited = {
      {1, "one", "CREATE TABLE one (id bigint)", "CREATE TABLE one (id INT)"},
      {2, "two", create_two, create_two}};
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    migrate(*connection, now, first_only);
    CHECK(refusal_of(*connection, edited).find("migration 1 (one)") != std::string::npos);
    // Only what this database was given counts.
    auto other_dialect = first_only;
    (database.postgresql() ? other_dialect[0].sqlite : other_dialect[0].postgresql) = "other";
    check_status(*connection, other_dialect, 1, 0);
  }
}

TEST_CASE("a gap in what is recorded is refused") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    migrate(*connection, now, both);
    connection->run_script("DELETE FROM accounting_migrations WHERE version = 1");
    const auto refusal = refusal_of(*connection, both);
    CHECK(refusal.find("migration 1 (one) is missing") != std::string::npos);
  }
}

TEST_CASE("a migration that fails leaves nothing of itself") {
  const char* broken = "CREATE TABLE two (id integer); INSERT INTO nowhere VALUES (1);";
  const std::vector<EmbeddedMigration> fails = {{1, "one", create_one, create_one},
                                                {2, "two", broken, broken}};
  const std::vector<EmbeddedMigration> ends_itself = {{1, "one", create_one, create_one},
                                                      {2, "two", "COMMIT", "COMMIT"}};
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    CHECK_THROWS_AS(migrate(*connection, now, fails), MigrationError);
    CHECK_FALSE(connection->in_transaction());
    check_status(*connection, both, 1, 1);
    CHECK_THROWS_AS(migrate(*connection, now, ends_itself), MigrationError);
    CHECK(migrate(*connection, now, both) == 2);
    CHECK(connection->run({.calls = {{&sum, {}}}}) == std::vector<Rows>{{{3}}});
  }
}

TEST_CASE("threads that migrate at once apply everything once") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    for (int round = 0; round < 5; ++round) {
      const auto fresh = database.postgresql() ? database : sqlite_database();
      if (fresh.postgresql()) {
        fresh.connect()->run_script(
            "DROP TABLE IF EXISTS one, two, accounting_migrations,"
            " accounting_locks");
      }
      std::vector<std::thread> threads;
      for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&] {
          const auto connection = fresh.connect();
          CHECK(migrate(*connection, now, both) == 2);
        });
      }
      for (auto& thread : threads) {
        thread.join();
      }
      CHECK(fresh.connect()->run({.calls = {{&sum, {}}}}) == std::vector<Rows>{{{3}}});
    }
  }
}

TEST_CASE("processes that migrate at once apply everything once") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    std::vector<pid_t> children;
    for (int child = 0; child < 4; ++child) {
      std::cout << std::flush;
      const auto process = fork();
      if (process == 0) {
        int result = 1;
        try {
          result = migrate(*database.connect(), now, both) == 2 ? 0 : 1;
        } catch (...) {
        }
        _exit(result);
      }
      children.push_back(process);
    }
    for (const auto child : children) {
      int status = -1;
      waitpid(child, &status, 0);
      CHECK(status == 0);
    }
    CHECK(database.connect()->run({.calls = {{&sum, {}}}}) == std::vector<Rows>{{{3}}});
  }
}

TEST_CASE("bookkeeping that others create at the same moment is no error") {
  // Without the advisory lock, as on databases that ignore it.
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    const auto other = database.connect();
    other->run({.begin = Begin::write});
    other->run_script(
        "CREATE TABLE accounting_migrations (version bigint PRIMARY KEY, name text NOT NULL,"
        " checksum text NOT NULL, applied_at timestamptz NOT NULL);"
        "CREATE TABLE accounting_locks (name text PRIMARY KEY);"
        "INSERT INTO accounting_locks (name) VALUES ('migrations'), ('pricing')");
    std::thread finishes([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      other->run({.commit = true});
    });
    CHECK(migrate(*connection, now, both) == 2);
    finishes.join();
  }
}

TEST_CASE("the status needs no permission to write") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    migrate(*connection, now, first_only);
    connection->run_script("SET default_transaction_read_only = on");
    check_status(*connection, both, 1, 1);
    CHECK(migrate(*connection, now, first_only) == 1);
    CHECK(kind_of([&] { migrate(*connection, now, both); }) == SqlErrorKind::read_only);
  }
}

TEST_CASE("tables that were there before are not taken over") {
  const char* clashes = "CREATE TABLE user_accounts (id integer)";
  const std::vector<EmbeddedMigration> migrations = {{1, "ledger", clashes, clashes}};
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    connection->run_script("CREATE TABLE user_accounts (id integer)");
    CHECK_FALSE(database_is_empty(*connection));
    CHECK(migration_status(*connection, migrations).version == 0);
    CHECK_THROWS_AS(migrate(*connection, now, migrations), MigrationError);
  }
}

TEST_CASE("a table of any of the library's names is refused, and nothing is changed") {
  const Statement tables{.name = "tables",
                         .text =
                             "SELECT tablename::text FROM pg_tables WHERE schemaname ="
                             " current_schema() AND tablename NOT LIKE 'accounting_%' ORDER BY 1",
                         .columns = {Type::text}};
  const Statement tables_sqlite{.name = "tables",
                                .text =
                                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                                    " AND name NOT LIKE 'accounting_%' ORDER BY name",
                                .columns = {Type::text}};
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    const auto& own = database.postgresql() ? tables : tables_sqlite;
    const auto made = database.connect();
    const auto names_of = [&](Connection& connection) {
      std::vector<std::string> names;
      const auto answers = connection.run({.calls = {{&own, {}}}});
      for (const auto& row : answers.at(0)) {
        names.push_back(std::get<std::string>(row.at(0)));
      }
      return names;
    };
    migrate(*made, now);
    const auto names = names_of(*made);
    CHECK(names.size() >= 11);

    const auto fresh = database.postgresql() ? postgresql_databases().front() : sqlite_database();
    const auto connection = fresh.connect();
    for (const auto& name : names) {
      CAPTURE(name);
      connection->run_script("CREATE TABLE " + name + " (id integer)");
      CHECK_THROWS_AS(migrate(*connection, now), MigrationError);
      CHECK(names_of(*connection) == std::vector<std::string>{name});
      CHECK(migration_status(*connection).version == 0);
      connection->run_script("DROP TABLE " + name);
    }
    CHECK(migrate(*connection, now) == embedded_migrations().back().version);
  }
}
