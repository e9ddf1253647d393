// Migrating while other processes are at work: of this version, of the older one, several that
// migrate, and one that is killed in the middle.
#include "old_charges.hpp"
#include "old_database.hpp"
#include "support/long_run.hpp"

#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <random>
#include <set>
#include <string>
#include <thread>

namespace accounting::testing {
namespace {

constexpr std::int64_t kNewest = 4;

/// A process of this version that was started too early: it works as soon as it can. Tells
/// each time that it is refused, and answers 0 where nothing else went wrong.
int keep_calling(const OldDatabase& old, const Pipe& told) {
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
    } else {
      ++refused;
      told.tell('!');
      std::this_thread::sleep_for(1ms);
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

/// Where migrate is, as far as the older process has been told.
enum class When { before, meanwhile, after };
constexpr std::array kMoments = {When::before, When::meanwhile, When::after};

/// A charge of the older process that has been answered; refused where a text says why.
struct Answered {
  int number = 0;
  When when = When::before;
  std::array<char, 160> refusal{};
};

/// An older process that makes one charge after the other, tells of each, and ends some charges
/// after it was told that migrate has returned.
int keep_charging(const OldDatabase& old, const Pipe& orders, const Pipe& answers) {
  constexpr int most = 140;  // and the last ones: ada's credits are enough for so many
  constexpr int last_ones = 10;
  const OldCharges charges(old);
  When when = When::before;
  int left = last_ones;
  for (int number = 1; left > 0; ++number) {
    const bool waits = number > most && when != When::after;
    if (orders.can_hear(waits ? -1ms : 3ms)) {
      const auto order = orders.hear<When>();
      if (!order) {
        return when == When::after ? 0 : 1;  // nobody is there any more
      }
      when = *order;
    }
    Answered answered{.number = number, .when = when};
    charges.make(number).copy(answered.refusal.data(), answered.refusal.size() - 1);
    answers.tell(answered);
    left -= when == When::after ? 1 : 0;
  }
  return 0;
}

/// How many charges were made at that time, or refused.
std::int64_t count(const std::vector<Answered>& answers, When when, bool refused) {
  return std::ranges::count_if(answers, [&](const Answered& each) {
    return each.when == when && (each.refusal[0] != '\0') == refused;
  });
}

std::int64_t old_charges_in(const Accounting& books) {
  return std::ranges::count(books.usage().list({.user_id = "ada", .limit = 1'000}), "old",
                            &UsageRecord::operation);
}

/// Once the database refuses an older process it does so for good, and for that reason only.
void check_refusals(const OldDatabase& old, const std::vector<Answered>& answers) {
  bool refuses = false;
  for (const Answered& each : answers) {
    CAPTURE(each.number);
    const std::string refusal = each.refusal.data();
    CAPTURE(refusal);
    CHECK((refusal.empty() || is_too_old(refusal)));
    CHECK((!refuses || !refusal.empty()));
    refuses = !refusal.empty();
  }
  CHECK(count(answers, When::before, true) == 0);
  // Since version 3 they continue the chain, as the newest does.
  CHECK(count(answers, When::after, old.version() < 3) > 0);
  CHECK(count(answers, When::after, old.version() >= 3) == 0);
}

/// Each charge that was acknowledged is there once, with its key; no other one is.
void check_acknowledged(const Accounting& books, const std::vector<Answered>& answers) {
  std::int64_t acknowledged = 0;
  for (const When when : kMoments) {
    acknowledged += count(answers, when, false);
  }
  CHECK(old_charges_in(books) == acknowledged);
  std::set<std::int64_t> records;
  for (const Answered& each : answers) {
    if (each.refusal[0] == '\0') {
      CAPTURE(each.number);
      const Charge again = books.credits().charge(old_request(each.number));
      CHECK(again.usage_record.timestamp == history_end());
      records.insert(again.usage_record.id);
    }
  }
  CHECK(static_cast<std::int64_t>(records.size()) == acknowledged);
  CHECK(old_charges_in(books) == acknowledged);  // so each was answered, and none made again
}

std::string unique_name(const OldDatabase& old) {
  return "migrator " + old.url().substr(old.url().size() - 12);
}

bool has_old_charge(const Accounting& books) { return old_charges_in(books) > 0; }

}  // namespace

TEST_SUITE("upgrade beside other processes") {
  TEST_CASE("a process of this version that was early works once it is done") {
    for_each_old_database([](const OldDatabase& old) {
      old.grow(20, 100);
      Pipe told;
      const pid_t early = start_process([&] {
        told.keep_writing();
        return keep_calling(old, told);
      });
      told.keep_reading();
      int refused = 0;
      while (refused < 3 && told.hear<char>()) {
        ++refused;
      }
      REQUIRE(refused == 3);
      Accounting books = old.open();
      CHECK(books.migrate() == kNewest);
      while (told.hear<char>()) {
        ++refused;
      }
      CHECK(end_of(early).exit_code == 0);
      MESSAGE("upgrade: " << old.name() << ", " << refused << " early calls refused, then 20 made");
      check_books_balance(books);
    });
  }

  TEST_CASE(
      "an older process in a transaction is waited for, or migrate fails and can be repeated") {
    for_each_old_database([](const OldDatabase& old) {
      const std::vector<std::string> trips = old.old_charge();
      const PlainSession process(old.url());
      REQUIRE(process.run(trips[0]) == "");

      Options options = old.options();
      options.lock_timeout = 200ms;  // on SQLite a whole second
      options.max_attempts = 2;
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
      std::promise<void> beginning;
      std::future<std::string> migrating = std::async(std::launch::async, [&] {
        beginning.set_value();
        return outcome_of([&] { return books.migrate(); });
      });
      beginning.get_future().wait();
      if (old.on_postgresql()) {
        CHECK(comes_true([&] { return waits_for_lock(old, name); }));
      }
      // On SQLite nobody can see it wait; it would have been done long ago.
      CHECK(migrating.wait_for(old.on_postgresql() ? 0ms : 300ms) == std::future_status::timeout);
      const std::string stored = process.run(trips[1]);
      const std::string outcome = migrating.get();
      CHECK(stored == "");
      CHECK(outcome == "ok");
      CHECK(has_old_charge(books));
      check_books_balance(books);
    });
  }

  TEST_CASE("an older process that goes on charging loses nothing that was acknowledged") {
    for_each_old_database([](const OldDatabase& old) {
      old.grow(20, 100);
      Pipe orders;
      Pipe told;
      const pid_t process = start_process([&] {
        orders.keep_reading();
        told.keep_writing();
        return keep_charging(old, orders, told);
      });
      told.keep_reading();
      std::vector<Answered> answers;
      const auto hear = [&] {
        const auto answered = told.hear<Answered>();
        if (answered) {
          answers.push_back(*answered);
        }
        return answered.has_value();
      };
      while (answers.size() < 5 && hear()) {
      }
      REQUIRE(answers.size() == 5);
      Accounting books = old.open();
      orders.tell(When::meanwhile);
      CHECK(books.migrate() == kNewest);
      orders.tell(When::after);
      while (hear()) {
      }
      CHECK(end_of(process).exit_code == 0);
      MESSAGE("upgrade: " << old.name() << ", an older process charged "
                          << count(answers, When::before, false) << " times before migrate, "
                          << count(answers, When::meanwhile, false) << " beside it ("
                          << count(answers, When::meanwhile, true) << " refused) and "
                          << count(answers, When::after, false) << " after it ("
                          << count(answers, When::after, true) << " refused)");
      CHECK(count(answers, When::before, false) > 0);
      check_refusals(old, answers);
      check_acknowledged(books, answers);
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
      CHECK(is_too_old(refusal));
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
      Pipe ready;
      Pipe start;
      for (int number = 0; number < 4; ++number) {
        processes.push_back(start_process([&] {
          start.keep_reading();
          ready.keep_writing();
          Accounting books = old.open();
          const bool is_early = books.schema_version() == old.version();
          ready.tell('!');
          static_cast<void>(start.hear<char>());
          return books.migrate() == kNewest && is_early ? 0 : 1;
        }));
      }
      ready.keep_reading();
      for (std::size_t number = 0; number < processes.size(); ++number) {
        CHECK((ready.can_hear(60s) && ready.hear<char>()));
      }
      for (std::size_t number = 0; number < processes.size(); ++number) {
        start.tell('!');
      }
      for (const pid_t process : processes) {
        CHECK(end_of(process).exit_code == 0);
      }
      MESSAGE("upgrade: " << old.name() << ", " << processes.size()
                          << " migrators at once, each of which found it to do");
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
        Pipe ready;
        const pid_t migrator = start_process([&] {
          ready.keep_writing();
          Accounting books = old->open();
          ready.tell('!');
          return books.migrate(), 0;
        });
        ready.keep_reading();
        REQUIRE(ready.hear<char>());
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
