// Revoking an allocation: what remains of it leaves the balance for good.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

CreditAllocation revoke(Books& books, std::int64_t id, const std::string& by = "admin") {
  return books.credits().revoke({.allocation_id = id, .user_id = "ada", .revoked_by = by});
}

}  // namespace

TEST_SUITE("revoke") {
  TEST_CASE("what remains is revoked, what was consumed stays consumed") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 10, 5);
      books.give("ada", 20, 9);
      books.credits().deduct({.user_id = "ada", .credits = 4});
      books.advance(1min);
      const auto revoked = revoke(books, 1, "not-an-account");
      CHECK(revoked.total_credits == 10);
      CHECK(revoked.remaining_credits == 0);
      CHECK(revoked.consumed_credits == 4);
      CHECK(revoked.revoked_credits == 6);
      CHECK(revoked.revoked_at == kStart + 1min);
      CHECK(revoked.revoked_by == "not-an-account");
      CHECK(books.allocation("ada", 1) == revoked);
      CHECK(books.balance("ada") == 20);
      CHECK(books.credits().balance("ada").active_allocations.size() == 1);
    });
  }

  TEST_CASE("an allocation can be revoked in any state") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 5, 1);
      books.give("ada", 5, 9);
      books.credits().allocate({.user_id = "ada",
                                .credits = 5,
                                .allocated_by = "admin",
                                .never_expires = true,
                                .effective_at = kStart + days(3)});
      books.credits().deduct({.user_id = "ada", .credits = 10});
      books.give("ada", 5, 1);
      books.advance(days(2));
      struct Row {
        const char* state;
        std::int64_t id;
        std::int64_t revoked;
      };
      for (const auto& [state, id, credits] : std::vector<Row>{{"used up and expired", 1, 0},
                                                               {"used up", 2, 0},
                                                               {"not begun", 3, 5},
                                                               {"expired", 4, 5}}) {
        CAPTURE(state);
        const auto revoked = revoke(books, id);
        CHECK(revoked.revoked_credits == credits);
        CHECK(revoked.remaining_credits == 0);
        CHECK(revoked.revoked_at == books.now());
      }
      books.advance(days(2));
      CHECK(books.balance("ada") == 0);
    });
  }

  TEST_CASE("again, it answers the same") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      const auto first = revoke(books, 1);
      books.advance(1h);
      CHECK(revoke(books, 1) == first);
      CHECK(revoke(books, 1, "somebody else") == first);
      CHECK(books.entries("ada").size() == 2);
    });
  }

  TEST_CASE("what sessions hold stays held, and what comes back of it is revoked too") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.price("m", "1000");
      books.give("ada", 10, 5);
      books.give("ada", 20, 9);
      books.sessions().initialize({"s", "ada", "m", 10});
      const auto revoked = revoke(books, 1);
      CHECK(revoked.held_credits == 10);
      CHECK(revoked.revoked_credits == 0);
      CHECK(books.balance("ada") == 18);
      CHECK(books.held("ada") == 12);

      const auto settlement = books.sessions().finalize({"s", "ada", 4});
      CHECK(settlement.actual_credits == 4);
      CHECK(settlement.refund == 8);
      const auto first = books.allocation("ada", 1);
      CHECK(first.consumed_credits == 4);
      CHECK(first.revoked_credits == 6);
      CHECK(first.remaining_credits == 0);
      CHECK(first.held_credits == 0);
      CHECK(first.revoked_at == revoked.revoked_at);
      CHECK(books.allocation("ada", 2).remaining_credits == 20);
      CHECK(books.balance("ada") == 20);
    });
  }

  TEST_CASE("a session goes on with what it holds of a revoked allocation") {
    for_each_database([](Books& books) {
      books.account("ada", 12);
      books.price("m", "1000");
      books.sessions().initialize({"s", "ada", "m", 10});
      revoke(books, 1);
      const auto settlement = books.sessions().finalize({"s", "ada", 12});
      CHECK(settlement.uncollected == 0);
      CHECK(books.allocation("ada", 1).consumed_credits == 12);
      CHECK(books.usage_of("ada").at(0).collected_credits == 12);
    });
  }

  TEST_CASE("new_allocation: what comes back of a revoked allocation does not live again") {
    for_each_database({.policy = Policy::original()}, [](Books& books) {
      books.account("ada");
      books.price("m", "1000");
      books.give("ada", 10, 5);
      books.give("ada", 20, 9);
      books.sessions().initialize({"s", "ada", "m", 10});
      revoke(books, 1);
      books.sessions().abort({"s", "ada"});
      CHECK(books.allocation("ada", 1).revoked_credits == 10);
      CHECK(books.balance("ada") == 20);
    });
  }

  TEST_CASE("an allocation that is not the account's is NotFound") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      books.account("bob", 10);
      books.give("bob", 10, 3);
      CHECK(outcome_of([&] { revoke(books, 2); }) == "not_found");
      CHECK(outcome_of([&] { revoke(books, 3); }) == "not_found");
      CHECK(books.balance("bob") == 20);
    });
  }
}

}  // namespace accounting::testing
