// Pricing rules: which price holds when.
#include "support/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

SetPriceRequest rule(const Price& price, std::optional<Timestamp> from = std::nullopt,
                     std::optional<Timestamp> to = std::nullopt) {
  return {.model_id = "m",
          .price_per_1k_tokens = price,
          .created_by = "admin",
          .effective_from = from,
          .effective_to = to};
}

/// The price in force at an instant, "none" where there is none.
std::string price_at(Books& books, std::optional<Timestamp> at) {
  try {
    return books.pricing().get({.model_id = "m", .at = at}).price_per_1k_tokens.to_string();
  } catch (const PriceNotFound&) {
    return "none";
  }
}

/// No instant has two rules.
void check_no_overlap(Books& books) {
  const auto rules = books.pricing().list({.model_id = "m"});
  for (std::size_t index = 1; index < rules.size(); ++index) {
    CHECK(rules[index - 1].effective_from < rules[index].effective_from);
    REQUIRE(rules[index - 1].effective_to);
    CHECK(*rules[index - 1].effective_to <= rules[index].effective_from);
  }
}

}  // namespace

TEST_SUITE("pricing") {
  TEST_CASE("a rule tells what a model costs from when until when") {
    for_each_database([](Books& books) {
      books.advance(3s);
      const auto open = books.pricing().set({.model_id = "m",
                                             .price_per_1k_tokens = "0.25",
                                             .created_by = "not-an-account",
                                             .input = Price("0.1"),
                                             .output = Price("0.0000000001"),
                                             .cached_input = Price("0")});
      CHECK(open == PricingRule{.id = 1,
                                .model_id = "m",
                                .price_per_1k_tokens = "0.25",
                                .input = Price("0.1"),
                                .output = Price("0.0000000001"),
                                .cached_input = Price("0"),
                                .effective_from = kStart + 3s,
                                .effective_to = std::nullopt,
                                .created_by = "not-an-account"});
      CHECK(books.pricing().get({.model_id = "m"}) == open);
      CHECK(books.pricing().list() == std::vector{open});
    });
  }

  TEST_CASE("prices come back exactly as they are") {
    for_each_database([](Books& books) {
      const std::vector<const char*> prices = {"0",
                                               "0.0000000001",
                                               "0.1",
                                               "1",
                                               "1.5",
                                               "10",
                                               "99.9999999999",
                                               "1000000",
                                               "123456789.0123456789",
                                               "1000000000000000"};
      for (const char* price : prices) {
        CAPTURE(price);
        books.advance(1s);
        books.price("m", price);
        const auto stored = books.pricing().get({.model_id = "m"});
        CHECK(stored.price_per_1k_tokens == Price(price));
        CHECK(stored.price_per_1k_tokens.to_string() == price);
      }
    });
  }

  TEST_CASE("a new rule closes the open one at its start") {
    for_each_database([](Books& books) {
      books.pricing().set(rule("1"));
      books.pricing().set(rule("2", kStart + 10s));
      CHECK(price_at(books, std::nullopt) == "1");
      CHECK(price_at(books, kStart - 1us) == "none");
      CHECK(price_at(books, kStart) == "1");
      CHECK(price_at(books, kStart + 10s - 1us) == "1");
      CHECK(price_at(books, kStart + 10s) == "2");
      CHECK(price_at(books, kStart + days(9'999)) == "2");
      const auto rules = books.pricing().list({.model_id = "m"});
      REQUIRE(rules.size() == 2);
      CHECK(rules[0].effective_to == kStart + 10s);
      CHECK(rules[1].id == 2);
      books.advance(10s);
      CHECK(price_at(books, std::nullopt) == "2");
    });
  }

  TEST_CASE("a rule may begin in the past or in the future") {
    for_each_database([](Books& books) {
      books.pricing().set(rule("1", kStart - days(400)));
      CHECK(price_at(books, kStart - days(400)) == "1");
      books.pricing().set(rule("2", kStart + days(400)));
      CHECK(price_at(books, std::nullopt) == "1");
      CHECK(price_at(books, kStart + days(400)) == "2");
    });
  }

  TEST_CASE("after a rule with an end there is no price until the next") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.pricing().set(rule("1", kStart, kStart + 10s));
      books.pricing().set(rule("2", kStart + 20s));
      CHECK(price_at(books, kStart + 10s - 1us) == "1");
      CHECK(price_at(books, kStart + 10s) == "none");
      CHECK(price_at(books, kStart + 20s - 1us) == "none");
      CHECK(price_at(books, kStart + 20s) == "2");
      books.advance(15s);
      CHECK(outcome_of([&] { return books.pricing().calculate({.model_id = "m", .tokens = 1}); }) ==
            "price_not_found");
      CHECK(outcome_of([&] {
              books.sessions().initialize({"s", "ada", "m", 1});
            }) == "price_not_found");
      check_no_overlap(books);
    });
  }

  TEST_CASE("an ended rule within the open one ends it: no price comes after") {
    for_each_database([](Books& books) {
      books.pricing().set(rule("1"));
      books.pricing().set(rule("2", kStart + 10s, kStart + 20s));
      CHECK(price_at(books, kStart + 9s) == "1");
      CHECK(price_at(books, kStart + 10s) == "2");
      CHECK(price_at(books, kStart + 20s) == "none");
      check_no_overlap(books);
    });
  }

  TEST_CASE("what contradicts the stored rules is a Conflict, the same rule is answered") {
    struct Row {
      const char* what;
      SetPriceRequest request;
      const char* outcome;
    };
    // Stored: [10 s, 20 s) at 1, nothing, [30 s, …) at 2.
    const auto second = [](int number) { return kStart + std::chrono::seconds(number); };
    auto by_kind = rule("2", second(30));
    by_kind.input = Price("2");
    const std::vector<Row> rows = {
        {"the open rule again", rule("2", second(30)), "ok"},
        {"the open rule, written otherwise", rule("2.00", second(30)), "ok"},
        {"the closed rule again", rule("1", second(10), second(20)), "ok"},
        {"the open rule with another price", rule("3", second(30)), "conflict"},
        {"the open rule with an end", rule("2", second(30), second(40)), "conflict"},
        {"the open rule with a price by kind", by_kind, "conflict"},
        {"the closed rule with another price", rule("3", second(10), second(20)), "conflict"},
        {"the closed rule with another end", rule("1", second(10), second(19)), "conflict"},
        {"inside the closed rule", rule("3", second(15), second(18)), "conflict"},
        {"just before the closed rule's end", rule("3", second(20) - 1us, second(25)), "conflict"},
        {"between both, before the open rule's start", rule("3", second(22)), "conflict"},
        {"between both, with an end", rule("3", second(22), second(25)), "conflict"},
        {"before all", rule("3", second(1)), "conflict"},
    };
    for_each_database([&](Books& books) {
      books.pricing().set(rule("1", second(10), second(20)));
      books.pricing().set(rule("2", second(30)));
      const auto stored = books.pricing().list();
      for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK(outcome_of([&] { books.pricing().set(row.request); }) == row.outcome);
        CHECK(books.pricing().list() == stored);
      }
      CHECK(books.pricing().set(rule("2", second(30))) == stored[1]);
      // Exactly at the end of a closed rule, and after the open one's start, is free.
      CHECK(outcome_of([&] { books.pricing().set(rule("4", second(31))); }) == "ok");
      check_no_overlap(books);
    });
  }

  TEST_CASE("a rule may begin exactly where a closed one ends") {
    for_each_database([](Books& books) {
      books.pricing().set(rule("1", kStart, kStart + 10s));
      books.pricing().set(rule("2", kStart + 10s));
      CHECK(price_at(books, kStart + 10s) == "2");
      check_no_overlap(books);
    });
  }

  TEST_CASE("an end lies after the start") {
    for_each_database([](Books& books) {
      CHECK(outcome_of([&] { books.pricing().set(rule("1", kStart, kStart)); }) ==
            "invalid_argument(effective_to)");
      CHECK(outcome_of([&] { books.pricing().set(rule("1", std::nullopt, kStart)); }) ==
            "invalid_argument(effective_to)");
      CHECK(outcome_of([&] { books.pricing().set(rule("1", kStart, kStart - 1s)); }) ==
            "invalid_argument(effective_to)");
      CHECK(books.pricing().list().empty());
    });
  }

  TEST_CASE("rules are listed by model and start") {
    for_each_database([](Books& books) {
      CHECK(books.pricing().list().empty());
      books.price("b", "1");
      books.price("a", "2");
      books.advance(1s);
      books.price("b", "3");
      std::vector<std::string> listed;
      for (const auto& item : books.pricing().list()) {
        listed.push_back(item.model_id + item.price_per_1k_tokens.to_string());
      }
      CHECK(listed == std::vector<std::string>{"a2", "b1", "b3"});
      CHECK(books.pricing().list({.model_id = "b"}).size() == 2);
      CHECK(books.pricing().list({.model_id = "B"}).empty());
    });
  }
}

}  // namespace accounting::testing
