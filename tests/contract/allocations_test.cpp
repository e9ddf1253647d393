// Allocations: credits given to an account for a time.
#include "support/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

AllocateRequest ten_for_ada() { return {.user_id = "ada", .credits = 10, .allocated_by = "admin"}; }

std::vector<std::int64_t> ids_of(const std::vector<CreditAllocation>& allocations) {
  std::vector<std::int64_t> ids;
  for (const auto& allocation : allocations) {
    ids.push_back(allocation.id);
  }
  return ids;
}

}  // namespace

TEST_SUITE("allocations") {
  TEST_CASE("an allocation tells who gave how much, when and until when") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.advance(90s);
      auto request = ten_for_ada();
      request.notes = "welcome \xE2\x9C\x93";
      request.allocated_by = "not-an-account";
      const auto allocation = books.credits().allocate(request);
      CHECK(allocation == CreditAllocation{.id = 1,
                                           .user_id = "ada",
                                           .total_credits = 10,
                                           .remaining_credits = 10,
                                           .allocated_by = "not-an-account",
                                           .allocated_at = kStart + 90s,
                                           .effective_at = kStart + 90s,
                                           .expires_at = kStart + 90s + days(30),
                                           .notes = "welcome \xE2\x9C\x93",
                                           .revoked_at = std::nullopt,
                                           .revoked_by = std::nullopt});
      CHECK(books.credits().balance("ada") ==
            Balance{.total_credits = 10, .held_credits = 0, .active_allocations = {allocation}});
    });
  }

  TEST_CASE("ids count from 1 within the account") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob");
      CHECK(books.give("ada", 1, 1).id == 1);
      CHECK(books.give("bob", 1, 1).id == 1);
      CHECK(books.give("ada", 1, 1).id == 2);
    });
  }

  TEST_CASE("an allocation expires by one of four rules") {
    struct Row {
      const char* rule;
      std::optional<std::int64_t> expiry_days;
      std::optional<Timestamp> expires_at;
      bool never_expires;
      std::optional<Timestamp> effective_at;
      std::optional<Timestamp> expected;
    };
    const auto none = std::nullopt;
    const std::vector<Row> rows = {
        {"the policy's days", none, none, false, none, kStart + days(30)},
        {"days of 24 hours", 1, none, false, none, kStart + 24h},
        {"days count from now, not from the start", 10, none, false, kStart + days(3),
         kStart + days(10)},
        {"the policy's days count from now as well", none, none, false, kStart + days(3),
         kStart + days(30)},
        {"days with a start in the past", 1, none, false, kStart - days(3), kStart + days(1)},
        {"an instant", none, kStart + 1us, false, none, kStart + 1us},
        {"an instant after the start", none, kStart + 2h, false, kStart + 1h, kStart + 2h},
        {"never", none, none, true, none, none},
        {"never, from later on", none, none, true, kStart + days(400), none},
    };
    for_each_database([&](Books& books) {
      books.account("ada");
      for (const auto& row : rows) {
        CAPTURE(row.rule);
        auto request = ten_for_ada();
        request.expiry_days = row.expiry_days;
        request.expires_at = row.expires_at;
        request.never_expires = row.never_expires;
        request.effective_at = row.effective_at;
        const auto allocation = books.credits().allocate(request);
        CHECK(allocation.expires_at == row.expected);
        CHECK(allocation.effective_at == row.effective_at.value_or(kStart));
        CHECK(allocation.allocated_at == kStart);
        CHECK(books.allocation("ada", allocation.id) == allocation);
      }
    });
  }

  TEST_CASE("the policy says how long an allocation lives that names no expiry") {
    for_each_database({.policy = {.allocation_expiry_days = 7}}, [](Books& books) {
      books.account("ada");
      CHECK(books.credits().allocate(ten_for_ada()).expires_at == kStart + days(7));
    });
  }

  TEST_CASE("an allocation names at most one expiry") {
    for_each_database([](Books& books) {
      books.account("ada");
      for (const int two : {0b011, 0b101, 0b110, 0b111}) {
        auto request = ten_for_ada();
        if ((two & 0b001) != 0) {
          request.expiry_days = 30;
        }
        if ((two & 0b010) != 0) {
          request.expires_at = kStart + days(30);
        }
        request.never_expires = (two & 0b100) != 0;
        CAPTURE(two);
        CHECK_THROWS_AS(books.credits().allocate(request), InvalidArgument);
      }
      CHECK(books.credits().history({.user_id = "ada"}).total == 0);
    });
  }

  TEST_CASE("an expiry lies after now and after the start") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.advance(days(1));
      const Timestamp now = books.now();
      struct Row {
        std::optional<Timestamp> effective_at;
        Timestamp expires_at;
        const char* outcome;
      };
      const std::vector<Row> rows = {
          {std::nullopt, now - 1us, "invalid_argument(expires_at)"},
          {std::nullopt, now, "invalid_argument(expires_at)"},
          {std::nullopt, now + 1us, "ok"},
          {now - 1h, now, "invalid_argument(expires_at)"},
          {now + 1h, now + 1h - 1us, "invalid_argument(expires_at)"},
          {now + 1h, now + 1h, "invalid_argument(expires_at)"},
          {now + 1h, now + 1h + 1us, "ok"},
      };
      for (const auto& row : rows) {
        CAPTURE(row.effective_at);
        CAPTURE(row.expires_at);
        auto request = ten_for_ada();
        request.effective_at = row.effective_at;
        request.expires_at = row.expires_at;
        CHECK(outcome_of([&] { books.credits().allocate(request); }) == row.outcome);
      }
    });
  }

  TEST_CASE("credits are active from their start until just before their expiry") {
    for_each_database([](Books& books) {
      books.account("ada");
      auto request = ten_for_ada();
      request.effective_at = kStart + 1h;
      request.expires_at = kStart + 2h;
      books.credits().allocate(request);
      struct Row {
        Timestamp now;
        std::int64_t balance;
      };
      for (const auto& [now, balance] : std::vector<Row>{{kStart, 0},
                                                         {kStart + 1h - 1us, 0},
                                                         {kStart + 1h, 10},
                                                         {kStart + 2h - 1us, 10},
                                                         {kStart + 2h, 0},
                                                         {kStart + days(9), 0}}) {
        CAPTURE(now);
        books.clock()->set(now);
        CHECK(books.balance("ada") == balance);
        CHECK(books.credits().check({.user_id = "ada", .credits = 10}) == (balance == 10));
        CHECK(books.credits().balance("ada").active_allocations.size() == (balance > 0 ? 1 : 0));
        if (balance == 0) {
          CHECK(outcome_of([&] { books.credits().deduct({.user_id = "ada", .credits = 1}); }) ==
                "insufficient_credits(required 1, available 0)");
        }
      }
      CHECK(books.allocation("ada", 1).remaining_credits == 10);
    });
  }

  TEST_CASE("check says whether an amount could be spent, and takes nothing") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      books.give("ada", 5, 1);
      CHECK(books.credits().check({.user_id = "ada", .credits = 0}));
      CHECK(books.credits().check({.user_id = "ada", .credits = 1}));
      CHECK(books.credits().check({.user_id = "ada", .credits = 15}));
      CHECK_FALSE(books.credits().check({.user_id = "ada", .credits = 16}));
      CHECK(books.balance("ada") == 15);
      CHECK(books.entries("ada").size() == 2);
    });
  }

  TEST_CASE("several allocations are made together, answered in order, or not at all") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob");
      const AllocateRequest for_ada{.user_id = "ada", .credits = 1, .allocated_by = "admin"};
      const AllocateRequest for_bob{.user_id = "bob", .credits = 2, .allocated_by = "admin"};
      const AllocateRequest for_nobody{.user_id = "no", .credits = 4, .allocated_by = "admin"};
      const AllocateRequest invalid{.user_id = "ada", .credits = 0, .allocated_by = "admin"};

      CHECK(outcome_of([&] {
              books.credits().allocate_many({for_ada, for_bob, for_nobody});
            }) == "not_found");
      CHECK_THROWS_AS(books.credits().allocate_many({for_ada, invalid}), InvalidArgument);
      CHECK(books.balance("ada") == 0);
      CHECK(books.balance("bob") == 0);

      const auto made = books.credits().allocate_many({for_bob, for_ada, for_bob});
      REQUIRE(made.size() == 3);
      CHECK(ids_of(made) == std::vector<std::int64_t>{1, 1, 2});
      CHECK(made[0].user_id == "bob");
      CHECK(made[1].user_id == "ada");
      CHECK(made[2] == books.allocation("bob", 2));
      CHECK(books.balance("ada") == 1);
      CHECK(books.balance("bob") == 4);
      CHECK(books.credits().allocate_many({}).empty());
    });
  }

  TEST_CASE("the history shows allocations in any state, newest first, in pages") {
    for_each_database([](Books& books) {
      books.account("ada");
      CHECK(books.credits().history({.user_id = "ada"}) == Page<CreditAllocation>{});
      for (int day = 1; day <= 5; ++day) {
        books.give("ada", day, day);
        books.advance(1s);
      }
      books.credits().revoke({.allocation_id = 2, .user_id = "ada", .revoked_by = "admin"});
      books.credits().deduct({.user_id = "ada", .credits = 1});
      books.advance(days(3));
      const auto all = books.credits().history({.user_id = "ada"});
      CHECK(ids_of(all.items) == std::vector<std::int64_t>{5, 4, 3, 2, 1});
      CHECK(all.total == 5);
      const auto second = books.credits().history({.user_id = "ada", .page = 2, .limit = 2});
      CHECK(ids_of(second.items) == std::vector<std::int64_t>{3, 2});
      CHECK(second.page == 2);
      CHECK(second.total_pages == 3);
      CHECK(books.credits().history({.user_id = "ada", .page = 4, .limit = 2}).items.empty());
    });
  }

  TEST_CASE("amounts reach 10^15 each, and more together") {
    for_each_database([](Books& books) {
      books.account("ada");
      for (int time = 0; time < 3; ++time) {
        books.give("ada", kMostCredits, 1);
      }
      CHECK(books.balance("ada") == 3 * kMostCredits);
      books.credits().deduct({.user_id = "ada", .credits = kMostCredits});
      CHECK(books.balance("ada") == 2 * kMostCredits);
    });
  }
}

}  // namespace accounting::testing
