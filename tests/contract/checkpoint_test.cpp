// Signed checkpoints: what they say of books that were restored, cut short or rewritten.
#include "support/books.hpp"

#include <string>

namespace accounting::testing {
namespace {

// openssl genpkey -algorithm ed25519; openssl pkey -pubout
const std::string kPrivateKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";  // RFC 8037, A.1
const std::string kPublicKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n";
const std::string kOtherPublicKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"
    "-----END PUBLIC KEY-----\n";  // RFC 8032, 7.1, test 2

const std::vector<Database> kWritable = {Database::sqlite_file, Database::postgresql};

void trade(Books& books) {
  books.account("ada", 1'000);
  books.account("bob", 50);
  books.account("cy");
  for (int time = 0; time < 5; ++time) {
    books.credits().charge({.user_id = "ada", .service = "s", .operation = "o", .credits = 7});
  }
}

std::string problems_of(const CheckpointReport& report) {
  std::string text;
  for (const Problem& problem : report.problems) {
    text += problem.invariant + " " + problem.user_id + " " + problem.detail + "\n";
  }
  return text;
}

/// Lets the test write what triggers refuse.
std::string without_triggers(const Books& books, const std::string& sql) {
  return books.on_postgresql() ? "ALTER TABLE credit_entries DISABLE TRIGGER USER; " + sql +
                                     "; ALTER TABLE credit_entries ENABLE TRIGGER USER"
                               : "DROP TRIGGER credit_entries_are_not_updated; "
                                 "DROP TRIGGER credit_entries_are_not_deleted; " +
                                     sql;
}

}  // namespace

TEST_SUITE("checkpoints") {
  TEST_CASE("books fit their own checkpoint, now and after more work") {
    for_each_database([](Books& books) {
      trade(books);
      const std::string checkpoint = books.accounting().checkpoint(kPrivateKey);
      for (int round = 0; round < 2; ++round) {
        const CheckpointReport report =
            books.accounting().verify_checkpoint(checkpoint, kPublicKey);
        CHECK(report.ok);
        CHECK(report.accounts == 3);
        CHECK(report.entries == 7);
        CHECK(report.created_at == kStart);
        books.account("dan", 10);
        books.credits().deduct({.user_id = "bob", .credits = 1});
      }
    });
  }

  TEST_CASE("what was cut off, changed or left out since is named") {
    for_databases(kWritable, {}, [](Books& books) {
      trade(books);
      const std::string before = books.accounting().checkpoint(kPrivateKey);
      const auto problems = [&] {
        return problems_of(books.accounting().verify_checkpoint(before, kPublicKey));
      };
      const std::string actor = "UPDATE credit_entries SET actor = ";
      const std::string row = " WHERE user_id = 'ada' AND sequence = 2";
      books.tamper(without_triggers(books, actor + "'mallory'" + row));
      CHECK(problems() ==
            "chain ada credit_entries: the entries up to sequence 6 are not those of the "
            "checkpoint\n");
      CHECK_FALSE(books.accounting().verify().ok);
      if (books.on_postgresql()) {
        books.tamper(without_triggers(books, actor + "'host'" + row));
      } else {
        books.tamper(actor + "'host'" + row);
      }
      CHECK(problems().empty());
    });
  }

  TEST_CASE("an account that is gone is missed, also where its journal was left") {
    for_databases({Database::sqlite_file}, {}, [](Books& books) {
      trade(books);
      const std::string before = books.accounting().checkpoint(kPrivateKey);
      const auto problems = [&] {
        return problems_of(books.accounting().verify_checkpoint(before, kPublicKey));
      };
      books.tamper("CREATE TABLE kept AS SELECT * FROM user_accounts WHERE user_id = 'bob'");
      books.tamper("DELETE FROM user_accounts WHERE user_id = 'bob'");
      CHECK(problems() == "chain bob user_accounts: the account is in the checkpoint, not here\n");
      books.tamper("INSERT INTO user_accounts SELECT * FROM kept; DROP TABLE kept");
      CHECK(problems().empty());
    });
  }

  TEST_CASE("an older state of the books lacks what came after it") {
    for_databases(kWritable, {}, [](Books& books) {
      trade(books);
      const std::string checkpoint = books.accounting().checkpoint(kPrivateKey);
      Books older(Database::sqlite_file, Setup{});
      older.account("ada", 1'000);
      older.account("bob", 50);
      const CheckpointReport report = older.accounting().verify_checkpoint(checkpoint, kPublicKey);
      CHECK_FALSE(report.ok);
      CHECK(problems_of(report) ==
            "chain ada credit_entries: there are 1 entries, and the checkpoint has 6\n"
            "chain cy user_accounts: the account is in the checkpoint, not here\n");
    });
  }

  TEST_CASE("only an unchanged checkpoint, signed with the right key, is believed") {
    for_databases({Database::sqlite_memory}, {}, [](Books& books) {
      trade(books);
      const Accounting& accounting = books.accounting();
      const std::string good = accounting.checkpoint(kPrivateKey);
      const auto outcome = [&](const std::string& checkpoint, const std::string& key) {
        return outcome_of([&] { return accounting.verify_checkpoint(checkpoint, key); });
      };
      CHECK(outcome(good, kPublicKey) == "ok");
      CHECK(outcome(good, kOtherPublicKey) == "invalid_argument(checkpoint)");
      CHECK(outcome(good, kPrivateKey) == "invalid_argument(public_key)");
      CHECK(outcome(good, "") == "invalid_argument(public_key)");
      CHECK(outcome("", kPublicKey) == "invalid_argument(checkpoint)");
      CHECK(outcome("\n", kPublicKey) == "invalid_argument(checkpoint)");
      for (std::size_t at = 0; at < good.size(); at += 3) {
        std::string changed = good;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        CAPTURE(at);
        CHECK(outcome(changed, kPublicKey) == "invalid_argument(checkpoint)");
        CHECK(outcome(good.substr(0, at), kPublicKey) == "invalid_argument(checkpoint)");
      }
      CHECK(outcome_of([&] { return accounting.checkpoint(kPublicKey); }) ==
            "invalid_argument(private_key)");
      CHECK(outcome_of([&] { return accounting.checkpoint(""); }) ==
            "invalid_argument(private_key)");
    });
  }
}

}  // namespace accounting::testing
