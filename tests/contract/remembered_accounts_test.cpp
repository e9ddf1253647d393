// Remembered accounts: a process may decide over accounts as it left them, but never over what
// somebody else has changed since, and never answers differently for it.
#include "support/books.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

const std::vector<Database> kShared = {Database::sqlite_file, Database::postgresql,
                                       Database::postgresql_unpipelined,
                                       Database::postgresql_partitioned};

Charge charge(const Books& books, std::int64_t credits, const std::string& key = {},
              const std::string& user = "ada") {
  return books.credits().charge(
      {.user_id = user,
       .service = "chat",
       .operation = "m",
       .credits = credits,
       .metadata = {},
       .idempotency_key = key.empty() ? std::nullopt : std::optional(key)});
}

/// What another process does to the account of a user who has #1 of 100 credits for ten days and
/// was charged 10 twice, and where a charge of 10 takes its credits from after that.
struct Deed {
  const char* name;
  std::function<void(Accounting&, const std::string& user)> work;
  Slices taken;
};

const std::vector<Deed>& deeds() {
  static const std::vector<Deed> table = {
      {"a charge",
       [](Accounting& other, const std::string& user) {
         other.credits().charge({user, "chat", "m", 75});
       },
       {{1, 5}}},
      {"credits that expire sooner",
       [](Accounting& other, const std::string& user) {
         other.credits().allocate({.user_id = user,
                                   .credits = 4,
                                   .allocated_by = "admin",
                                   .expires_at = kStart + days(2)});
       },
       {{2, 4}, {1, 6}}},
      {"a session that holds credits",
       [](Accounting& other, const std::string& user) {
         other.sessions().initialize({"s", user, "m", 60});
       },
       {{1, 8}}},
      {"a session that gives all back",
       [](Accounting& other, const std::string& user) {
         other.sessions().initialize({"s", user, "m", 60});
         other.sessions().abort({"s", user});
       },
       {{1, 10}}},
      {"the end of the allocation, and a new one",
       [](Accounting& other, const std::string& user) {
         other.credits().revoke({1, user, "admin"});
         other.credits().allocate({user, 50, "admin"});
       },
       {{2, 10}}},
      {"a transaction of several steps",
       [](Accounting& other, const std::string& user) {
         other.transact([&](Transaction& transaction) {
           transaction.credits().deduct({user, 3});
           transaction.credits().allocate({.user_id = user,
                                           .credits = 7,
                                           .allocated_by = "admin",
                                           .expires_at = kStart + days(1)});
         });
       },
       {{2, 7}, {1, 3}}},
  };
  return table;
}

/// Shows a later time once, then an earlier one: it is set back while a call is under way.
class ClockSetBack final : public Clock {
 public:
  ClockSetBack(Timestamp first, Timestamp then) : first_(first), then_(then) {}
  [[nodiscard]] Timestamp now() const override {
    return armed_ && seen_.exchange(true) ? then_ : first_;
  }
  void arm() { armed_ = true; }

 private:
  Timestamp first_;
  Timestamp then_;
  std::atomic<bool> armed_ = false;
  mutable std::atomic<bool> seen_ = false;
};

}  // namespace

TEST_SUITE("remembered accounts") {
  TEST_CASE("what another process did to an account meanwhile is seen") {
    for_databases(kShared, {}, [](Books& books) {
      books.price("m", 1'000);
      Accounting other = books.open_again();
      for (std::size_t index = 0; index < deeds().size(); ++index) {
        const Deed& deed = deeds()[index];
        CAPTURE(deed.name);
        const std::string user = "u" + std::to_string(index);
        books.account(user);
        books.give(user, 100, 10);
        charge(books, 10, {}, user);
        charge(books, 10, {}, user);
        deed.work(other, user);
        const std::int64_t before = books.balance(user);
        const Charge charged = charge(books, std::min<std::int64_t>(10, before), {}, user);
        CHECK(charged.deduction.slices == deed.taken);
        CHECK(books.balance(user) == before - charged.deduction.credits);
      }
    });
  }

  TEST_CASE("two processes take turns on one account, and no credit is lost") {
    for_databases(kShared, {}, [](Books& books) {
      books.account("ada", 1'000);
      Accounting other = books.open_again();
      for (int turn = 0; turn < 20; ++turn) {
        // Twice each, so that both come to rely on what they remember.
        for (int time = 0; time < 2; ++time) {
          charge(books, 3);
        }
        for (int time = 0; time < 2; ++time) {
          other.credits().charge({"ada", "chat", "m", 2});
        }
      }
      CHECK(books.balance("ada") == 1'000 - 20 * (2 * 3 + 2 * 2));
      const std::vector<UsageRecord> usage = books.usage_of("ada");
      CHECK(usage.size() == 80);
    });
  }

  TEST_CASE("credits that come into effect meanwhile are taken in their turn") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 100, 10);
      books.credits().allocate({.user_id = "ada",
                                .credits = 8,
                                .allocated_by = "admin",
                                .expires_at = kStart + days(5),
                                .effective_at = kStart + days(1)});
      CHECK(charge(books, 10).deduction.slices == Slices{{1, 10}});
      CHECK(charge(books, 10).deduction.slices == Slices{{1, 10}});
      books.advance(days(1));
      CHECK(charge(books, 10).deduction.slices == Slices{{2, 8}, {1, 2}});
    });
  }

  TEST_CASE("credits that expire meanwhile are not taken") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 100, 10);
      books.give("ada", 100, 1);
      CHECK(charge(books, 10).deduction.slices == Slices{{2, 10}});
      CHECK(charge(books, 10).deduction.slices == Slices{{2, 10}});
      books.advance(days(1));
      CHECK(charge(books, 10).deduction.slices == Slices{{1, 10}});
    });
  }

  TEST_CASE("a clock that is set back finds the credits that had expired") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 100, 10);
      books.give("ada", 100, 1);
      books.advance(days(1));
      CHECK(charge(books, 10).deduction.slices == Slices{{1, 10}});
      CHECK(charge(books, 10).deduction.slices == Slices{{1, 10}});
      books.clock()->set(kStart);
      CHECK(charge(books, 10).deduction.slices == Slices{{2, 10}});
    });
  }

  TEST_CASE("a clock that is set back amid a call finds them, too") {
    for_databases(kShared, {}, [](Books& books) {
      books.account("ada");
      books.give("ada", 100, 10);
      books.give("ada", 100, 1);
      const auto clock = std::make_shared<ClockSetBack>(kStart + days(1), kStart);
      Options options = books.options();
      options.clock = clock;
      Accounting other = Accounting::open(options);
      const auto charge_there = [&] {
        return other.credits().charge({"ada", "chat", "m", 10}).deduction.slices;
      };
      CHECK(charge_there() == Slices{{1, 10}});
      CHECK(charge_there() == Slices{{1, 10}});
      clock->arm();
      CHECK(charge_there() == Slices{{2, 10}});
    });
  }

  TEST_CASE("the last credit can be taken, and no more") {
    for_each_database([](Books& books) {
      books.account("ada", 30);
      charge(books, 10);
      charge(books, 10);
      CHECK(outcome_of([&] { return charge(books, 11); }) ==
            "insufficient_credits(required 11, available 10)");
      charge(books, 10);
      CHECK(outcome_of([&] { return charge(books, 1); }) ==
            "insufficient_credits(required 1, available 0)");
    });
  }

  TEST_CASE("a refusal is decided over the books, not over what is remembered") {
    for_databases(kShared, {}, [](Books& books) {
      books.account("ada", 30);
      charge(books, 10);
      charge(books, 10);
      books.open_again().credits().allocate({"ada", 100, "admin"});
      CHECK(charge(books, 60).deduction.credits == 60);
    });
  }

  TEST_CASE("a key that was used is recognised") {
    for_databases(kShared, {}, [](Books& books) {
      books.account("ada", 100);
      charge(books, 10);
      const Charge first = charge(books, 10, "k");
      CHECK(charge(books, 10, "k") == first);
      CHECK(outcome_of([&] { return charge(books, 11, "k"); }) == "conflict");
      Accounting other = books.open_again();
      const Charge theirs = other.credits().charge({"ada", "chat", "m", 5, {}, "l"});
      CHECK(charge(books, 5, "l") == theirs);
      CHECK(books.balance("ada") == 75);
    });
  }
}

}  // namespace accounting::testing
