// Bad input: what each wrong call is told, and that it changes nothing.
#include "errors/bad_input.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace accounting::testing {

void open_books_for_bad_input(Books& books) {
  books.account("ada", 120);
  books.account("bob", 10);
  books.give("bob", 1, 1);
  books.price("m", "1000");
  books.price("dear", "1000000000000000");
  books.sessions().initialize({"active", "ada", "m", 10});
  books.sessions().initialize({"ended", "ada", "m", 10});
  books.sessions().finalize({"ended", "ada", 19});
  books.sessions().initialize({"bobs", "bob", "m", 1});
  books.credits().deduct({"ada", 1, "used"});
  keys_of(books).create({"ada", "k", {"credits:read"}});
  REQUIRE(books.balance("ada") == 88);
}

void print_case(const std::string& what, const std::string& told) {
  const char* print = std::getenv("ACCOUNTING_PRINT_TABLE");
  if (print != nullptr && std::string(print) == "1") {
    std::cout << what << " -> " << told << '\n';
  }
}

namespace {

/// Everything that the public API shows of the books.
struct Fingerprint {
  struct Account {
    Balance balance;
    Page<CreditAllocation> history;
    std::vector<CreditEntry> entries;
    std::vector<UsageRecord> usage;
    UserStats stats;
    std::vector<StreamingSession> active;
    std::vector<ApiKey> keys;
    friend bool operator==(const Account&, const Account&) = default;
  };
  Page<UserAccount> accounts;
  std::map<std::string, Account> by_user;
  std::vector<StreamingSession> sessions;
  std::vector<PricingRule> prices;
  SystemStats stats;
  Page<AuditEntry> audit;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

Fingerprint fingerprint_of(Books& books) {
  Fingerprint print;
  print.accounts = books.accounts().list({.limit = 1'000});
  for (const auto& account : print.accounts.items) {
    const std::string& id = account.user_id;
    print.by_user[id] = {books.credits().balance(id),
                         books.credits().history({.user_id = id, .limit = 1'000}),
                         books.entries(id),
                         books.usage_of(id),
                         books.usage().user_stats({.user_id = id}),
                         books.sessions().active(id),
                         keys_of(books).list(id)};
  }
  for (const auto& [session, user] :
       {std::pair("active", "ada"), std::pair("ended", "ada"), std::pair("bobs", "bob")}) {
    print.sessions.push_back(books.sessions().get({session, user}));
  }
  print.prices = books.pricing().list();
  print.stats = books.usage().system_stats();
  print.audit = books.accounting().audit().list();
  return print;
}

/// The key "free" and the session id "free" can still be used; tried in a transaction that is
/// undone.
bool still_free(Books& books) {
  auto transaction = books.accounting().transaction({"ada"});
  const std::string outcome = outcome_of([&] {
    transaction.credits().deduct({"ada", 1, "free"});
    transaction.sessions().initialize({"free", "ada", "m", 3});
  });
  transaction.rollback();
  return outcome == "ok";
}

void check_all(Books& books, const std::vector<BadInput>& cases) {
  open_books_for_bad_input(books);
  const Fingerprint before = fingerprint_of(books);
  REQUIRE(still_free(books));
  for (const auto& [what, call, outcome] : cases) {
    CAPTURE(what);
    const std::string told = outcome_of([&, &call = call] { call(books); });
    CHECK(told == outcome);
    CHECK((fingerprint_of(books) == before));
    CHECK(still_free(books));
    if (books.database() == Database::sqlite_memory) {
      print_case(what, told);
    }
  }
}

void check_on_both(const std::vector<BadInput>& cases) {
  for_databases({Database::sqlite_memory, Database::sqlite_file, Database::postgresql}, {},
                [&](Books& books) { check_all(books, cases); });
}

}  // namespace

TEST_SUITE("bad input") {
  TEST_CASE("texts: empty, too long, with a NUL byte, not UTF-8") { check_on_both(bad_texts()); }

  TEST_CASE("numbers and instants out of their range") { check_on_both(bad_numbers()); }

  TEST_CASE("metadata that is no JSON, or too much of it") { check_on_both(bad_metadata()); }

  TEST_CASE("what is unknown, somebody else's, over, too dear or contradictory") {
    check_on_both(bad_state());
  }

  TEST_CASE("the table has its cases, each under its own name") {
    std::set<std::string> names;
    std::size_t count = 0;
    for (const auto& cases : {bad_texts(), bad_numbers(), bad_metadata(), bad_state()}) {
      count += cases.size();
      for (const auto& item : cases) {
        names.insert(item.what);
      }
    }
    CHECK(names.size() == count);
    CHECK(count >= 60);
    MESSAGE("cases of bad input: " << count);
  }

  TEST_CASE("two expiries name one of them") {
    for_databases({Database::sqlite_memory, Database::postgresql}, {}, [](Books& books) {
      open_books_for_bad_input(books);
      const Fingerprint before = fingerprint_of(books);
      const AllocateRequest base{
          .user_id = "ada", .credits = 1, .allocated_by = "x", .idempotency_key = "free"};
      auto days_and_instant = base;
      days_and_instant.expiry_days = 1;
      days_and_instant.expires_at = kStart + 1h;
      auto days_and_never = base;
      days_and_never.expiry_days = 1;
      days_and_never.never_expires = true;
      auto instant_and_never = base;
      instant_and_never.expires_at = kStart + 1h;
      instant_and_never.never_expires = true;
      for (const auto& request : {days_and_instant, days_and_never, instant_and_never}) {
        try {
          books.credits().allocate(request);
          FAIL_CHECK("allocated with two expiries");
        } catch (const InvalidArgument& error) {
          const std::set<std::string> expiries = {"expiry_days", "expires_at", "never_expires"};
          CHECK(expiries.contains(error.argument()));
        }
      }
      CHECK((fingerprint_of(books) == before));
      CHECK(still_free(books));
    });
  }

  TEST_CASE("prices that are no exact decimals of at least 0 are refused as they are written") {
    for (const char* text : {"",
                             " ",
                             "-1",
                             "+1",
                             "1e3",
                             "1,5",
                             "1.",
                             ".5",
                             "1..2",
                             "0x1",
                             "NaN",
                             "inf",
                             "0.00000000001",
                             "1000000000000000.1",
                             "1000000000000001",
                             "99999999999999999999999999",
                             "1 ",
                             " 1",
                             "1.5.5",
                             "\xD9\xA1"}) {
      CAPTURE(text);
      CHECK_THROWS_AS(Price{text}, InvalidArgument);
    }
    CHECK_THROWS_AS(Price{-1}, InvalidArgument);
    CHECK_THROWS_AS(Price{kMostCredits + 1}, InvalidArgument);
    CHECK_THROWS_AS(Price{std::numeric_limits<std::int64_t>::min()}, InvalidArgument);
    CHECK_THROWS_AS(Price(std::string("1\0002", 3)), InvalidArgument);
    CHECK(Price("1.50000000000000000000") == Price("1.5"));
    CHECK(Price("007") == Price(7));
  }

  TEST_CASE("error messages hold no value of the caller's but the one refused") {
    for_databases({Database::sqlite_memory, Database::postgresql}, {}, [](Books& books) {
      open_books_for_bad_input(books);
      for (const auto& cases : {bad_numbers(), bad_state()}) {
        for (const auto& [what, call, outcome] : cases) {
          CAPTURE(what);
          try {
            call(books);
          } catch (const AccountingError& error) {
            const std::string message = error.what();
            CHECK(message.size() > 5);
            CHECK_FALSE(error.retryable());
            CHECK(to_string(error.code()) == outcome.substr(0, outcome.find('(')));
            for (const char* leak :
                 {"SELECT", "INSERT", "UPDATE", "sqlite", "pq", "soci", ":user"}) {
              CAPTURE(leak);
              CHECK(message.find(leak) == std::string::npos);
            }
          }
        }
      }
    });
  }
}

}  // namespace accounting::testing
