// Deductions: all or nothing, in burn order.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {

TEST_SUITE("deduct") {
  TEST_CASE("a deduction moves credits from remaining to consumed and says from where") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 10, 5);
      books.give("ada", 20, 9);
      CHECK(books.credits().deduct({.user_id = "ada", .credits = 12}) ==
            Deduction{.credits = 12, .slices = {{1, 10}, {2, 2}}});
      CHECK(books.balance("ada") == 18);
      const auto spent = books.allocation("ada", 1);
      CHECK(spent.remaining_credits == 0);
      CHECK(spent.consumed_credits == 10);
      CHECK(spent.total_credits == 10);
      const auto begun = books.allocation("ada", 2);
      CHECK(begun.remaining_credits == 18);
      CHECK(begun.consumed_credits == 2);
      // A deduction is no use: nothing is recorded.
      CHECK(books.usage_of("ada").empty());
    });
  }

  TEST_CASE("a deduction is all or nothing") {
    struct Row {
      std::int64_t credits;
      const char* outcome;
      std::int64_t left;
    };
    const std::vector<Row> rows = {
        {31, "insufficient_credits(required 31, available 30)", 30},
        {kMostCredits, "insufficient_credits(required 1000000000000000, available 30)", 30},
        {30, "ok", 0},
        {1, "insufficient_credits(required 1, available 0)", 0},
    };
    for_each_database([&](Books& books) {
      books.account("ada");
      books.give("ada", 10, 5);
      books.give("ada", 20, 9);
      for (const auto& [credits, outcome, left] : rows) {
        CAPTURE(credits);
        const auto journal = books.entries("ada").size();
        CHECK(outcome_of([&, amount = credits] {
                books.credits().deduct({.user_id = "ada", .credits = amount});
              }) == outcome);
        CHECK(books.balance("ada") == left);
        CHECK((books.entries("ada").size() == journal) == (std::string(outcome) != "ok"));
      }
    });
  }

  TEST_CASE("held credits cannot be spent") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 50'000});
      CHECK(books.balance("ada") == 40);
      CHECK(books.held("ada") == 60);
      CHECK(outcome_of([&] { books.credits().deduct({.user_id = "ada", .credits = 41}); }) ==
            "insufficient_credits(required 41, available 40)");
      CHECK(books.credits().deduct({.user_id = "ada", .credits = 40}).credits == 40);
    });
  }

  TEST_CASE("accounts do not touch each other") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      books.account("bob", 10);
      books.credits().deduct({.user_id = "ada", .credits = 4});
      CHECK(books.balance("ada") == 6);
      CHECK(books.balance("bob") == 10);
      CHECK(books.entries("bob").size() == 1);
    });
  }
}

}  // namespace accounting::testing
