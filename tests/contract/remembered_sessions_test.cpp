// Sessions that a process remembers: whatever another process did meanwhile, a call comes to what
// it comes to for a process that remembers nothing.
#include "support/books.hpp"

#include <functional>
#include <string>
#include <tuple>
#include <vector>

namespace accounting::testing {
namespace {

const std::vector<Database> kShared = {Database::sqlite_file, Database::postgresql,
                                       Database::postgresql_unpipelined,
                                       Database::postgresql_partitioned};

using Deed = std::function<void(Accounting&, const std::string& user)>;

struct Named {
  const char* name;
  Deed work;
};

/// The user has a session "s" of 20 tokens, which cost 1 credit each; 24 are held.
const std::vector<Named>& deeds_of_another() {
  static const std::vector<Named> table = {
      {"nothing", [](Accounting&, const std::string&) {}},
      {"a report of little",
       [](Accounting& books, const std::string& user) {
         books.sessions().report({"s", user, 2});
       }},
      {"a report of much",
       [](Accounting& books, const std::string& user) {
         books.sessions().report({"s", user, 19});
       }},
      {"more time for it",
       [](Accounting& books, const std::string& user) {
         books.sessions().extend({"s", user, 7});
       }},
      {"its end",
       [](Accounting& books, const std::string& user) {
         books.sessions().finalize({"s", user, 11});
       }},
      {"its end, and another of that name",
       [](Accounting& books, const std::string& user) {
         books.sessions().abort({"s", user, 3});
         books.sessions().initialize({"t", user, "m", 5});
       }},
      {"another session",
       [](Accounting& books, const std::string& user) {
         books.sessions().initialize({"t", user, "m", 30});
       }},
      {"a charge of nearly all",
       [](Accounting& books, const std::string& user) {
         books.credits().charge({user, "chat", "m", 50});
       }},
      {"the end of the allocation",
       [](Accounting& books, const std::string& user) {
         books.credits().revoke({1, user, "admin"});
       }},
      {"another price",
       [](Accounting& books, const std::string&) {
         books.pricing().set(
             {.model_id = "m", .price_per_1k_tokens = 3'000, .created_by = "admin"});
       }},
  };
  return table;
}

const std::vector<Named>& calls() {
  static const std::vector<Named> table = {
      {"report",
       [](Accounting& books, const std::string& user) {
         books.sessions().report({"s", user, 9});
       }},
      {"extend",
       [](Accounting& books, const std::string& user) {
         books.sessions().extend({"s", user, 5});
       }},
      {"finalize",
       [](Accounting& books, const std::string& user) {
         books.sessions().finalize({"s", user, 11});
       }},
      {"finalize beyond the hold",
       [](Accounting& books, const std::string& user) {
         books.sessions().finalize({"s", user, 40});
       }},
      {"abort",
       [](Accounting& books, const std::string& user) {
         books.sessions().abort({"s", user, 3});
       }},
      {"initialize again",
       [](Accounting& books, const std::string& user) {
         books.sessions().initialize({"s", user, "m", 20});
       }},
      {"initialize another",
       [](Accounting& books, const std::string& user) {
         books.sessions().initialize({"t", user, "m", 5});
       }},
  };
  return table;
}

/// All that can be seen of a user, but for the name.
auto seen(Accounting& books, const std::string& user) {
  std::vector<StreamingSession> sessions;
  for (const char* id : {"s", "t"}) {
    try {
      sessions.push_back(books.sessions().get({id, user}));
      sessions.back().user_id.clear();
    } catch (const NotFound&) {
      continue;
    }
  }
  std::vector<UsageRecord> usage = books.usage().list({.user_id = user});
  for (UsageRecord& record : usage) {
    record.user_id.clear();
  }
  std::vector<CreditEntry> entries = books.credits().entries({.user_id = user});
  for (CreditEntry& entry : entries) {
    entry.user_id.clear();
    entry.hash.clear();
  }
  return std::tuple(sessions, usage, entries, books.credits().balance(user).total_credits);
}

void compare_with_fresh_books(Books& books) {
  Accounting other = books.open_again();
  int number = 0;
  for (const Named& deed : deeds_of_another()) {
    for (const Named& call : calls()) {
      CAPTURE(deed.name);
      CAPTURE(call.name);
      const std::string remembered = "a" + std::to_string(++number);
      const std::string looked_up = "b" + std::to_string(number);
      books.advance(1s);
      books.price("m", 1'000);
      for (const std::string& user : {remembered, looked_up}) {
        books.account(user, 100);
        books.sessions().initialize({"first", user, "m", 1});
        books.sessions().abort({"first", user});
        books.sessions().initialize({"s", user, "m", 20});
      }
      books.advance(1s);
      for (const std::string& user : {remembered, looked_up}) {
        deed.work(other, user);
      }
      books.advance(1s);
      const std::string outcome = outcome_of([&] { call.work(books.accounting(), remembered); });
      Accounting fresh = books.open_again(books.options().policy);
      CHECK(outcome == outcome_of([&] { call.work(fresh, looked_up); }));
      CHECK(seen(other, remembered) == seen(other, looked_up));
    }
  }
}

}  // namespace

TEST_SUITE("remembered sessions") {
  TEST_CASE("whatever another process did meanwhile, a call comes to what it comes to for others") {
    for_databases(kShared, {}, compare_with_fresh_books);
  }

  TEST_CASE("the same where refunds become allocations and overage is absorbed") {
    const Setup setup{
        .policy = {.refund = RefundPolicy::new_allocation, .overage = OveragePolicy::absorb}};
    for_databases({Database::sqlite_file, Database::postgresql}, setup, compare_with_fresh_books);
  }

  TEST_CASE("a price that comes into force later is found when it is") {
    for_databases(kShared, {}, [](Books& books) {
      books.account("ada", 1'000);
      books.price("m", 1'000);
      const auto held_for = [&](const std::string& id) {
        return books.sessions().initialize({id, "ada", "m", 10}).allocated_credits;
      };
      CHECK(held_for("1") == 12);
      books.open_again().pricing().set({.model_id = "m",
                                        .price_per_1k_tokens = 2'000,
                                        .created_by = "admin",
                                        .effective_from = books.now() + 1h});
      CHECK(held_for("2") == 12);
      books.advance(1h - 1us);
      CHECK(held_for("3") == 12);
      books.advance(1us);
      CHECK(held_for("4") == 24);
      CHECK(held_for("5") == 24);
    });
  }

  TEST_CASE("a session whose tokens are counted by kind, with a price for each") {
    for_databases(kShared, {}, [](Books& books) {
      books.account("ada", 10'000);
      books.pricing().set({.model_id = "k",
                           .price_per_1k_tokens = 1'000,
                           .created_by = "admin",
                           .input = 1'000,
                           .output = 2'000});
      Accounting other = books.open_again();
      const auto counts = [](std::int64_t input, std::int64_t output) {
        return Tokens(TokenCounts{.input = input, .output = output});
      };
      for (int run = 0; run < 3; ++run) {
        const std::string id = "s" + std::to_string(run);
        books.sessions().initialize({id, "ada", "k", counts(100, 100)});
        books.sessions().report({id, "ada", counts(10, 5)});
        other.sessions().report({id, "ada", counts(2, 50)});
        CHECK(books.sessions().report({id, "ada", counts(20, 6)}).reported_tokens ==
              counts(20, 50));
        CHECK(books.sessions().finalize({id, "ada", counts(100, 60)}).actual_credits == 220);
      }
      CHECK(books.balance("ada") == 10'000 - 3 * 220);
    });
  }

  TEST_CASE("two sessions of a user, and refused charges in between") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.price("m", 1'000);
      for (const char* id : {"s", "t"}) {
        books.sessions().initialize({id, "ada", "m", 20});
      }
      for (int run = 1; run <= 4; ++run) {
        CHECK(outcome_of([&] {
                books.credits().charge({"ada", "chat", "m", 60});
              }) == "insufficient_credits(required 60, available 52)");
        for (const char* id : {"s", "t"}) {
          CHECK(books.sessions().report({id, "ada", run}).reported_tokens == Tokens(run));
        }
      }
      for (const char* id : {"s", "t"}) {
        CHECK(books.sessions().finalize({id, "ada", 10}).actual_credits == 10);
      }
      CHECK(books.balance("ada") == 80);
    });
  }

  TEST_CASE("more sessions at once than are remembered") {
    for_each_database([](Books& books) {
      books.account("ada", 1'000);
      books.price("m", 1'000);
      for (int number = 0; number < 40; ++number) {
        books.sessions().initialize({std::to_string(number), "ada", "m", 10});
      }
      for (int number = 0; number < 40; ++number) {
        books.sessions().finalize({std::to_string(number), "ada", 5});
      }
      CHECK(books.balance("ada") == 800);
      CHECK(books.held("ada") == 0);
    });
  }
}

}  // namespace accounting::testing
