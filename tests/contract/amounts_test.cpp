// Amounts: credits = ceil(Σ tokens × price / 1000), rounded once, exact, at most 10^15.
#include "support/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

constexpr std::int64_t kTooMuch = -1;

}  // namespace

TEST_SUITE("amounts") {
  TEST_CASE("tokens cost exactly what decimal arithmetic says, rounded up") {
    struct Row {
      std::int64_t tokens;
      const char* price;
      std::int64_t credits;
    };
    const std::vector<Row> rows = {
        {0, "1", 0},
        {0, "1000000000000000", 0},
        {1, "0", 0},
        {1, "1", 1},
        {999, "1", 1},
        {1'000, "1", 1},
        {1'001, "1", 2},
        // Where binary floating point is one too high.
        {50'000, "1.1", 55},
        {25'000, "2.2", 55},
        {100'000, "0.07", 7},
        {16'600, "15", 249},
        // Smallest prices.
        {1, "0.0000000001", 1},
        {kMostTokens, "0.0000000001", 1},
        {kMostTokens, "0.000000001", 1},
        {kMostTokens, "0.0000000011", 2},
        {10'000, "0.1", 1},
        {10'001, "0.1", 2},
        // Largest amounts.
        {kMostTokens, "1000000", kMostCredits},
        {kMostTokens, "1000000.0000000001", kTooMuch},
        {kMostTokens, "999999.9999999999", kMostCredits},
        {kMostTokens, "1000000000000000", kTooMuch},
        {1'000, "1000000000000000", kMostCredits},
        {1'001, "1000000000000000", kTooMuch},
        {999, "1000000000000000", 999'000'000'000'000},
        {333, "3.0030030030", 1},
        {333, "3.0030030031", 2},
        {123'456'789, "0.0000000081", 1},
        {123'456'789'012, "8100.0000066339", 999'999'991'817},
        {123'456'789'012, "8.1000000663", 1'000'000'000},
    };
    for_each_database([&](Books& books) {
      for (const auto& [tokens, price, credits] : rows) {
        CAPTURE(tokens);
        CAPTURE(price);
        books.advance(1s);
        books.price("m", price);
        const CalculateRequest request{.model_id = "m", .tokens = tokens};
        if (credits == kTooMuch) {
          CHECK_THROWS_AS(static_cast<void>(books.pricing().calculate(request)), InvalidArgument);
        } else {
          CHECK(books.pricing().calculate(request) == credits);
        }
      }
    });
  }

  TEST_CASE("the price is that of the instant asked for") {
    for_each_database([](Books& books) {
      books.price("m", "1");
      books.advance(1h);
      books.price("m", "2");
      const auto at = [&](std::optional<Timestamp> instant) {
        return books.pricing().calculate({.model_id = "m", .tokens = 1'000, .at = instant});
      };
      CHECK(at(std::nullopt) == 2);
      CHECK(at(kStart) == 1);
      CHECK(at(kStart + 1h - 1us) == 1);
      CHECK(at(kStart + 1h) == 2);
      CHECK(outcome_of([&] { return at(kStart - 1us); }) == "price_not_found");
    });
  }

  TEST_CASE("an amount above 10^15 is refused wherever it would be computed") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.price("dear", "1000000000000000");
      books.price("cheap", "0.0000000001");
      auto sessions = books.sessions();
      // The hold counts as well: 9 × 10^14 and its buffer are more than 10^15.
      CHECK(outcome_of([&] {
              sessions.initialize({"s", "ada", "dear", 2'000});
            }) == "invalid_argument(estimated_tokens)");
      CHECK(outcome_of([&] {
              sessions.initialize({"s", "ada", "dear", 900});
            }) == "invalid_argument(estimated_tokens)");
      CHECK(outcome_of([&] { return sessions.get({"s", "ada"}); }) == "not_found");

      books.advance(1s);
      sessions.initialize({"s", "ada", "dear", 0});
      CHECK(outcome_of([&] {
              sessions.extend({"s", "ada", 900});
            }) == "invalid_argument(additional_tokens)");
      CHECK(outcome_of([&] {
              sessions.finalize({"s", "ada", 1'001});
            }) == "invalid_argument(actual_tokens)");
      CHECK(outcome_of([&] {
              sessions.abort({"s", "ada", 1'001});
            }) == "invalid_argument(tokens_generated)");
      CHECK(sessions.get({"s", "ada"}).status == SessionStatus::active);
      CHECK(books.balance("ada") == 100);
      CHECK(sessions.finalize({"s", "ada", 1'000}).uncollected == kMostCredits - 100);
    });
  }
}

}  // namespace accounting::testing
