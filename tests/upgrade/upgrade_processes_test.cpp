// Migrating while other processes are at work: of this version, of the older one, several that
// migrate, and one that is killed in the middle.
#include "old_database.hpp"
#include "support/long_run.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <string>
#include <thread>

namespace accounting::testing {
namespace {

constexpr std::int64_t kNewest = 4;

/// A process of this version that was started too early: it works as soon as it can. Tells
/// through the pipe that it has been refused, and answers 0 where nothing else went wrong.
int keep_calling(const OldDatabase& old, int told) {
  const Accounting books = old.open();
  const auto end = std::chrono::steady_clock::now() + 60s;
  int refused = 0;
  for (int done = 0; done < 20;) {
    if (std::chrono::steady_clock::now() > end) {
      return 4;
    }
    const std::string outcome = outcome_of([&] {
      return books.credits().charge(
          {.user_id = "ada", .service = "images", .operation = "early", .credits = 1});
    });
    if (outcome == "ok") {
      ++done;
    } else if (outcome != "migration_error" || done > 0) {
      return 2;
    } else if (++refused == 3) {
      static_cast<void>(!write(told, "!", 1));
    }
  }
  return refused >= 3 ? 0 : 3;
}

/// Whether the migrating session, which bears the name, waits for a lock.
bool waits_for_lock(const OldDatabase& old, const std::string& name) {
  return run_sql(old.url(),
                 "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                 "AND application_name = '" +
                     name + "'") == "1";
}

/// Waits for something to come true; false where it does not within a long time.
bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

/// Options for a migrator that can be recognized on the server.
Options named(const OldDatabase& old, const std::string& name) {
  Options options = old.options();
  if (old.on_postgresql()) {
    options.database = with_parameter(options.database, "application_name", name);
  }
  return options;
}

std::string unique_name(const OldDatabase& old) {
  return "migrator " + old.url().substr(old.url().size() - 12);
}

bool has_old_charge(const Accounting& books) {
  for (const UsageRecord& record : books.usage().list({.user_id = "ada", .limit = 1'000})) {
    if (record.operation == "old") {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_SUITE("upgrade beside other processes") {
  TEST_CASE("a process of this version that was early works once it is done") {
    for_each_old_database([](const OldDatabase& old) {
      old.grow(20, 100);
      int told[2];
      REQUIRE(pipe(told) == 0);
      const pid_t early = start_process([&] { return keep_calling(old, told[1]); });
      char byte = 0;
      REQUIRE(read(told[0], &byte, 1) == 1);
      Accounting books = old.open();
      CHECK(books.migrate() == kNewest);
      CHECK(end_of(early).exit_code == 0);
      check_books_balance(books);
      close(told[0]);
      close(told[1]);
    });
  }

  TEST_CASE(
      "an older process in a transaction is waited for, or migrate fails and can be repeated") {
    for_each_old_database([](const OldDatabase& old) {
      const std::vector<std::string> trips = old.old_charge();
      const PlainSession process(old.url());
      REQUIRE(process.run(trips[0]) == "");

      Options options = old.options();
      options.lock_timeout = 200ms;
      Accounting books = Accounting::open(options);
      try {
        books.migrate();
        FAIL_CHECK("migrate did not wait for the older process");
      } catch (const StoreError& error) {
        CHECK(error.retryable());
      }
      CHECK(books.schema_version() < kNewest);  // the migrations before that one may be done

      CHECK(process.run(trips[1]) == "");
      Accounting patient = old.open();
      CHECK(patient.migrate() == kNewest);
      CHECK(has_old_charge(books));
      check_books_balance(books);
    });
  }

  TEST_CASE("migrate goes on when the older process's transaction ends") {
    for_each_old_database([](const OldDatabase& old) {
      const std::vector<std::string> trips = old.old_charge();
      const PlainSession process(old.url());
      REQUIRE(process.run(trips[0]) == "");
      const std::string name = unique_name(old);
      Accounting books = Accounting::open(named(old, name));
      std::string outcome;
      std::thread migrating([&] { outcome = outcome_of([&] { return books.migrate(); }); });
      const bool waited =
          !old.on_postgresql() || comes_true([&] { return waits_for_lock(old, name); });
      const std::string stored = process.run(trips[1]);
      migrating.join();
      CHECK(waited);
      CHECK(stored == "");
      CHECK(outcome == "ok");
      CHECK(has_old_charge(books));
      check_books_balance(books);
    });
  }

  TEST_CASE("an older process that goes on afterwards is refused as a whole, or does no harm") {
    for_each_old_database([](const OldDatabase& old) {
      const std::vector<std::string> trips = old.old_charge();
      const PlainSession process(old.url());
      Accounting books = old.open();
      books.migrate();
      CHECK(process.run(trips[0]) == "");
      const std::string refusal = process.run(trips[1]);
      if (old.version() >= 3) {  // which continues the chain
        CHECK(refusal == "");
        CHECK(has_old_charge(books));
        check_books_balance(books);
        return;
      }
      CAPTURE(refusal);
      CHECK((refusal.find("credit_entries_are_chained") != std::string::npos ||
             refusal.find("carry a hash") != std::string::npos));
      process.run("ROLLBACK");
      CHECK_FALSE(has_old_charge(books));
      CHECK(describe_history(books) == old.told("books.txt"));
      check_books_balance(books);
    });
  }

  TEST_CASE("several processes migrate at once") {
    for_each_old_database([](const OldDatabase& old) {
      old.grow(20, 50);
      std::vector<pid_t> processes;
      for (int count = 0; count < 4; ++count) {
        processes.push_back(start_process([&] { return old.open().migrate() == kNewest ? 0 : 1; }));
      }
      for (const pid_t process : processes) {
        CHECK(end_of(process).exit_code == 0);
      }
      Accounting books = old.open();
      CHECK(describe_history(books) == old.told("books.txt"));
      check_books_balance(books);
    });
  }

  TEST_CASE("kill -9 of a migrator that is known to be in the middle") {
    if (!postgresql_url_or_skip()) {
      return;
    }
    for (const std::int64_t version : {1, 2, 3}) {
      const OldDatabase old(version, Database::postgresql);
      // Reads the journal, so that the migration stands still after its first statements.
      const PlainSession reader(old.url());
      REQUIRE(reader.run("BEGIN; LOCK TABLE credit_entries IN ACCESS SHARE MODE") == "");
      const std::string name = unique_name(old);
      const pid_t migrator =
          start_process([&] { return Accounting::open(named(old, name)).migrate(), 0; });
      CHECK(comes_true([&] { return waits_for_lock(old, name); }));
      kill(migrator, SIGKILL);
      CHECK(end_of(migrator).exit_code == -1);
      CHECK(reader.run("COMMIT") == "");
      Accounting books = old.open();
      CHECK(books.migrate() == kNewest);
      CHECK(describe_history(books) == old.told("books.txt"));
      check_books_balance(books);
    }
  }

  TEST_CASE("kill -9 of migrators at any moment, and then one that is left alone") {
    const int kills = is_long_run() ? 60 : 4;
    std::mt19937 random(20'260'101);
    for (const Database database : {Database::sqlite_file, Database::postgresql}) {
      if (!is_available_or_skip(database)) {
        continue;
      }
      std::chrono::microseconds whole = 0us;
      int in_the_middle = 0;
      int too_late = 0;
      std::unique_ptr<OldDatabase> old;
      for (int count = 0; count <= kills; ++count) {
        if (!old) {
          old = std::make_unique<OldDatabase>(1 + count % 3, database);
          old->grow(50, 100);
        }
        int ready[2];
        REQUIRE(pipe(ready) == 0);
        const pid_t migrator = start_process([&] {
          Accounting books = old->open();
          static_cast<void>(!write(ready[1], "!", 1));
          return books.migrate(), 0;
        });
        char byte = 0;
        REQUIRE(read(ready[0], &byte, 1) == 1);
        close(ready[0]);
        close(ready[1]);
        const auto began = std::chrono::steady_clock::now();
        if (count > 0) {  // the first is left alone, and tells how long it takes
          const int share = count == 1 ? 10 : static_cast<int>(random() % 100);
          std::this_thread::sleep_for(whole * share / 100);
          kill(migrator, SIGKILL);
        }
        const bool killed = end_of(migrator).exit_code == -1;
        if (count == 0) {
          whole = std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::steady_clock::now() - began);
        }
        Accounting books = old->open();
        const std::int64_t version = books.schema_version();
        in_the_middle += killed && version < kNewest ? 1 : 0;
        if (version == kNewest && count > 0) {
          ++too_late;
          whole = whole * 3 / 4;  // the machine has more time for it than at first
        }
        const bool last = count == kills;
        if (version < kNewest && last) {
          CHECK(books.migrate() == kNewest);
        }
        if (version == kNewest || last) {
          CHECK(describe_history(books) == old->told("books.txt"));
          check_books_balance(books);
          old.reset();
        }
      }
      MESSAGE("upgrade: " << kills << " migrators killed on " << to_string(database) << ", "
                          << in_the_middle << " before they were done, " << too_late << " after; "
                          << "one takes " << whole.count() / 1'000 << " ms");
      CHECK(in_the_middle > 0);
    }
  }
}

}  // namespace accounting::testing
