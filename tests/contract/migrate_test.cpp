// Migrations: an empty SQLite database is set up on open, a server's only when asked.
#include "support/books.hpp"
#include "support/databases.hpp"

#include <optional>
#include <string>

namespace accounting::testing {
namespace {

/// Runs a test on a database that nobody has opened yet; `url` may be opened several times.
void for_each_empty_database(const std::function<void(const std::string& url)>& test) {
  SUBCASE("SQLite file") {
    const TemporaryDirectory directory;
    test(directory.sqlite_url());
  }
  SUBCASE("PostgreSQL") {
    if (postgresql_url_or_skip()) {
      const FreshSchema schema(*postgresql_url());
      test(schema.url());
    }
  }
}

bool works(Accounting& accounting) {
  accounting.accounts().sync({.user_id = "ada", .email = "e", .username = "n"});
  return accounting.accounts().get("ada").user_id == "ada";
}

}  // namespace

TEST_SUITE("migrate") {
  TEST_CASE("an empty SQLite database is set up on open") {
    auto in_memory = Accounting::open({.database = "sqlite://"});
    CHECK(works(in_memory));
    CHECK(in_memory.schema_version() >= 1);
    auto also_in_memory = Accounting::open({.database = "sqlite:///:memory:"});
    CHECK(also_in_memory.accounts().list().total == 0);
    const TemporaryDirectory directory;
    auto file = Accounting::open({.database = directory.sqlite_url()});
    CHECK(works(file));
    CHECK(file.schema_version() == in_memory.schema_version());
  }

  TEST_CASE("with migrate a new database is ready at once, and stays ready") {
    for_each_empty_database([](const std::string& url) {
      for (int time = 0; time < 2; ++time) {
        auto accounting = Accounting::open({.database = url, .migrate = true});
        CHECK(works(accounting));
        const auto version = accounting.schema_version();
        CHECK(version >= 1);
        CHECK(accounting.migrate() == version);
        CHECK(accounting.health().pending_migrations == 0);
      }
      auto as_it_is = Accounting::open({.database = url, .migrate = false});
      CHECK(as_it_is.accounts().list().total == 1);
    });
  }

  TEST_CASE("without it nothing is set up: calls say that the schema is missing") {
    for_each_empty_database([](const std::string& url) {
      const std::string outcome = outcome_of([&] {
        auto accounting = Accounting::open({.database = url, .migrate = false});
        works(accounting);
      });
      CHECK(outcome == "migration_error");
      auto accounting = Accounting::open({.database = url, .migrate = true});
      CHECK(works(accounting));
    });
  }

  TEST_CASE("an empty server database is left as it is unless asked for") {
    if (!postgresql_url_or_skip()) {
      return;
    }
    const FreshSchema schema(*postgresql_url());
    CHECK(outcome_of([&] {
            auto accounting = Accounting::open({.database = schema.url()});
            works(accounting);
          }) == "migration_error");
    CHECK(run_sql(schema.url(),
                  "SELECT count(*) FROM pg_class "
                  "WHERE relnamespace = current_schema()::regnamespace") == "0");
  }

  TEST_CASE("several may migrate at once") {
    for_each_empty_database([](const std::string& url) {
      in_threads(6, [&](int) {
        auto accounting = Accounting::open({.database = url, .migrate = true});
        if (!works(accounting)) {
          throw std::logic_error("not set up");
        }
      });
      auto accounting = Accounting::open({.database = url});
      CHECK(accounting.accounts().list().total == 1);
      CHECK(accounting.verify().ok);
    });
  }

  TEST_CASE("a schema that is newer than the library is refused, and left alone") {
    for_databases({Database::sqlite_file}, {}, [](Books& books) {
      books.account("ada", 10);
      books.tamper(
          "INSERT INTO accounting_migrations VALUES (9999, 'from the future', 'checksum', 0)");
      CHECK(outcome_of([&] { return books.open_again(); }) == "migration_error");
      books.tamper("DELETE FROM accounting_migrations WHERE version = 9999");
      CHECK(outcome_of([&] { return books.open_again(); }) == "ok");
    });
  }

  TEST_CASE("a schema whose history was changed is refused") {
    for_databases({Database::sqlite_file}, {}, [](Books& books) {
      books.tamper("UPDATE accounting_migrations SET checksum = 'other' WHERE version = 1");
      CHECK(outcome_of([&] { return books.open_again(); }) == "migration_error");
    });
  }

  TEST_CASE("books that are closed refuse calls, in peace") {
    for_each_database([](Books& books) {
      if (!books.can_open_again()) {
        return;
      }
      auto others = books.open_again();
      auto accounts = others.accounts();
      others.close();
      others.close();
      CHECK(outcome_of([&] { return accounts.list(); }) == "conflict");
      CHECK(outcome_of([&] { others.transact([](Transaction&) {}); }) == "conflict");
      CHECK(books.accounts().list().total == 0);
    });
  }

  TEST_CASE("handles keep the books open") {
    for_each_database([](Books& books) {
      if (!books.can_open_again()) {
        return;
      }
      std::optional<Credits> credits;
      {
        auto others = books.open_again();
        others.accounts().sync({.user_id = "ada", .email = "e", .username = "n"});
        credits = others.credits();
        auto moved = std::move(others);
      }
      CHECK(credits->balance("ada").total_credits == 0);
    });
  }
}

}  // namespace accounting::testing
