// Streaming sessions: credits held while an answer streams, settled when it ends.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

std::vector<std::string> ids_of(const std::vector<StreamingSession>& sessions) {
  std::vector<std::string> ids;
  for (const auto& session : sessions) {
    ids.push_back(session.user_id + "/" + session.session_id);
  }
  return ids;
}

}  // namespace

TEST_SUITE("sessions: initialize") {
  TEST_CASE("the estimate and a buffer leave the balance in burn order and are held") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 5, 3);
      books.give("ada", 95, 9);
      books.price("m", "2");
      books.advance(7s);
      const auto session = books.sessions().initialize(
          {.session_id = "s", .user_id = "ada", .model_id = "m", .estimated_tokens = 5'000});
      CHECK(session == StreamingSession{.session_id = "s",
                                        .user_id = "ada",
                                        .model_id = "m",
                                        .status = SessionStatus::active,
                                        .estimated_tokens = 5'000,
                                        .reported_tokens = std::nullopt,
                                        .estimated_credits = 10,
                                        .allocated_credits = 12,
                                        .used_credits = 0,
                                        .started_at = kStart + 7s,
                                        .last_activity_at = kStart + 7s,
                                        .expires_at = kStart + 7s + 1h,
                                        .completed_at = std::nullopt});
      CHECK(books.sessions().get({.session_id = "s", .user_id = "ada"}) == session);
      CHECK(books.balance("ada") == 88);
      CHECK(books.held("ada") == 12);
      CHECK(books.allocation("ada", 1).held_credits == 5);
      CHECK(books.allocation("ada", 2).held_credits == 7);
      CHECK(books.usage_of("ada").empty());
    });
  }

  TEST_CASE("the hold is the estimate and the buffer, rounded up") {
    struct Row {
      std::int64_t buffer;
      std::int64_t estimate;
      std::int64_t hold;
    };
    const std::vector<Row> rows = {
        {2'000, 0, 0},       {2'000, 1, 2},      {2'000, 4, 5},       {2'000, 5, 6},
        {2'000, 6, 8},       {2'000, 100, 120},  {2'000, 101, 122},   {0, 7, 7},
        {1, 1, 2},           {1, 9'999, 10'000}, {1, 10'000, 10'001}, {10'000, 7, 14},
        {1'000'000, 3, 303}, {3'333, 3, 4},      {3'334, 3, 5},
    };
    for (const std::int64_t buffer : {0, 1, 2'000, 3'333, 3'334, 10'000, 1'000'000}) {
      SUBCASE(std::to_string(buffer).c_str()) {
        for_each_database({.policy = {.buffer = buffer}}, [&](Books& books) {
          books.account("ada", 1'000'000);
          books.price("m", "1000");
          for (const auto& row : rows) {
            if (row.buffer == buffer) {
              CAPTURE(row.estimate);
              const auto session = books.sessions().initialize(
                  {"s" + std::to_string(row.estimate), "ada", "m", row.estimate});
              CHECK(session.estimated_credits == row.estimate);
              CHECK(session.allocated_credits == row.hold);
            }
          }
        });
      }
    }
  }

  TEST_CASE("short of credits nothing is held, and the session id stays free") {
    for_each_database([](Books& books) {
      books.account("ada", 11);
      books.price("m", "1");
      CHECK(outcome_of([&] {
              books.sessions().initialize({"s", "ada", "m", 10'000});
            }) == "insufficient_credits(required 12, available 11)");
      CHECK(books.balance("ada") == 11);
      CHECK(books.held("ada") == 0);
      CHECK(books.entries("ada").size() == 1);
      CHECK(outcome_of([&] {
              return books.sessions().get({.session_id = "s", .user_id = "ada"});
            }) == "not_found");
      CHECK(books.sessions().active("ada").empty());
      CHECK(books.sessions().initialize({"s", "ada", "m", 9'000}).allocated_credits == 11);
    });
  }

  TEST_CASE("a model without a price is refused") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      CHECK(outcome_of([&] {
              books.sessions().initialize({"s", "ada", "m", 1});
            }) == "price_not_found");
      CHECK(books.sessions().active("ada").empty());
      books.price("m", "1");
      CHECK(books.sessions().initialize({"s", "ada", "m", 1}).allocated_credits == 2);
    });
  }

  TEST_CASE("a session of no tokens, or at no price, holds nothing and needs no balance") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.price("m", "1");
      books.price("free", "0");
      CHECK(books.sessions().initialize({"s", "ada", "m", 0}).allocated_credits == 0);
      CHECK(books.sessions().initialize({"f", "ada", "free", kMostTokens}).allocated_credits == 0);
      CHECK(books.sessions().active("ada").size() == 2);
      CHECK(books.sessions().finalize({"s", "ada", 0}).refund == 0);
      CHECK(books.sessions().finalize({"f", "ada", kMostTokens}).actual_credits == 0);
      CHECK(books.usage_of("ada").size() == 2);
    });
  }

  TEST_CASE("a session id names a session of one account only") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.account("bob", 100);
      books.account("eve", 100);
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 10'000});
      books.sessions().initialize({"s", "bob", "m", 20'000});
      CHECK(books.sessions().finalize({"s", "ada", 1'000}).actual_credits == 1);
      CHECK(books.sessions().get({"s", "bob"}).status == SessionStatus::active);
      CHECK(books.sessions().get({"s", "bob"}).estimated_credits == 20);
      CHECK(outcome_of([&] { return books.sessions().get({"s", "eve"}); }) == "not_found");
      CHECK(outcome_of([&] { books.sessions().finalize({"s", "eve", 1}); }) == "not_found");
    });
  }
}

TEST_SUITE("sessions: lists") {
  TEST_CASE("active sessions are listed oldest first, an account's own or all") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.account("bob", 100);
      books.price("m", "1");
      for (const auto& [user, session] : std::vector<std::pair<std::string, std::string>>{
               {"ada", "z"}, {"bob", "y"}, {"ada", "x"}, {"ada", "w"}}) {
        books.sessions().initialize({session, user, "m", 1'000});
        books.advance(1s);
      }
      books.sessions().report({"z", "ada", 1});
      CHECK(ids_of(books.sessions().active("ada")) ==
            std::vector<std::string>{"ada/z", "ada/x", "ada/w"});
      CHECK(ids_of(books.sessions().all_active()) ==
            std::vector<std::string>{"ada/z", "bob/y", "ada/x", "ada/w"});
      CHECK(books.sessions().active("ada")[1] == books.sessions().get({"x", "ada"}));

      books.sessions().finalize({"x", "ada", 1});
      books.sessions().abort({"y", "bob"});
      CHECK(ids_of(books.sessions().active("ada")) == std::vector<std::string>{"ada/z", "ada/w"});
      CHECK(books.sessions().active("bob").empty());
      CHECK(ids_of(books.sessions().all_active()) == std::vector<std::string>{"ada/z", "ada/w"});
    });
  }
}

}  // namespace accounting::testing
