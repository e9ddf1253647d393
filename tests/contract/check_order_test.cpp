// The order of checks: arguments, account, replay or Conflict, state, price, balance. Each test
// makes a call that is wrong in two ways and sees the earlier one named.
#include "support/books.hpp"

#include <functional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

struct Row {
  const char* wrong;
  std::function<void(Books&)> call;
  const char* outcome;
};

/// Ada has 10 credits, a deduction under the key "used", an active session "s" and an ended one
/// "ended". The model "m" has a price, "unpriced" has none, "dear" costs too much for anybody.
void open_books(Books& books) {
  books.account("ada", 100);
  books.price("m", "1000");
  books.price("dear", "1000000000000000");
  books.sessions().initialize({"s", "ada", "m", 10});
  books.sessions().initialize({"ended", "ada", "m", 10});
  books.sessions().finalize({"ended", "ada", 10});
  books.credits().deduct({"ada", 68, "used"});
  REQUIRE(books.balance("ada") == 10);
}

void check_rows(const std::vector<Row>& rows) {
  for_each_database([&](Books& books) {
    open_books(books);
    const auto balance = books.credits().balance("ada");
    const auto entries = books.entries("ada");
    const auto sessions = books.sessions().active("ada");
    for (const auto& row : rows) {
      CAPTURE(row.wrong);
      CHECK(outcome_of([&] { row.call(books); }) == row.outcome);
    }
    CHECK(books.credits().balance("ada") == balance);
    CHECK(books.entries("ada") == entries);
    CHECK(books.sessions().active("ada") == sessions);
  });
}

}  // namespace

TEST_SUITE("order of checks") {
  TEST_CASE("arguments come before the account") {
    check_rows({
        {"deduct: no credits, no account",
         [](Books& b) {
           b.credits().deduct({"no", 0});
         },
         "invalid_argument(credits)"},
        {"allocate: no giver, no account",
         [](Books& b) {
           b.credits().allocate({.user_id = "no", .credits = 1, .allocated_by = ""});
         },
         "invalid_argument(allocated_by)"},
        {"allocate: past expiry, no account",
         [](Books& b) {
           b.credits().allocate(
               {.user_id = "no", .credits = 1, .allocated_by = "x", .expires_at = kStart});
         },
         "invalid_argument(expires_at)"},
        {"charge: bad metadata, no account",
         [](Books& b) {
           b.credits().charge({"no", "s", "o", 1, "{"});
         },
         "invalid_argument(metadata)"},
        {"initialize: bad tokens, no account",
         [](Books& b) {
           b.sessions().initialize({"s", "no", "m", -1});
         },
         "invalid_argument(estimated_tokens)"},
        {"usage list: bad limit, no account",
         [](Books& b) { static_cast<void>(b.usage().list({.user_id = "no", .limit = 0})); },
         "invalid_argument(limit)"},
        {"history: bad page, no account",
         [](Books& b) {
           static_cast<void>(b.credits().history({"no", 0, 1}));
         },
         "invalid_argument(page)"},
        {"statistics: start after end, no account",
         [](Books& b) {
           static_cast<void>(b.usage().user_stats({"no", kStart + 1us, kStart}));
         },
         "invalid_argument(start)"},
    });
  }

  TEST_CASE("the account comes next, in reads too") {
    check_rows({
        {"balance", [](Books& b) { static_cast<void>(b.credits().balance("no")); }, "not_found"},
        {"check",
         [](Books& b) {
           static_cast<void>(b.credits().check({"no", 1}));
         },
         "not_found"},
        {"history", [](Books& b) { static_cast<void>(b.credits().history({"no"})); }, "not_found"},
        {"entries", [](Books& b) { static_cast<void>(b.credits().entries({"no"})); }, "not_found"},
        {"usage list", [](Books& b) { static_cast<void>(b.usage().list({"no"})); }, "not_found"},
        {"statistics", [](Books& b) { static_cast<void>(b.usage().user_stats({"no"})); },
         "not_found"},
        {"active sessions", [](Books& b) { static_cast<void>(b.sessions().active("no")); },
         "not_found"},
        {"session",
         [](Books& b) {
           static_cast<void>(b.sessions().get({"s", "no"}));
         },
         "not_found"},
        {"initialize: no price, no account",
         [](Books& b) {
           b.sessions().initialize({"s", "no", "unpriced", 1});
         },
         "not_found"},
        {"deduct: key of another account, no account",
         [](Books& b) {
           b.credits().deduct({"no", 1, "used"});
         },
         "not_found"},
        {"revoke: no allocation, no account",
         [](Books& b) {
           b.credits().revoke({77, "no", "admin"});
         },
         "not_found"},
    });
  }

  TEST_CASE("replay or Conflict comes before state, price and balance") {
    check_rows({
        {"replay: the balance is short by now",
         [](Books& b) {
           CHECK(b.credits().deduct({"ada", 68, "used"}).credits == 68);
         },
         "ok"},
        {"key: other amount, short of credits",
         [](Books& b) {
           b.credits().deduct({"ada", 69, "used"});
         },
         "conflict"},
        {"key: other operation, short of credits",
         [](Books& b) {
           b.credits().charge({"ada", "s", "o", 1'000, {}, "used"});
         },
         "conflict"},
        {"key: other operation, session ended",
         [](Books& b) {
           b.sessions().extend({"ended", "ada", 1, "used"});
         },
         "conflict"},
        {"session id: other model, which has no price",
         [](Books& b) {
           b.sessions().initialize({"s", "ada", "unpriced", 10});
         },
         "conflict"},
        {"session id: other estimate, short of credits",
         [](Books& b) {
           b.sessions().initialize({"s", "ada", "m", 10'000});
         },
         "conflict"},
        {"session id: other estimate, costs too much",
         [](Books& b) {
           b.sessions().initialize({"s", "ada", "dear", 10'000});
         },
         "conflict"},
        {"session id: other estimate, session ended",
         [](Books& b) {
           b.sessions().initialize({"ended", "ada", "m", 11});
         },
         "conflict"},
        {"session id: replay, short of credits",
         [](Books& b) {
           b.sessions().initialize({"s", "ada", "m", 10});
         },
         "ok"},
    });
  }

  TEST_CASE("state comes before price and balance") {
    check_rows({
        {"extend: ended, short of credits",
         [](Books& b) {
           b.sessions().extend({"ended", "ada", 10'000});
         },
         "session_closed"},
        {"extend: unknown, short of credits",
         [](Books& b) {
           b.sessions().extend({"unknown", "ada", 10'000});
         },
         "not_found"},
        {"finalize: ended, other tokens",
         [](Books& b) {
           b.sessions().finalize({"ended", "ada", 11});
         },
         "session_closed"},
    });
  }

  TEST_CASE("price comes before balance") {
    check_rows({
        {"initialize: no price, short of credits",
         [](Books& b) {
           b.sessions().initialize({"new", "ada", "unpriced", 10'000});
         },
         "price_not_found"},
        {"initialize: costs too much for anybody",
         [](Books& b) {
           b.sessions().initialize({"new", "ada", "dear", 10'000});
         },
         "invalid_argument(estimated_tokens)"},
        {"initialize: short of credits",
         [](Books& b) {
           b.sessions().initialize({"new", "ada", "m", 10});
         },
         "insufficient_credits(required 12, available 10)"},
    });
  }

  TEST_CASE("what was refused can be asked anew under the same key and session id") {
    for_each_database([](Books& books) {
      open_books(books);
      const std::vector<std::function<void()>> refused = {
          [&] {
            books.sessions().initialize({"new", "ada", "unpriced", 1});
          },
          [&] {
            books.sessions().initialize({"new", "ada", "m", 10});
          },
          [&] {
            books.sessions().extend({"s", "ada", 100, "k"});
          },
          [&] {
            books.sessions().extend({"ended", "ada", 1, "k"});
          },
          [&] {
            books.credits().deduct({"ada", 11, "k"});
          },
          [&] {
            books.credits().charge({"ada", "s", "o", 11, {}, "k"});
          },
      };
      for (const auto& call : refused) {
        CHECK(outcome_of(call) != "ok");
      }
      CHECK(outcome_of([&] { books.sessions().initialize({"new", "ada", "m", 1}); }) == "ok");
      CHECK(outcome_of([&] { books.sessions().extend({"s", "ada", 1, "k"}); }) == "ok");
    });
  }
}

}  // namespace accounting::testing
