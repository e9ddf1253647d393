// From tokens to credits: exact, rounded up once, at most 10^15.
#include "domain/token_prices.hpp"
#include "domain/rules.hpp"
#include "unit/desk.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using domain::TokenPrices;

constexpr std::int64_t too_large = -1;

std::int64_t credits(const Tokens& tokens, const TokenPrices& prices) {
  return domain::credits_for(tokens, prices).value_or(too_large);
}

TokenPrices one_price(const std::string& price) { return {.price_per_1k_tokens = price}; }

}  // namespace

TEST_CASE("credits are tokens times price by a thousand, rounded up") {
  struct Row {
    std::int64_t tokens;
    std::string price;
    std::int64_t credits;
  };
  const std::vector<Row> rows = {
      {0, "3", 0},
      {1, "3", 1},
      {1'000, "3", 3},
      {1'001, "3", 4},
      {999, "1", 1},
      {5'000, "0", 0},
      // What floating point gets wrong: exactly whole, so nothing is rounded up.
      {50'000, "1.1", 55},
      {25'000, "2.2", 55},
      {100'000, "0.07", 7},
      {16'600, "15", 249},
      {1'000, "0.1", 1},
      {30'000, "0.1", 3},
      {3'000, "1.1", 4},
      // The smallest price, and just more than whole.
      {1, "0.0000000001", 1},
      {kMostTokens, "0.0000000001", 1},
      {1, "1000", 1},
      {1, "1000.0000000001", 2},
      {3, "333.3333333333", 1},
      {3, "333.3333333334", 2},
      // Up to 10^15 and not beyond.
      {kMostTokens, "1000000", kMostCredits},
      {kMostTokens, "999999.9999999999", kMostCredits},
      {kMostTokens, "1000000.0000000001", too_large},
      {1'000, "1000000000000000", kMostCredits},
      {1'001, "1000000000000000", too_large},
      {999, "1000000000000000", 999'000'000'000'000},
      {1'000, "999999999999999.9999999999", kMostCredits},
      {kMostTokens, "1000000000000000", too_large},
      {0, "1000000000000000", 0},
  };
  for (const auto& [tokens, price, expected] : rows) {
    CAPTURE(tokens);
    CAPTURE(price);
    CHECK(credits(tokens, one_price(price)) == expected);
  }
}

TEST_CASE("tokens by kind: each at its own price where there is one, the sum rounded once") {
  struct Row {
    std::string rule;
    TokenCounts tokens;
    TokenPrices prices;
    std::int64_t credits;
  };
  const std::vector<Row> rows = {
      {"nothing", {}, one_price("3"), 0},
      {"no own price: all at the one price", {1'000, 2'000, 3'000}, one_price("2"), 12},
      {"own prices", {1'000, 1'000, 1'000}, {"9", "1", "20", "300"}, 321},
      {"one own price, the others at the one price",
       {1'000, 1'000, 1'000},
       {"9", {}, "20", {}},
       38},
      {"an own price of 0", {1'000, 1'000, 1'000}, {"9", {}, {}, "0"}, 18},
      {"rounded once, not for each kind", {500, 500, 500}, one_price("0.5"), 1},
      {"fractions that add up to a whole", {1, 2, 0}, {"0", "333.3333333334", "333.3333333333"}, 1},
      {"fractions that add up to more", {1, 2, 0}, {"0", "333.3333333335", "333.3333333333"}, 2},
      {"a price that nothing uses may be large", {0, 1'000, 0}, {"1", "1000000000000000"}, 1},
      {"each within the limit, the sum beyond",
       {kMostTokens, kMostTokens, 0},
       one_price("500000.0000000001"),
       too_large},
      {"the sum at the limit", {kMostTokens, kMostTokens, 0}, one_price("500000"), kMostCredits},
      {"all at their most",
       {kMostTokens, kMostTokens, kMostTokens},
       one_price("1000000000000000"),
       too_large},
      {"the most digits everywhere",
       {kMostTokens, kMostTokens, kMostTokens},
       one_price("333332.9999999999"),
       999'999'000'000'000},
  };
  for (const auto& [rule, tokens, prices, expected] : rows) {
    CAPTURE(rule);
    CHECK(credits(tokens, prices) == expected);
  }
}

TEST_CASE("a number of tokens is priced at the one price, whatever own prices there are") {
  CHECK(credits(1'000, {"7", "1", "2", "3"}) == 7);
}

TEST_CASE("a hold is the estimate and the buffer, rounded up once") {
  struct Row {
    std::int64_t estimate;
    std::int64_t buffer;
    std::int64_t hold;
  };
  const std::vector<Row> rows = {
      {0, 2'000, 0},
      {1, 2'000, 2},
      {4, 2'000, 5},
      {5, 2'000, 6},
      {100, 2'000, 120},
      {101, 2'000, 122},
      {7, 0, 7},
      {3, 3'333, 4},
      {10'000, 1, 10'001},
      {9'999, 1, 10'000},
      {10'001, 1, 10'003},
      {1, 1'000'000, 101},
      {kMostCredits, 0, kMostCredits},
      {kMostCredits, 1, too_large},
      {833'333'333'333'333, 2'000, kMostCredits},
      {833'333'333'333'334, 2'000, too_large},
      {9'900'990'099'009, 1'000'000, 999'999'999'999'909},
      {9'900'990'099'010, 1'000'000, too_large},
      {kMostCredits, 1'000'000, too_large},
  };
  for (const auto& [estimate, buffer, expected] : rows) {
    CAPTURE(estimate);
    CAPTURE(buffer);
    CHECK(domain::with_buffer(estimate, buffer).value_or(too_large) == expected);
  }
}

TEST_CASE("tokens add up within their form, to 10^12 of each kind") {
  CHECK(domain::add_tokens(1'000, 234) == Tokens(1'234));
  CHECK(domain::add_tokens(kMostTokens, 0) == Tokens(kMostTokens));
  CHECK_FALSE(domain::add_tokens(kMostTokens, 1).has_value());
  CHECK(domain::add_tokens(TokenCounts{1, 2, 3}, TokenCounts{10, 20, 30}) ==
        Tokens(TokenCounts{11, 22, 33}));
  for (const TokenCounts one : {TokenCounts{1, 0, 0}, TokenCounts{0, 1, 0}, TokenCounts{0, 0, 1}}) {
    CHECK_FALSE(domain::add_tokens(TokenCounts{kMostTokens, kMostTokens, kMostTokens}, one));
  }
}

TEST_CASE("the largest of each kind is kept") {
  CHECK(domain::largest_of_each(5, 3) == Tokens(5));
  CHECK(domain::largest_of_each(3, 5) == Tokens(5));
  CHECK(domain::largest_of_each(TokenCounts{1, 20, 3}, TokenCounts{10, 2, 3}) ==
        Tokens(TokenCounts{10, 20, 3}));
}

TEST_CASE("a number of tokens and counts by kind are never the same amount") {
  CHECK(Tokens(0) != Tokens(TokenCounts{}));
  CHECK(Tokens(5) != Tokens(TokenCounts{.input = 5}));
}

}  // namespace accounting::testing
