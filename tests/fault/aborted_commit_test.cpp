// COMMIT of a transaction that has failed: whatever the host does with the error that it was told,
// nobody hears that something was committed which was not.
#include "support/books.hpp"

#include <functional>

namespace accounting::testing {
namespace {

/// Makes every use of more than 1,000 credits fail in the database. On SQLite the trigger ends the
/// whole transaction, as a full disk would.
void refuse_large_uses(Books& books) {
  if (books.on_postgresql()) {
    books.tamper(
        "CREATE OR REPLACE FUNCTION refuse_large_use() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$; "
        "DROP TRIGGER IF EXISTS refuse_large_use ON usage_records; "
        "CREATE TRIGGER refuse_large_use BEFORE INSERT ON usage_records FOR EACH ROW "
        "WHEN (NEW.credits > 1000) EXECUTE FUNCTION refuse_large_use()");
  } else {
    books.tamper(
        "CREATE TRIGGER refuse_large_use BEFORE INSERT ON usage_records "
        "WHEN NEW.credits > 1000 BEGIN SELECT RAISE(ROLLBACK, 'refused'); END");
  }
}

void allow_large_uses(Books& books) {
  books.tamper(books.on_postgresql() ? "DROP TRIGGER refuse_large_use ON usage_records"
                                     : "DROP TRIGGER refuse_large_use");
}

/// Calls that were to commit what had failed, and how many of them raised an error.
struct Commits {
  int tried = 0;
  int raised = 0;

  /// Makes a call that is to end in a commit; what it came to.
  std::string of(const std::function<void()>& call) {
    ++tried;
    std::string outcome = outcome_of(call);
    raised += outcome == "ok" ? 0 : 1;
    return outcome;
  }
};

const ChargeRequest kLarge{"ada", "chat", "m", 2'000};

/// Deducts, then lets a charge fail in the database and keeps quiet about it.
void deduct_and_fail_quietly(Transaction& transaction) {
  transaction.credits().deduct({"ada", 100});
  CHECK(outcome_of([&] { transaction.credits().charge(kLarge); }) == "store_error");
}

void for_refusing_databases(const std::function<void(Books&, Commits&)>& test) {
  for_databases({Database::sqlite_file, Database::postgresql, Database::postgresql_unpipelined}, {},
                [&](Books& books) {
                  books.account("ada", 10'000);
                  refuse_large_uses(books);
                  Commits commits;
                  test(books, commits);
                  MESSAGE(to_string(books.database())
                          << ": " << commits.tried << " commits of a failed transaction tried, "
                          << commits.raised << " raised");
                  CHECK(commits.tried > 0);
                  CHECK(commits.raised == commits.tried);
                  CHECK(books.balance("ada") == 10'000);
                  CHECK(books.entries("ada").size() == 1);
                  allow_large_uses(books);
                  books.credits().charge(kLarge);
                  CHECK(books.balance("ada") == 8'000);
                });
}

}  // namespace

TEST_SUITE("commit of an aborted transaction") {
  TEST_CASE("a call alone") {
    for_refusing_databases([](Books& books, Commits& commits) {
      CHECK(commits.of([&] { books.credits().charge(kLarge); }) == "store_error");
      for (const auto& outcome : books.credits().charge_many({kLarge, kLarge})) {
        CHECK(commits.of([&] { static_cast<void>(outcome.value()); }) == "store_error");
      }
    });
  }

  TEST_CASE("transact whose work keeps quiet about the failure") {
    for_refusing_databases([](Books& books, Commits& commits) {
      int runs = 0;
      bool returned = false;
      CHECK(commits.of([&] {
        returned = books.accounting().transact([&](Transaction& transaction) {
          ++runs;
          deduct_and_fail_quietly(transaction);
          return true;
        });
      }) == "store_error");
      CHECK(runs == 1);
      CHECK_FALSE(returned);
    });
  }

  TEST_CASE("transact whose work goes on after the failure") {
    for_refusing_databases([](Books& books, Commits& commits) {
      CHECK(commits.of([&] {
        books.accounting().transact([&](Transaction& transaction) {
          deduct_and_fail_quietly(transaction);
          CHECK(outcome_of([&] { transaction.credits().deduct({"ada", 1}); }) == "store_error");
          CHECK(outcome_of([&] { static_cast<void>(transaction.credits().balance("ada")); }) ==
                "store_error");
        });
      }) == "store_error");
    });
  }

  TEST_CASE("a transaction that is committed all the same, again and again") {
    for_refusing_databases([](Books& books, Commits& commits) {
      Transaction transaction = books.accounting().transaction({"ada"});
      deduct_and_fail_quietly(transaction);
      CHECK(commits.of([&] { transaction.commit(); }) == "store_error");
      CHECK(commits.of([&] { transaction.commit(); }) == "store_error");
      transaction.rollback();
      CHECK(commits.of([&] { transaction.commit(); }) == "conflict");
    });
  }

  TEST_CASE("work that keeps quiet about a failure that passes is run again") {
    for_databases({Database::postgresql, Database::postgresql_unpipelined}, {}, [](Books& books) {
      books.account("ada", 1'000);
      books.tamper(
          "CREATE SEQUENCE IF NOT EXISTS serialized; SELECT setval('serialized', 1, false);"
          "CREATE OR REPLACE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ "
          "BEGIN IF nextval('serialized') = 1 THEN RAISE EXCEPTION USING ERRCODE = '40001';"
          " END IF; RETURN NEW; END $$; "
          "CREATE TRIGGER fail_once BEFORE INSERT ON usage_records FOR EACH ROW "
          "EXECUTE FUNCTION fail_once()");
      int runs = 0;
      books.accounting().transact([&](Transaction& transaction) {
        ++runs;
        transaction.credits().deduct({"ada", 100});
        outcome_of([&] { transaction.credits().charge({"ada", "chat", "m", 10}); });
      });
      MESSAGE(to_string(books.database()) << ": work that failed once ran " << runs << " times");
      CHECK(runs == 2);
      CHECK(books.balance("ada") == 890);
      CHECK(books.usage_of("ada").size() == 1);
      books.tamper("DROP TRIGGER fail_once ON usage_records");
    });
  }
}

}  // namespace accounting::testing
