// Databases that refuse: read-only, busy, newer than the library, out of connections.
#include "errors/bad_input.hpp"
#include "support/books.hpp"
#include "support/databases.hpp"
#include "support/tcp_proxy.hpp"

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace accounting::testing {
namespace {

/// Runs a call in a child process that is not root, whom file permissions would not bind, and
/// answers what it came to.
std::string outcome_as_nobody(const std::function<std::string()>& call) {
  int channel[2];
  REQUIRE(pipe(channel) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::string outcome = "cannot become nobody";
    constexpr uid_t kNobody = 65'534;
    if (geteuid() != 0 || (setgid(kNobody) == 0 && setuid(kNobody) == 0)) {
      try {
        outcome = call();
      } catch (const std::exception& error) {
        outcome = std::string("another exception: ") + error.what();
      }
    }
    const auto written = write(channel[1], outcome.data(), outcome.size());
    _exit(written < 0 ? 1 : 0);
  }
  close(channel[1]);
  std::string outcome;
  char buffer[256];
  for (ssize_t size = 0; (size = read(channel[0], buffer, sizeof buffer)) > 0;) {
    outcome.append(buffer, static_cast<std::size_t>(size));
  }
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? outcome : "the process died";
}

}  // namespace

TEST_SUITE("unavailable") {
  TEST_CASE("a read-only SQLite file is a StoreError, and nothing is written") {
    const TemporaryDirectory directory;
    const auto url = directory.sqlite_url();
    {
      auto accounting = Accounting::open({.database = url});
      accounting.accounts().sync({"ada", "e", "n"});
      accounting.credits().allocate({"ada", 10, "admin"});
    }
    namespace fs = std::filesystem;
    const auto file = directory.path() / "books.db";
    fs::permissions(file, fs::perms{0444});
    SUBCASE("in a read-only directory") { fs::permissions(directory.path(), fs::perms{0555}); }
    SUBCASE("in a directory that can be written to") {
      fs::permissions(directory.path(), fs::perms{0777});
    }
    const std::string outcome = outcome_as_nobody([&] {
      return outcome_of([&] {
        auto accounting = Accounting::open({.database = url});
        accounting.credits().deduct({"ada", 1});
      });
    });
    CHECK(outcome == "store_error");
    print_case("a read-only SQLite file", outcome);
    fs::permissions(directory.path(), fs::perms{0755});
    fs::permissions(file, fs::perms{0644});
    auto accounting = Accounting::open({.database = url});
    CHECK(accounting.credits().balance("ada").total_credits == 10);
    CHECK(accounting.credits().deduct({"ada", 1}).credits == 1);
    CHECK(accounting.verify().ok);
  }

  TEST_CASE("a server in read-only mode is a StoreError, and nothing is written") {
    for_databases({Database::postgresql, Database::postgresql_unpipelined}, {}, [](Books& books) {
      books.account("ada", 10);
      auto read_only = books.open_again_with("default_transaction_read_only", "on");
      CHECK(outcome_of([&] { read_only.credits().deduct({"ada", 1, "free"}); }) == "store_error");
      CHECK(read_only.credits().balance("ada").total_credits == 10);
      CHECK(books.credits().deduct({"ada", 1, "free"}).credits == 1);
    });
  }

  TEST_CASE("a schema newer than the library is MigrationError") {
    for_databases({Database::sqlite_file}, {}, [](Books& books) {
      books.account("ada", 10);
      books.tamper("INSERT INTO accounting_migrations VALUES (9999, 'future', 'checksum', 0)");
      const std::string told = outcome_of([&] { return books.open_again(); });
      CHECK(told == "migration_error");
      print_case("open: migrated by a newer library", told);
      books.tamper("DELETE FROM accounting_migrations WHERE version = 9999");
    });
    SUBCASE("PostgreSQL in a schema of its own") {
      if (!postgresql_url_or_skip()) {
        return;
      }
      const FreshSchema schema(*postgresql_url());
      Accounting::open({.database = schema.url(), .migrate = true});
      run_sql(schema.url(),
              "INSERT INTO accounting_migrations VALUES (9999, 'future', 'checksum', now())");
      for (const auto migrate :
           {std::optional<bool>(), std::optional(true), std::optional(false)}) {
        CHECK(outcome_of([&] {
                auto accounting = Accounting::open({.database = schema.url(), .migrate = migrate});
                accounting.accounts().sync({"ada", "e", "n"});
              }) == "migration_error");
      }
      CHECK(run_sql(schema.url(), "SELECT count(*) FROM user_accounts") == "0");
    }
  }

  TEST_CASE("where every connection is taken, a call waits pool_timeout and is retryable") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada", 10);
      Options options = books.options();
      options.pool_size = 1;
      options.pool_timeout = 200ms;
      auto narrow = Accounting::open(options);
      auto transaction = narrow.transaction();
      std::string outcome;
      bool retryable = false;
      std::jthread([&] {
        outcome = outcome_of([&] {
          try {
            static_cast<void>(narrow.credits().balance("ada"));
          } catch (const StoreError& error) {
            retryable = error.retryable();
            throw;
          }
        });
      }).join();
      CHECK(outcome == "store_error");
      CHECK(retryable);
      print_case("every connection is taken", outcome);
      transaction.rollback();
      CHECK(narrow.credits().balance("ada").total_credits == 10);
    });
  }

  TEST_CASE(
      "a server that turns the client away is asked once, one that is down until the deadline") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    const TcpProxy proxy(*url);
    const auto reason_of = [](const std::string& database) {
      try {
        Accounting::open({.database = database, .migrate = false, .call_timeout = 2s});
      } catch (const ConnectionLost& error) {
        return std::string(error.what());
      }
      return std::string("opened");
    };
    CHECK(reason_of(with_parameter(proxy.url(), "dbname", "no_such_database")) ==
          "no connection to the database could be made: the server knows no such database; nothing "
          "was changed");
    CHECK(proxy.round_trips() == 1);
    CHECK(reason_of(with_parameter(proxy.url(), "port", "1")) ==
          "no connection to the database could be made: nothing listens at the host and port; "
          "nothing was changed");
  }

  TEST_CASE("an account that stays locked is a retryable StoreError, and the key stays free") {
    for_databases({Database::sqlite_file, Database::postgresql, Database::postgresql_unpipelined},
                  {}, [](Books& books) {
                    books.account("ada", 10);
                    Options options = books.options();
                    options.lock_timeout = 200ms;
                    options.max_attempts = 1;
                    auto impatient = Accounting::open(options);
                    auto transaction = books.accounting().transaction({"ada"});
                    transaction.credits().deduct({"ada", 1});
                    bool retryable = false;
                    CHECK(outcome_of([&] {
                            try {
                              impatient.credits().deduct({"ada", 1, "free"});
                            } catch (const StoreError& error) {
                              retryable = error.retryable();
                              throw;
                            }
                          }) == "store_error");
                    CHECK(retryable);
                    transaction.commit();
                    CHECK(impatient.credits().deduct({"ada", 1, "free"}).credits == 1);
                    CHECK(books.balance("ada") == 8);
                  });
  }
}

}  // namespace accounting::testing
