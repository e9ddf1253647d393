// Tokens by kind: input, output and cached input, each at its own price where the rule has one.
#include "support/books.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// 1 credit per 1,000 tokens; input at 2, output at 4, cached input at 0.5, where given.
void set_price(Books& books, bool input, bool output, bool cached_input) {
  books.advance(1s);
  SetPriceRequest request{.model_id = "m", .price_per_1k_tokens = "1", .created_by = "admin"};
  if (input) {
    request.input = Price("2");
  }
  if (output) {
    request.output = Price("4");
  }
  if (cached_input) {
    request.cached_input = Price("0.5");
  }
  books.pricing().set(request);
}

}  // namespace

TEST_SUITE("token kinds") {
  TEST_CASE("each kind has its own price, or the common one") {
    struct Row {
      bool input;
      bool output;
      bool cached_input;
      std::int64_t credits;  // of 1,000, 10,000 and 100,000 tokens
    };
    const std::vector<Row> rows = {
        {false, false, false, 1 + 10 + 100}, {true, false, false, 2 + 10 + 100},
        {false, true, false, 1 + 40 + 100},  {false, false, true, 1 + 10 + 50},
        {true, true, true, 2 + 40 + 50},
    };
    for_each_database([&](Books& books) {
      for (const auto& row : rows) {
        set_price(books, row.input, row.output, row.cached_input);
        CHECK(books.pricing().calculate(
                  {.model_id = "m",
                   .tokens = TokenCounts{
                       .input = 1'000, .output = 10'000, .cached_input = 100'000}}) == row.credits);
        // A number is priced at the common price, whatever the kinds cost.
        CHECK(books.pricing().calculate({.model_id = "m", .tokens = 111'000}) == 111);
      }
    });
  }

  TEST_CASE("the sum is rounded once") {
    struct Row {
      TokenCounts tokens;
      std::int64_t credits;
    };
    const std::vector<Row> rows = {
        {{0, 0, 0}, 0},
        {{1, 1, 1}, 1},
        {{500, 0, 0}, 1},
        {{499, 0, 4}, 1},
        {{250, 125, 0}, 1},
        {{250, 125, 1}, 2},
        {{0, 0, 2'000}, 1},
        {{0, 0, 2'001}, 2},
        {{kMostTokens, kMostTokens, kMostTokens}, 6'500'000'000},
    };
    for_each_database([&](Books& books) {
      set_price(books, true, true, true);
      for (const auto& [tokens, credits] : rows) {
        CAPTURE(Tokens(tokens));
        CHECK(books.pricing().calculate({.model_id = "m", .tokens = tokens}) == credits);
      }
    });
  }

  TEST_CASE("default and fallback prices hold for every kind") {
    const Setup setup{.policy = {.default_prices = {{"known", "2"}}, .fallback_price = Price("3")}};
    for_each_database(setup, [](Books& books) {
      const TokenCounts tokens{.input = 1'000, .output = 1'000, .cached_input = 1'000};
      CHECK(books.pricing().calculate({.model_id = "known", .tokens = tokens}) == 6);
      CHECK(books.pricing().calculate({.model_id = "unknown", .tokens = tokens}) == 9);
    });
  }

  TEST_CASE("a session counts by kind from its beginning to its end") {
    for_each_database([](Books& books) {
      books.account("ada", 1'000);
      set_price(books, true, true, true);
      const TokenCounts estimate{.input = 10'000, .output = 10'000};
      auto session = books.sessions().initialize({"s", "ada", "m", estimate});
      CHECK(session.estimated_tokens == Tokens(estimate));
      CHECK(session.estimated_credits == 60);
      CHECK(session.allocated_credits == 72);
      CHECK(books.sessions().get({"s", "ada"}) == session);

      session = books.sessions().extend({"s", "ada", TokenCounts{.cached_input = 20'000}});
      CHECK(session.estimated_tokens ==
            Tokens(TokenCounts{.input = 10'000, .output = 10'000, .cached_input = 20'000}));
      CHECK(session.estimated_credits == 70);
      CHECK(session.allocated_credits == 84);
      CHECK(books.sessions().initialize({"s", "ada", "m", estimate}) == session);

      const TokenCounts actual{.input = 5'000, .output = 2'000, .cached_input = 1'000};
      const auto settlement = books.sessions().finalize({"s", "ada", actual});
      CHECK(settlement.actual_credits == 19);
      const auto metadata = nlohmann::json::parse(books.usage_of("ada").at(0).metadata.value());
      CHECK(metadata["tokens"] ==
            nlohmann::json{{"input", 5'000}, {"output", 2'000}, {"cached_input", 1'000}});
      CHECK(settlement.refund == 65);
      CHECK(books.sessions().finalize({"s", "ada", actual}) == settlement);
      CHECK(outcome_of([&] {
              books.sessions().finalize({"s", "ada", TokenCounts{.input = 5'000}});
            }) == "session_closed");
    });
  }

  TEST_CASE("a report by kind keeps the largest of each, and is charged when it expires") {
    for_each_database([](Books& books) {
      books.account("ada", 1'000);
      set_price(books, true, true, true);
      books.sessions().initialize({"s", "ada", "m", TokenCounts{.output = 10'000}});
      books.sessions().report({"s", "ada", TokenCounts{.input = 3'000, .output = 1'000}});
      const auto session = books.sessions().report(
          {"s", "ada", TokenCounts{.input = 1'000, .output = 2'000, .cached_input = 2'000}});
      CHECK(session.reported_tokens ==
            Tokens(TokenCounts{.input = 3'000, .output = 2'000, .cached_input = 2'000}));
      books.advance(1h);
      const auto expired = books.sessions().expire_stale();
      REQUIRE(expired.size() == 1);
      CHECK(expired[0].actual_credits == 6 + 8 + 1);
    });
  }

  TEST_CASE("a session keeps the form that it began with") {
    const Tokens number = 1'000;
    const Tokens kinds = TokenCounts{.input = 1'000};
    for (const bool by_kind : {false, true}) {
      SUBCASE(by_kind ? "begun by kind" : "begun with a number") {
        for_each_database([&](Books& books) {
          books.account("ada", 1'000);
          set_price(books, true, true, true);
          const Tokens& same = by_kind ? kinds : number;
          const Tokens& other = by_kind ? number : kinds;
          const auto begun = books.sessions().initialize({"s", "ada", "m", same});
          auto sessions = books.sessions();
          CHECK(outcome_of([&] {
                  sessions.report({"s", "ada", other});
                }) == "invalid_argument(tokens_so_far)");
          CHECK(outcome_of([&] {
                  sessions.extend({"s", "ada", other});
                }) == "invalid_argument(additional_tokens)");
          CHECK(outcome_of([&] {
                  sessions.finalize({"s", "ada", other});
                }) == "invalid_argument(actual_tokens)");
          CHECK(outcome_of([&] {
                  sessions.abort({"s", "ada", other});
                }) == "invalid_argument(tokens_generated)");
          CHECK(sessions.get({"s", "ada"}) == begun);
          CHECK(sessions.finalize({"s", "ada", same}).status == SessionStatus::completed);
        });
      }
    }
  }

  TEST_CASE("a session by kind can be aborted without naming tokens") {
    for_each_database([](Books& books) {
      books.account("ada", 1'000);
      set_price(books, true, true, true);
      books.sessions().initialize({"s", "ada", "m", TokenCounts{.input = 1'000}});
      const auto settlement = books.sessions().abort({.session_id = "s", .user_id = "ada"});
      CHECK(settlement.actual_credits == 0);
      CHECK(settlement.refund == 3);
      CHECK(books.sessions().abort({"s", "ada", TokenCounts{}}) == settlement);
    });
  }
}

}  // namespace accounting::testing
