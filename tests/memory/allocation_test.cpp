// Where memory runs out, whoever called hears of just that, and the books are as whole as before.
#include "memory/failing_allocation.hpp"
#include "support/books.hpp"

#include <doctest/doctest.h>
#include <accounting/accounting.hpp>

#include <functional>
#include <new>
#include <string>

namespace accounting::testing {
namespace {

/// "ok", "bad_alloc", or what else the call came to where one of its allocations fails; empty where
/// it makes fewer.
std::string without_memory(std::int64_t allocation, const std::function<void()>& call) {
  std::string outcome = "ok";
  bool has_failed = false;
  {
    const FailingAllocation failing(allocation);
    try {
      call();
      has_failed = FailingAllocation::has_failed();
    } catch (const std::bad_alloc&) {
      has_failed = true;
      outcome = "bad_alloc";
    } catch (const std::exception& error) {
      has_failed = true;
      outcome = error.what();
    }
  }
  return has_failed ? outcome : std::string();
}

/// Lets each allocation of a call fail once; answers how many there were.
std::int64_t for_each_allocation(const std::function<void()>& call,
                                 const std::function<void(const std::string&)>& check) {
  std::int64_t allocation = 0;
  while (true) {
    const std::string outcome = without_memory(++allocation, call);
    if (outcome.empty()) {
      return allocation - 1;
    }
    CAPTURE(allocation);
    check(outcome);
  }
}

}  // namespace

// A revocation is the one change without JSON: nlohmann's destructor allocates, and ends the
// process where that fails.
TEST_SUITE("memory") {
  TEST_CASE("a query that has none says so, and the next one answers") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      const auto query = [&] { static_cast<void>(books.credits().history({.user_id = "ada"})); };
      const std::int64_t count = for_each_allocation(query, [&](const std::string& outcome) {
        CHECK(outcome == "bad_alloc");
        CHECK(books.balance("ada") == 100);
      });
      MESSAGE(to_string(books.database()) << ": a query allocates " << count << " times");
      CHECK(count > 20);
    });
  }

  TEST_CASE("a change that has none says so, and is made as a whole or not at all") {
    for_each_database([](Books& books) {
      books.account("ada");
      CreditAllocation given = books.give("ada", 10, 1);
      const auto revoke = [&] { books.credits().revoke({given.id, "ada", "admin"}); };
      const std::int64_t count = for_each_allocation(revoke, [&](const std::string& outcome) {
        CHECK(outcome == "bad_alloc");
        // From one query: a server may be at the COMMIT of a connection that was given up.
        const CreditAllocation found = books.allocation("ada", given.id);
        const bool made = found.revoked_at.has_value();
        CHECK(found.remaining_credits == (made ? 0 : 10));
        if (made) {
          given = books.give("ada", 10, 1);
        }
      });
      MESSAGE(to_string(books.database()) << ": a revocation allocates " << count << " times");
      CHECK(count > 20);
      CHECK(books.balance("ada") == 0);
    });
  }

  TEST_CASE("a transaction that had none in one of its calls can only be rolled back") {
    for_each_database([](Books& books) {
      books.account("ada");
      const std::int64_t given = books.give("ada", 10, 1).id;
      int refused = 0;
      const auto call = [&] {
        Transaction transaction = books.accounting().transaction({"ada"});
        try {
          transaction.credits().revoke({given, "ada", "admin"});
        } catch (const std::bad_alloc&) {
          CHECK(outcome_of([&] { transaction.commit(); }) == "store_error");
          ++refused;
          throw;
        }
      };
      for_each_allocation(call, [&](const std::string& outcome) { CHECK(outcome == "bad_alloc"); });
      CHECK(refused > 20);
      CHECK(books.balance("ada") == 10);
    });
  }
}

}  // namespace accounting::testing
