// Usage lists: records of an account within a range, oldest first, in pages by id.
#include "support/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// Records one use each at 0 s, 10 s, 20 s, 30 s and 40 s; their ids are 1 … 5.
void record_five(Books& books) {
  books.account("ada");
  for (int number = 1; number <= 5; ++number) {
    books.usage().record({.user_id = "ada", .service = "s", .operation = "o", .credits = number});
    books.advance(10s);
  }
}

std::vector<std::int64_t> ids_of(const std::vector<UsageRecord>& records) {
  std::vector<std::int64_t> ids;
  for (const auto& record : records) {
    ids.push_back(record.id);
  }
  return ids;
}

}  // namespace

TEST_SUITE("usage lists") {
  TEST_CASE("a list is cut by range, id and limit") {
    struct Row {
      const char* what;
      std::optional<Timestamp> start;
      std::optional<Timestamp> end;
      std::int64_t after;
      std::int64_t limit;
      std::vector<std::int64_t> ids;
    };
    const auto none = std::nullopt;
    const auto second = [](int number) { return kStart + std::chrono::seconds(number); };
    const std::vector<Row> rows = {
        {"all", none, none, 0, 100, {1, 2, 3, 4, 5}},
        {"the start counts", second(10), none, 0, 100, {2, 3, 4, 5}},
        {"to the microsecond", second(10) + 1us, none, 0, 100, {3, 4, 5}},
        {"the end does not count", none, second(20), 0, 100, {1, 2}},
        {"to the microsecond", none, second(20) + 1us, 0, 100, {1, 2, 3}},
        {"both", second(10), second(40), 0, 100, {2, 3, 4}},
        {"an empty range", second(10), second(10), 0, 100, {}},
        {"a range without records", second(11), second(20), 0, 100, {}},
        {"a range before all", none, kStart, 0, 100, {}},
        {"after an id", none, none, 3, 100, {4, 5}},
        {"after the last", none, none, 5, 100, {}},
        {"a page", none, none, 0, 2, {1, 2}},
        {"the next page", none, none, 2, 2, {3, 4}},
        {"a page of a range", second(10), none, 2, 1, {3}},
        {"the largest limit", none, none, 0, 1'000, {1, 2, 3, 4, 5}},
    };
    for_each_database([&](Books& books) {
      record_five(books);
      for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK(ids_of(books.usage().list({.user_id = "ada",
                                         .start = row.start,
                                         .end = row.end,
                                         .after = row.after,
                                         .limit = row.limit})) == row.ids);
      }
    });
  }

  TEST_CASE("a list is one account's own") {
    for_each_database([](Books& books) {
      record_five(books);
      books.account("bob");
      CHECK(books.usage_of("bob").empty());
    });
  }

  TEST_CASE("records made while the clock went back keep their order of ids") {
    for_each_database([](Books& books) {
      record_five(books);
      books.clock()->set(kStart + 5s);
      books.usage().record({.user_id = "ada", .service = "s", .operation = "o", .credits = 6});
      CHECK(ids_of(books.usage().list({.user_id = "ada", .after = 4})) ==
            std::vector<std::int64_t>{5, 6});
      CHECK(ids_of(books.usage().list({.user_id = "ada", .end = kStart + 10s})) ==
            std::vector<std::int64_t>{1, 6});
    });
  }

  TEST_CASE("a range that ends before it starts is refused") {
    for_each_database([](Books& books) {
      record_five(books);
      CHECK_THROWS_AS(static_cast<void>(books.usage().list(
                          {.user_id = "ada", .start = kStart + 1us, .end = kStart})),
                      InvalidArgument);
    });
  }
}

}  // namespace accounting::testing
