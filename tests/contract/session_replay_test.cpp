// Sessions begin once and end once: the same call again answers the same, any other is refused.
#include "support/books.hpp"

#include <functional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// An account of 100 credits and a session "s" that holds 12 of them.
StreamingSession begin(Books& books) {
  books.account("ada", 100);
  books.price("m", "1");
  return books.sessions().initialize({"s", "ada", "m", 10'000});
}

struct End {
  const char* name;
  std::function<Settlement(Books&)> call;
};

const std::vector<End>& ends() {
  static const std::vector<End> table = {
      {"finalize 5,000",
       [](Books& b) {
         return b.sessions().finalize({"s", "ada", 5'000});
       }},
      {"finalize 5,001",
       [](Books& b) {
         return b.sessions().finalize({"s", "ada", 5'001});
       }},
      {"finalize 0",
       [](Books& b) {
         return b.sessions().finalize({"s", "ada", 0});
       }},
      {"finalize 20,000",
       [](Books& b) {
         return b.sessions().finalize({"s", "ada", 20'000});
       }},
      {"fail 5,000",
       [](Books& b) {
         return b.sessions().finalize({"s", "ada", 5'000, false});
       }},
      {"fail 0",
       [](Books& b) {
         return b.sessions().finalize({"s", "ada", 0, false});
       }},
      {"abort 5,000",
       [](Books& b) {
         return b.sessions().abort({"s", "ada", 5'000});
       }},
      {"abort 0",
       [](Books& b) {
         return b.sessions().abort({"s", "ada"});
       }},
  };
  return table;
}

}  // namespace

TEST_SUITE("session replays") {
  TEST_CASE("initialize again answers the stored session and holds nothing more") {
    for_each_database([](Books& books) {
      const auto first = begin(books);
      books.advance(10min);
      CHECK(books.sessions().initialize({"s", "ada", "m", 10'000}) == first);
      CHECK(books.held("ada") == 12);
      CHECK(books.balance("ada") == 88);
      // No sign of life either.
      CHECK(books.sessions().get({"s", "ada"}).last_activity_at == kStart);
    });
  }

  TEST_CASE("initialize with other arguments is a Conflict, whatever else would be wrong") {
    for_each_database([](Books& books) {
      begin(books);
      books.price("other", "1");
      const std::vector<InitializeRequest> others = {
          {"s", "ada", "m", 10'001},     {"s", "ada", "m", 0},
          {"s", "ada", "other", 10'000}, {"s", "ada", "unpriced", 10'000},
          {"s", "ada", "m", 1'000'000},  {"s", "ada", "m", TokenCounts{.input = 10'000}},
      };
      for (const auto& request : others) {
        CAPTURE(request.model_id);
        CAPTURE(request.estimated_tokens);
        CHECK(outcome_of([&] { books.sessions().initialize(request); }) == "conflict");
      }
      CHECK(books.held("ada") == 12);
    });
  }

  TEST_CASE("a replay of initialize names the first estimate, and answers the present one") {
    for_each_database([](Books& books) {
      begin(books);
      const auto extended = books.sessions().extend({"s", "ada", 10'000});
      CHECK(books.sessions().initialize({"s", "ada", "m", 10'000}) == extended);
      CHECK(outcome_of([&] {
              books.sessions().initialize({"s", "ada", "m", 20'000});
            }) == "conflict");
    });
  }

  TEST_CASE("initialize again works without a price and without credits") {
    for_each_database([](Books& books) {
      books.account("ada", 12);
      books.pricing().set({.model_id = "m",
                           .price_per_1k_tokens = "1",
                           .created_by = "admin",
                           .effective_to = kStart + 1h});
      const auto first = books.sessions().initialize({"s", "ada", "m", 10'000});
      books.advance(2h);
      CHECK(books.balance("ada") == 0);
      CHECK(books.sessions().initialize({"s", "ada", "m", 10'000}) == first);
    });
  }

  TEST_CASE("an end again, by the same call with the same arguments, answers the same") {
    for (const auto& end : ends()) {
      SUBCASE(end.name) {
        for_each_database([&](Books& books) {
          begin(books);
          const Settlement first = end.call(books);
          const auto session = books.sessions().get({"s", "ada"});
          const auto balance = books.balance("ada");
          const auto entries = books.entries("ada");
          books.advance(2h);
          for (const auto& other : ends()) {
            CAPTURE(other.name);
            if (std::string(other.name) == end.name) {
              CHECK(other.call(books) == first);
            } else {
              CHECK(outcome_of([&] { other.call(books); }) == "session_closed");
            }
          }
          CHECK(books.sessions().get({"s", "ada"}) == session);
          CHECK(books.balance("ada") == balance);
          CHECK(books.entries("ada") == entries);
          CHECK(books.usage_of("ada").size() == 1);
        });
      }
    }
  }

  TEST_CASE("the settlement is the same also when the account has changed since") {
    for_each_database([](Books& books) {
      begin(books);
      const auto first = books.sessions().finalize({"s", "ada", 200'000});
      CHECK(first.uncollected == 100);
      books.give("ada", 1'000, 30);
      books.credits().revoke({.allocation_id = 1, .user_id = "ada", .revoked_by = "admin"});
      books.advance(days(60));
      CHECK(books.sessions().finalize({"s", "ada", 200'000}) == first);
    });
  }

  TEST_CASE("after the end nothing can be reported, extended or ended in another form") {
    for (const auto& end : ends()) {
      SUBCASE(end.name) {
        for_each_database([&](Books& books) {
          begin(books);
          end.call(books);
          const auto ended = books.sessions().get({"s", "ada"});
          const auto sessions = books.sessions();
          auto calls = sessions;
          CHECK(outcome_of([&] { calls.report({"s", "ada", 1}); }) == "session_closed");
          CHECK(outcome_of([&] { calls.extend({"s", "ada", 1}); }) == "session_closed");
          CHECK(outcome_of([&] { calls.extend({"s", "ada", 0, "k"}); }) == "session_closed");
          CHECK(outcome_of([&] { calls.extend({"s", "ada", kMostTokens}); }) == "session_closed");
          CHECK(outcome_of([&] {
                  calls.finalize({"s", "ada", TokenCounts{.input = 5'000}});
                }) == "session_closed");
          CHECK(calls.get({"s", "ada"}) == ended);
          // Beginning it again answers how it ended.
          CHECK(calls.initialize({"s", "ada", "m", 10'000}) == ended);
          CHECK(outcome_of([&] { calls.initialize({"s", "ada", "m", 1}); }) == "conflict");
        });
      }
    }
  }

  TEST_CASE("a session that expired can only be looked at") {
    for_each_database([](Books& books) {
      begin(books);
      books.sessions().report({"s", "ada", 5'000});
      books.advance(1h);
      REQUIRE(books.sessions().expire_stale().size() == 1);
      for (const auto& end : ends()) {
        CAPTURE(end.name);
        CHECK(outcome_of([&] { end.call(books); }) == "session_closed");
      }
      CHECK(outcome_of([&] { books.sessions().report({"s", "ada", 1}); }) == "session_closed");
      const auto session = books.sessions().initialize({"s", "ada", "m", 10'000});
      CHECK(session.status == SessionStatus::expired);
      CHECK(session.used_credits == 5);
    });
  }

  TEST_CASE("an unknown session is NotFound for every call") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      auto calls = books.sessions();
      CHECK(outcome_of([&] { return calls.get({"s", "ada"}); }) == "not_found");
      CHECK(outcome_of([&] { calls.report({"s", "ada", 1}); }) == "not_found");
      CHECK(outcome_of([&] { calls.extend({"s", "ada", 1}); }) == "not_found");
      CHECK(outcome_of([&] { calls.finalize({"s", "ada", 1}); }) == "not_found");
      CHECK(outcome_of([&] { calls.abort({"s", "ada", 1}); }) == "not_found");
    });
  }
}

}  // namespace accounting::testing
