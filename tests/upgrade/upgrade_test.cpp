// Databases of older versions, migrated: everything is as it was, and what is new continues it.
#include "old_database.hpp"
#include "support/long_run.hpp"

#include <chrono>
#include <string>

namespace accounting::testing {
namespace {

constexpr std::int64_t kNewest = 4;

/// Takes away what protects the journal, as only somebody can who rules over the database.
void unprotect_journal(const OldDatabase& old) {
  run_on(old.url(), old.on_postgresql()
                        ? "ALTER TABLE credit_entries DISABLE TRIGGER USER;"
                          "ALTER TABLE credit_entries DROP CONSTRAINT credit_entries_are_chained"
                        : "DROP TRIGGER credit_entries_are_not_updated");
}

void end_sessions(const Accounting& books) {
  for (const StreamingSession& session : books.sessions().all_active()) {
    CAPTURE(session.session_id);
    const Settlement settlement = books.sessions().finalize(
        {.session_id = session.session_id, .user_id = session.user_id, .actual_tokens = 13});
    CHECK(settlement.status == SessionStatus::completed);
    CHECK(settlement.allocated_credits == session.allocated_credits);
  }
}

}  // namespace

TEST_SUITE("upgrade") {
  TEST_CASE("an older database waits for migrate, and is the same afterwards") {
    for_each_old_database([](const OldDatabase& old) {
      Accounting books = old.open();
      CHECK(books.schema_version() == old.version());
      CHECK(books.health().pending_migrations == kNewest - old.version());
      CHECK(outcome_of([&] { return books.credits().balance("ada"); }) == "migration_error");
      CHECK(outcome_of([&] { return books.verify(); }) == "migration_error");
      CHECK(outcome_of([&] { return books.credits().deduct({"ada", 1}); }) == "migration_error");

      CHECK(books.migrate() == kNewest);
      CHECK(describe_history(books) == old.told("books.txt"));
      CHECK(replay_history(books) == old.told("answers.txt"));
      CHECK(describe_history(books) == old.told("books.txt"));
      check_books_balance(books);
      if (old.version() >= 2) {
        CHECK(books.api_keys().list("ada").size() == 2);
        CHECK(books.audit().list({.limit = 100}).total >= 8);
      }
    });
  }

  TEST_CASE("new entries continue the journals") {
    for_each_old_database([](const OldDatabase& old) {
      Accounting books = old.open();
      books.migrate();
      const auto before = books.credits().entries({.user_id = "ada", .limit = 1'000});
      CHECK(books.sessions().all_active().size() == 3);
      end_sessions(books);
      books.credits().charge(
          {.user_id = "ada", .service = "images", .operation = "new", .credits = 2});
      books.accounts().sync({.user_id = "new", .email = "e", .username = "n"});
      books.credits().allocate({.user_id = "new", .credits = 5, .allocated_by = "admin"});
      const auto after = books.credits().entries({.user_id = "ada", .limit = 1'000});
      REQUIRE(after.size() > before.size());
      for (std::size_t index = 0; index < after.size(); ++index) {
        const bool chained = index >= before.size() || old.version() >= 3;
        CHECK(after[index].hash.empty() == !chained);
      }
      check_books_balance(books);
    });
  }

  TEST_CASE("what is changed in an old entry is noticed") {
    for_each_old_database([](const OldDatabase& old) {
      {
        Accounting books = old.open();
        books.migrate();
        books.credits().deduct({.user_id = "ada", .credits = 1});
      }
      const std::string change = "UPDATE credit_entries SET actor = 'nobody' WHERE ";
      CHECK_THROWS(run_on(old.url(), change + "user_id = 'ada' AND sequence = 2"));
      unprotect_journal(old);
      // Who acted is part of no other invariant. To bob's journal nothing was added since.
      run_on(old.url(), change + "user_id = 'ada' AND sequence = 2");
      run_on(old.url(), change + "user_id = 'bob' AND sequence = 1");
      const VerifyReport report = old.open().verify();
      REQUIRE(report.problems.size() == 2);
      CHECK(report.problems[0].invariant == "chain");
      CHECK(report.problems[0].user_id == "ada");
      CHECK(report.problems[1].invariant == "chain");
      CHECK(report.problems[1].user_id == "bob");
    });
  }

  TEST_CASE("a big journal is migrated in time and memory that are told") {
    const std::int64_t accounts = 200;
    const std::int64_t entries = is_long_run() ? 1'000 : 50;
    for (const Database database : {Database::sqlite_file, Database::postgresql}) {
      if (!is_available_or_skip(database)) {
        continue;
      }
      const OldDatabase old(2, database);
      old.grow(accounts, entries);
      const ProcessEnd idle = end_of(start_process([&] {
        static_cast<void>(old.open().schema_version());
        return 0;
      }));
      const auto began = std::chrono::steady_clock::now();
      const ProcessEnd end =
          end_of(start_process([&] { return old.open().migrate() == kNewest ? 0 : 1; }));
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      CHECK(end.exit_code == 0);
      const VerifyReport report = old.open().verify();
      CHECK(report.ok);
      CHECK(report.entries > accounts * entries);
      MESSAGE("upgrade: " << report.entries << " entries of " << report.accounts << " accounts on "
                          << to_string(database) << " migrated in " << took.count()
                          << " s, peak memory " << end.peak_kilobytes / 1024
                          << " MB (a process that does nothing: " << idle.peak_kilobytes / 1024
                          << " MB)");
      // Journals are read in pieces: their length costs no memory. Sanitizers keep what was freed,
      // so that it says nothing there.
      if (!kSanitized) {
        CHECK(end.peak_kilobytes < idle.peak_kilobytes + 64 * 1024);
      }
    }
  }
}

}  // namespace accounting::testing
