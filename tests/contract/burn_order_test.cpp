// Burn order: earliest expiry first (none last), then allocated_at, then id.
#include "support/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// An allocation of a table: credits, the day of its expiry (0: never) and the second at which it
/// is made.
struct Given {
  std::int64_t credits;
  int day;
  int second = 0;
};

struct Row {
  const char* rule;
  std::vector<Given> given;
  std::int64_t taken;
  Slices expected;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {"one allocation", {{10, 5}}, 4, {{1, 4}}},
      {"earliest expiry first", {{10, 5}, {10, 2}}, 4, {{2, 4}}},
      {"then the next", {{10, 5}, {10, 2}}, 14, {{2, 10}, {1, 4}}},
      {"down to the last credit", {{10, 5}, {10, 2}}, 20, {{2, 10}, {1, 10}}},
      {"exactly one allocation", {{10, 5}, {10, 2}}, 10, {{2, 10}}},
      {"one that never expires comes last", {{10, 0}, {10, 9}}, 15, {{2, 10}, {1, 5}}},
      {"of two that never expire, the older", {{10, 0, 1}, {10, 0, 0}}, 5, {{2, 5}}},
      {"same expiry: allocated first, taken first", {{3, 5, 0}, {3, 5, 1}}, 4, {{1, 3}, {2, 1}}},
      {"same expiry and time: the smaller id",
       {{3, 5}, {3, 5}, {3, 5}},
       7,
       {{1, 3}, {2, 3}, {3, 1}}},
      {"expiry before age", {{3, 6, 0}, {3, 5, 9}}, 4, {{2, 3}, {1, 1}}},
      {"four in all orders",
       {{1, 0, 0}, {2, 9, 1}, {4, 3, 2}, {8, 3, 3}},
       15,
       {{3, 4}, {4, 8}, {2, 2}, {1, 1}}},
  };
  return table;
}

}  // namespace

TEST_SUITE("burn order") {
  TEST_CASE("credits are taken in burn order, and the balance lists them in it") {
    for_each_database([](Books& books) {
      for (std::size_t index = 0; index < rows().size(); ++index) {
        const Row& row = rows()[index];
        CAPTURE(row.rule);
        const std::string user = "u" + std::to_string(index);
        books.clock()->set(kStart);
        books.account(user);
        for (const auto& given : row.given) {
          books.clock()->set(kStart + std::chrono::seconds(given.second));
          AllocateRequest request{
              .user_id = user, .credits = given.credits, .allocated_by = "admin"};
          request.never_expires = given.day == 0;
          if (given.day != 0) {
            request.expires_at = kStart + days(given.day);
          }
          books.credits().allocate(request);
        }
        std::vector<std::int64_t> listed;
        for (const auto& item : books.credits().balance(user).active_allocations) {
          listed.push_back(item.id);
        }
        for (std::size_t place = 0; place < row.expected.size(); ++place) {
          CHECK(listed.at(place) == row.expected[place].allocation_id);
        }

        const Deduction deduction = books.credits().deduct({.user_id = user, .credits = row.taken});
        CHECK(deduction.credits == row.taken);
        CHECK(deduction.slices == row.expected);
        for (const Slice& slice : row.expected) {
          CHECK(books.allocation(user, slice.allocation_id).consumed_credits == slice.credits);
        }
      }
    });
  }

  TEST_CASE("a session holds and an overage is charged in the same order") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.price("m", "1000");
      books.give("ada", 10, 9);
      books.give("ada", 10, 3);
      books.give("ada", 10, 6);
      books.sessions().initialize({"s", "ada", "m", 10});
      CHECK(books.allocation("ada", 2).held_credits == 10);
      CHECK(books.allocation("ada", 3).held_credits == 2);
      CHECK(books.allocation("ada", 1).held_credits == 0);
      books.sessions().finalize({"s", "ada", 21});
      CHECK(books.allocation("ada", 2).consumed_credits == 10);
      CHECK(books.allocation("ada", 3).consumed_credits == 10);
      CHECK(books.allocation("ada", 1).consumed_credits == 1);
    });
  }

  TEST_CASE("what has expired, not begun or been revoked is passed over") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 5, 1);
      books.give("ada", 5, 3);
      books.give("ada", 5, 4);
      books.credits().allocate({.user_id = "ada",
                                .credits = 5,
                                .allocated_by = "admin",
                                .expires_at = kStart + days(5),
                                .effective_at = kStart + days(4)});
      books.give("ada", 5, 6);
      books.credits().revoke({.allocation_id = 3, .user_id = "ada", .revoked_by = "admin"});
      books.advance(days(2));
      CHECK(books.balance("ada") == 10);
      CHECK(books.credits().deduct({.user_id = "ada", .credits = 10}).slices ==
            Slices{{2, 5}, {5, 5}});
      CHECK(books.allocation("ada", 1).remaining_credits == 5);
      CHECK(books.allocation("ada", 4).remaining_credits == 5);
    });
  }

  TEST_CASE("an account of many allocations is burnt to the last one") {
    for_each_database([](Books& books) {
      books.account("ada");
      std::vector<AllocateRequest> requests;
      constexpr std::int64_t kMany = 150;
      for (std::int64_t number = 0; number < kMany; ++number) {
        // Later allocations expire earlier, so that the burn order is not the order of the ids.
        requests.push_back({.user_id = "ada",
                            .credits = 2,
                            .allocated_by = "admin",
                            .expires_at = kStart + days(400 - number)});
      }
      books.credits().allocate_many(requests);
      const auto first = books.credits().deduct({.user_id = "ada", .credits = 99});
      REQUIRE(first.slices.size() == 50);
      CHECK(first.slices.front() == Slice{kMany, 2});
      CHECK(first.slices.back() == Slice{kMany - 49, 1});
      CHECK(outcome_of([&] { books.credits().deduct({.user_id = "ada", .credits = 202}); }) ==
            "insufficient_credits(required 202, available 201)");
      const auto rest = books.credits().deduct({.user_id = "ada", .credits = 201});
      CHECK(rest.slices.size() == 101);
      CHECK(rest.slices.front() == Slice{kMany - 49, 1});
      CHECK(rest.slices.back() == Slice{1, 2});
      CHECK(books.balance("ada") == 0);
    });
  }

  TEST_CASE("many allocations that cannot be used do not hide one that can") {
    for_each_database([](Books& books) {
      books.account("ada");
      std::vector<AllocateRequest> requests;
      for (std::int64_t number = 0; number < 50; ++number) {
        requests.push_back({.user_id = "ada",
                            .credits = 2,
                            .allocated_by = "expired by then",
                            .expires_at = kStart + days(1)});
        requests.push_back({.user_id = "ada",
                            .credits = 2,
                            .allocated_by = "not begun by then",
                            .expires_at = kStart + days(3),
                            .effective_at = kStart + days(2)});
      }
      books.credits().allocate_many(requests);
      const auto usable = books.give("ada", 7, 9);
      books.advance(days(1));
      CHECK(books.balance("ada") == 7);
      CHECK(books.credits().deduct({.user_id = "ada", .credits = 7}).slices ==
            Slices{{usable.id, 7}});
      CHECK(outcome_of([&] { books.credits().deduct({.user_id = "ada", .credits = 1}); }) ==
            "insufficient_credits(required 1, available 0)");
    });
  }

  TEST_CASE("of many with the same expiry the first allocated goes first, whatever its id") {
    for_each_database([](Books& books) {
      books.account("ada");
      constexpr std::int64_t kMany = 80;
      for (const bool never : {false, true}) {
        for (std::int64_t number = 1; number <= kMany; ++number) {
          // The clock goes back, so that later ids were allocated earlier.
          books.clock()->set(kStart - std::chrono::seconds(number));
          AllocateRequest request{.user_id = "ada", .credits = 1, .allocated_by = "admin"};
          request.never_expires = never;
          if (!never) {
            request.expires_at = kStart + days(1);
          }
          books.credits().allocate(request);
        }
      }
      books.clock()->set(kStart);
      CHECK(books.credits().deduct({.user_id = "ada", .credits = 2}).slices ==
            Slices{{kMany, 1}, {kMany - 1, 1}});
      const auto rest = books.credits().deduct({.user_id = "ada", .credits = kMany}).slices;
      CHECK(rest.front() == Slice{kMany - 2, 1});
      CHECK(rest.back() == Slice{2 * kMany - 1, 1});
    });
  }

  TEST_CASE("sessions hold, extend, overrun and refund over many allocations") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.price("m", "1000");
      books.credits().allocate_many(std::vector<AllocateRequest>(
          200, {.user_id = "ada", .credits = 1, .allocated_by = "admin"}));
      books.sessions().initialize({"over", "ada", "m", 50});
      books.sessions().extend({"over", "ada", 25});
      CHECK(books.held("ada") == 90);
      const auto over = books.sessions().finalize({"over", "ada", 150});
      CHECK(over.overage == 60);
      CHECK(over.uncollected == 0);
      CHECK(books.balance("ada") == 50);

      books.sessions().initialize({"back", "ada", "m", 40});
      const auto back = books.sessions().finalize({"back", "ada", 3});
      CHECK(back.refund == 45);
      CHECK(books.balance("ada") == 47);
      // First taken, first paid: 150 of the first session, 3 of the second.
      CHECK(books.allocation("ada", 153).consumed_credits == 1);
      CHECK(books.allocation("ada", 154).remaining_credits == 1);
    });
  }

  TEST_CASE("many charges in one call take one allocation after the other") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.credits().allocate_many(std::vector<AllocateRequest>(
          80, {.user_id = "ada", .credits = 1, .allocated_by = "admin"}));
      const auto outcomes =
          books.credits().charge_many(std::vector<ChargeRequest>(81, {"ada", "chat", "m", 1}));
      for (std::int64_t number = 1; number <= 80; ++number) {
        CHECK(outcomes.at(static_cast<std::size_t>(number) - 1).value().deduction.slices ==
              Slices{{number, 1}});
      }
      CHECK_FALSE(outcomes.back().ok());
    });
  }
}

}  // namespace accounting::testing
