// The end of a session: what was used is paid, the rest comes back, and a usage record says so.
#include "support/books.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace accounting::testing {

TEST_SUITE("settlement") {
  TEST_CASE("what was not used comes back, what was used beyond the hold is charged") {
    struct Row {
      std::int64_t actual;
      std::int64_t refund;
      std::int64_t overage;
      std::int64_t uncollected;
      std::int64_t balance;
    };
    // 20 credits; a session that holds 12 of them, for an estimate of 10.
    const std::vector<Row> rows = {
        {0, 12, 0, 0, 20}, {1, 11, 0, 0, 19}, {10, 2, 0, 0, 10}, {12, 0, 0, 0, 8},
        {13, 0, 1, 0, 7},  {20, 0, 8, 0, 0},  {21, 0, 9, 1, 0},  {100, 0, 88, 80, 0},
    };
    const std::vector<std::string> ends = {"completed", "failed", "aborted"};
    for_each_database([&](Books& books) {
      books.price("m", "1000");
      for (const auto& end : ends) {
        for (const auto& row : rows) {
          CAPTURE(end);
          CAPTURE(row.actual);
          const std::string user = end + std::to_string(row.actual);
          books.account(user, 20);
          books.sessions().initialize({"s", user, "m", 10});
          books.advance(1s);
          const Settlement settlement =
              end == "aborted"
                  ? books.sessions().abort({"s", user, row.actual})
                  : books.sessions().finalize({"s", user, row.actual, end == "completed"});
          CHECK(to_string(settlement.status) == end);
          CHECK(settlement == Settlement{.user_id = user,
                                         .session_id = "s",
                                         .status = settlement.status,
                                         .estimated_credits = 10,
                                         .allocated_credits = 12,
                                         .actual_credits = row.actual,
                                         .refund = row.refund,
                                         .overage = row.overage,
                                         .uncollected = row.uncollected});
          CHECK(books.balance(user) == row.balance);
          CHECK(books.held(user) == 0);

          const auto session = books.sessions().get({"s", user});
          CHECK(session.status == settlement.status);
          CHECK(session.used_credits == row.actual);
          CHECK(session.completed_at == books.now());
          CHECK(session.allocated_credits == 12);

          const auto usage = books.usage_of(user);
          REQUIRE(usage.size() == 1);
          CHECK(usage[0].credits == row.actual);
          CHECK(usage[0].collected_credits == row.actual - row.uncollected);
        }
      }
    });
  }

  TEST_CASE("an abort that names no tokens is for none") {
    for_each_database([](Books& books) {
      books.account("ada", 20);
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 10'000});
      books.sessions().report({"s", "ada", 5'000});
      const auto settlement = books.sessions().abort({.session_id = "s", .user_id = "ada"});
      CHECK(settlement.actual_credits == 0);
      CHECK(settlement.refund == 12);
      CHECK(books.balance("ada") == 20);
    });
  }

  TEST_CASE("a refund goes back to the allocations it was held from, last taken first") {
    struct Row {
      std::int64_t actual;
      std::int64_t consumed[3];
    };
    // A session that holds 5, 5 and 2 credits of three allocations.
    const std::vector<Row> rows = {
        {0, {0, 0, 0}},  {1, {1, 0, 0}},  {5, {5, 0, 0}},  {6, {5, 1, 0}},
        {10, {5, 5, 0}}, {11, {5, 5, 1}}, {12, {5, 5, 2}}, {15, {5, 5, 5}},
    };
    for_each_database([&](Books& books) {
      books.price("m", "1000");
      for (const auto& [actual, consumed] : rows) {
        CAPTURE(actual);
        const std::string user = "u" + std::to_string(actual);
        books.account(user);
        books.give(user, 5, 3);
        books.give(user, 5, 6);
        books.give(user, 5, 9);
        books.sessions().initialize({"s", user, "m", 10});
        books.sessions().finalize({"s", user, actual});
        for (int index = 0; index < 3; ++index) {
          const auto allocation = books.allocation(user, index + 1);
          CHECK(allocation.consumed_credits == consumed[index]);
          CHECK(allocation.remaining_credits == 5 - consumed[index]);
        }
      }
    });
  }

  TEST_CASE("what goes back to an allocation that expired meanwhile has expired with it") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.price("m", "1000");
      books.give("ada", 6, 1);
      books.give("ada", 10, 2);
      books.sessions().initialize({"s", "ada", "m", 10});
      books.advance(days(1));
      const auto settlement = books.sessions().finalize({"s", "ada", 2});
      CHECK(settlement.refund == 10);
      CHECK(books.balance("ada") == 10);
      CHECK(books.allocation("ada", 1).remaining_credits == 4);
      CHECK(books.allocation("ada", 1).consumed_credits == 2);
      CHECK(books.credits().history({.user_id = "ada"}).total == 2);
    });
  }

  TEST_CASE("the price is the one of the beginning") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 10'000});
      books.advance(1s);
      books.price("m", "50");
      CHECK(books.sessions().extend({"s", "ada", 10'000}).estimated_credits == 20);
      CHECK(books.sessions().finalize({"s", "ada", 15'000}).actual_credits == 15);
    });
  }

  TEST_CASE("every end writes a usage record that tells of the session") {
    struct Row {
      const char* service;
      std::function<void(Books&)> end;
      std::int64_t tokens;
    };
    const std::vector<Row> rows = {
        {"chat-streaming",
         [](Books& books) {
           books.sessions().finalize({"s", "ada", 2'001});
         },
         2'001},
        {"chat-streaming-failed",
         [](Books& books) {
           books.sessions().finalize({"s", "ada", 2'001, false});
         },
         2'001},
        {"chat-streaming-aborted",
         [](Books& books) {
           books.sessions().abort({"s", "ada"});
         },
         0},
        {"chat-streaming-expired",
         [](Books& books) {
           books.clock()->set(kStart + 2h);
           books.sessions().expire_stale();
         },
         500},
    };
    for (const auto& row : rows) {
      SUBCASE(row.service) {
        for_each_database([&](Books& books) {
          books.account("ada", 100);
          books.price("some/model", "1");
          books.sessions().initialize({"s", "ada", "some/model", 10'000});
          books.sessions().report({"s", "ada", 500});
          books.advance(90s);
          row.end(books);
          const auto usage = books.usage_of("ada");
          REQUIRE(usage.size() == 1);
          CHECK(usage[0].service == row.service);
          CHECK(usage[0].operation == "some/model");
          CHECK(usage[0].timestamp == books.now());
          REQUIRE(usage[0].metadata);
          const auto metadata = nlohmann::json::parse(*usage[0].metadata);
          CHECK(metadata.dump() == *usage[0].metadata);
          CHECK(metadata["session_id"] == "s");
          CHECK(metadata["tokens"] == row.tokens);
          CHECK(metadata["estimated_credits"] == 10);
          CHECK(metadata["duration"] == (books.now() - kStart) / 1s);
        });
      }
    }
  }
}

}  // namespace accounting::testing
