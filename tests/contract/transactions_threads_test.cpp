// Transactions and threads: direct calls inside one are refused, and a conflict is re-run.
#include "support/books.hpp"

#include <atomic>
#include <barrier>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace accounting::testing {

TEST_SUITE("transactions and threads") {
  TEST_CASE("a thread's direct calls are refused while it has a transaction open") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      auto& accounting = books.accounting();
      const std::vector<std::pair<const char*, std::function<void()>>> calls = {
          {"a read", [&] { static_cast<void>(books.credits().balance("ada")); }},
          {"a write",
           [&] {
             books.credits().deduct({"ada", 1});
           }},
          {"many writes",
           [&] {
             books.usage().record_many({{"ada", "s", "o", 1}});
           }},
          {"an account", [&] { static_cast<void>(books.accounts().get("ada")); }},
          {"a price", [&] { static_cast<void>(books.pricing().list()); }},
          {"stale sessions", [&] { books.sessions().expire_stale(); }},
          {"transact", [&] { accounting.transact([](Transaction&) {}); }},
          {"transaction", [&] { static_cast<void>(accounting.transaction()); }},
      };
      const auto check_refused = [&] {
        for (const auto& [name, call] : calls) {
          CAPTURE(name);
          CHECK(outcome_of(call) == "conflict");
        }
      };
      accounting.transact([&](Transaction& t) {
        t.credits().deduct({"ada", 1});
        check_refused();
        t.credits().deduct({"ada", 1});
      });
      CHECK(books.balance("ada") == 98);
      {
        auto transaction = accounting.transaction();
        check_refused();
        transaction.commit();
        CHECK(outcome_of(calls[0].second) == "ok");
      }
      {
        auto transaction = accounting.transaction();
        check_refused();
      }
      CHECK(outcome_of(calls[1].second) == "ok");
    });
  }

  TEST_CASE("a transaction whose thread has ended belongs to no later thread") {
    // In memory the open transaction has the only connection.
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada", 100);
      std::optional<Transaction> left;
      std::thread::id ended;
      std::thread([&] {
        ended = std::this_thread::get_id();
        left.emplace(books.accounting().transaction());
      }).join();
      // The system gives an id that is free again to a new thread, mostly to the very next.
      constexpr int most_threads = 100;
      bool same_id = false;
      std::string in_transaction;
      std::string direct;
      for (int thread = 0; thread < most_threads && !same_id; ++thread) {
        std::thread([&] {
          same_id = std::this_thread::get_id() == ended;
          in_transaction = outcome_of([&] { return left->credits().balance("ada"); });
          direct = outcome_of([&] { return books.credits().balance("ada"); });
        }).join();
        CHECK(in_transaction == "conflict");
        CHECK(direct == "ok");
      }
      WARN(same_id);
    });
  }

  TEST_CASE("the books are free again where the work threw") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      CHECK_THROWS_AS(books.accounting().transact([](Transaction&) { throw 1; }), int);
      CHECK(books.credits().deduct({"ada", 1}).credits == 1);
    });
  }

  TEST_CASE("transactions of many threads on one account add up") {
    for_each_database([](Books& books) {
      books.account("ada", 1'000);
      in_threads(8, [&](int) {
        for (int time = 0; time < 5; ++time) {
          books.accounting().transact(
              [](Transaction& t) {
                const auto before = t.credits().balance("ada").total_credits;
                t.credits().deduct({"ada", 1});
                const auto after = t.credits().balance("ada").total_credits;
                if (after != before - 1) {
                  throw std::logic_error("somebody else's deduction shows");
                }
              },
              {"ada"});
        }
      });
      CHECK(books.balance("ada") == 960);
    });
  }

  TEST_CASE("two that lock each other out: one is re-run from its start, both take effect") {
    // On SQLite one writer begins at a time, so that there this cannot happen.
    for_databases(
        {Database::postgresql, Database::postgresql_unpipelined, Database::postgresql_partitioned},
        {}, [](Books& books) {
          books.account("ada", 100);
          books.account("bob", 100);
          std::barrier both_hold_one(2);
          std::atomic<int> runs = 0;
          in_threads(2, [&](int thread) {
            const std::string first = thread == 0 ? "ada" : "bob";
            const std::string second = thread == 0 ? "bob" : "ada";
            bool met = false;
            books.accounting().transact([&](Transaction& t) {
              ++runs;
              t.credits().deduct({first, 1});
              if (!std::exchange(met, true)) {
                both_hold_one.arrive_and_wait();
              }
              t.credits().deduct({second, 10});
            });
          });
          CHECK(runs >= 3);
          CHECK(books.balance("ada") == 89);
          CHECK(books.balance("bob") == 89);
        });
  }

  TEST_CASE("transaction is never re-run: it throws, and nothing took effect") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      books.account("ada", 100);
      books.account("bob", 100);
      std::barrier both_hold_one(2);
      std::atomic<int> failures = 0;
      in_threads(2, [&](int thread) {
        const std::string first = thread == 0 ? "ada" : "bob";
        const std::string second = thread == 0 ? "bob" : "ada";
        auto transaction = books.accounting().transaction();
        transaction.credits().deduct({first, 1});
        both_hold_one.arrive_and_wait();
        try {
          transaction.credits().deduct({second, 10});
          transaction.commit();
        } catch (const StoreError& error) {
          CHECK(error.retryable());
          ++failures;
        }
      });
      CHECK(failures == 1);
      CHECK(books.balance("ada") + books.balance("bob") == 189);
    });
  }
}

}  // namespace accounting::testing
