// Reports and extensions of a running session.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {

TEST_SUITE("report") {
  TEST_CASE("a report keeps the largest number and is a sign of life") {
    struct Row {
      std::int64_t reported;
      std::int64_t kept;
    };
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 1'000});
      CHECK_FALSE(books.sessions().get({"s", "ada"}).reported_tokens.has_value());
      for (const auto& [reported, kept] : std::vector<Row>{{0, 0},
                                                           {100, 100},
                                                           {50, 100},
                                                           {100, 100},
                                                           {0, 100},
                                                           {101, 101},
                                                           {kMostTokens, kMostTokens},
                                                           {7, kMostTokens}}) {
        CAPTURE(reported);
        books.advance(1min);
        const auto session = books.sessions().report({"s", "ada", reported});
        CHECK(session.reported_tokens == Tokens(kept));
        CHECK(session.last_activity_at == books.now());
        CHECK(session.expires_at == books.now() + 1h);
        CHECK(session.started_at == kStart);
        CHECK(session.used_credits == 0);
        CHECK(books.sessions().get({"s", "ada"}) == session);
      }
    });
  }

  TEST_CASE("a report moves no credits and does not bind the end") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 10'000});
      const auto journal = books.entries("ada");
      books.sessions().report({"s", "ada", 50'000});
      CHECK(books.entries("ada") == journal);
      CHECK(books.balance("ada") == 88);
      CHECK(books.sessions().finalize({"s", "ada", 3'000}).actual_credits == 3);
    });
  }
}

TEST_SUITE("extend") {
  TEST_CASE("an extension makes the estimate what it would have been for the sum") {
    struct Row {
      std::int64_t additional;
      std::int64_t tokens;
      std::int64_t estimated;
      std::int64_t allocated;
    };
    // Rounded once: 0.3 credits and 0.3 more are 1 credit, not 2.
    const std::vector<Row> rows = {
        {100, 200, 1, 2}, {0, 200, 1, 2},       {133, 333, 1, 2},
        {1, 334, 2, 3},   {1'333, 1'667, 6, 8}, {10'000, 11'667, 36, 44},
    };
    for_each_database([&](Books& books) {
      books.account("ada", 1'000);
      books.price("m", "3");
      const auto begun = books.sessions().initialize({"s", "ada", "m", 100});
      CHECK(begun.estimated_credits == 1);
      CHECK(begun.allocated_credits == 2);
      for (const auto& row : rows) {
        CAPTURE(row.tokens);
        books.advance(1min);
        const auto session = books.sessions().extend({"s", "ada", row.additional});
        CHECK(session.estimated_tokens == Tokens(row.tokens));
        CHECK(session.estimated_credits == row.estimated);
        CHECK(session.allocated_credits == row.allocated);
        CHECK(session.last_activity_at == books.now());
        CHECK(session.expires_at == books.now() + 1h);
        CHECK(books.sessions().get({"s", "ada"}) == session);
        CHECK(books.held("ada") == row.allocated);
        CHECK(books.balance("ada") == 1'000 - row.allocated);

        const auto at_once = books.sessions().initialize(
            {"sum" + std::to_string(row.tokens), "ada", "m", row.tokens});
        CHECK(at_once.allocated_credits == session.allocated_credits);
        books.sessions().abort({at_once.session_id, "ada"});
      }
      const auto settlement = books.sessions().finalize({"s", "ada", 11'667});
      CHECK(settlement.estimated_credits == 36);
      CHECK(settlement.allocated_credits == 44);
      CHECK(settlement.actual_credits == 36);
      CHECK(settlement.refund == 8);
    });
  }

  TEST_CASE("short of credits an extension changes nothing, and is no sign of life") {
    for_each_database([](Books& books) {
      books.account("ada", 20);
      books.price("m", "1");
      const auto begun = books.sessions().initialize({"s", "ada", "m", 10'000});
      books.advance(1min);
      CHECK(outcome_of([&] {
              books.sessions().extend({"s", "ada", 7'000});
            }) == "insufficient_credits(required 9, available 8)");
      CHECK(books.sessions().get({"s", "ada"}) == begun);
      CHECK(books.balance("ada") == 8);
      CHECK(books.sessions().extend({"s", "ada", 6'000}).allocated_credits == 20);
      CHECK(books.balance("ada") == 0);
    });
  }

  TEST_CASE("a refund after extensions goes back last taken first") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.price("m", "1000");
      books.give("ada", 12, 5);
      books.give("ada", 20, 9);
      books.sessions().initialize({"s", "ada", "m", 10});
      books.sessions().extend({"s", "ada", 10});
      CHECK(books.allocation("ada", 1).held_credits == 12);
      CHECK(books.allocation("ada", 2).held_credits == 12);
      // Given after the session began, taken by the extension though it expires first.
      books.give("ada", 6, 1);
      books.sessions().extend({"s", "ada", 5});
      CHECK(books.allocation("ada", 3).held_credits == 6);
      books.sessions().finalize({"s", "ada", 15});
      CHECK(books.allocation("ada", 3).remaining_credits == 6);
      CHECK(books.allocation("ada", 2).consumed_credits == 3);
      CHECK(books.allocation("ada", 1).consumed_credits == 12);
    });
  }

  TEST_CASE("extensions reach 10^12 tokens and no further") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.price("free", "0");
      books.sessions().initialize({"s", "ada", "free", kMostTokens - 1});
      CHECK(books.sessions().extend({"s", "ada", 1}).estimated_tokens == Tokens(kMostTokens));
      CHECK(outcome_of([&] {
              books.sessions().extend({"s", "ada", 1});
            }) == "invalid_argument(additional_tokens)");
      CHECK(books.sessions().extend({"s", "ada", 0}).estimated_tokens == Tokens(kMostTokens));
    });
  }
}

}  // namespace accounting::testing
