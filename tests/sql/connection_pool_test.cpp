// The pool: bounded, patient for so long, and what comes back is clean or gone.
#include "samples.hpp"

#include "accounting/error.hpp"
#include "sql/connection_pool.hpp"

#include <atomic>
#include <chrono>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;
using namespace std::chrono_literals;

namespace {

ConnectionPool::Factory factory_of(const EmptyDatabase& database, std::atomic<int>& made) {
  return [&database, &made](Deadline) {
    ++made;
    return database.connect();
  };
}

}  // namespace

TEST_CASE("connections are made when they are needed, and kept") {
  const auto database = sqlite_database();
  std::atomic<int> made = 0;
  ConnectionPool pool(factory_of(database, made), 3, 1s);
  CHECK(pool.status() == PoolStatus{.size = 3, .open = 0, .in_use = 0});
  const Connection* used = nullptr;
  {
    const auto lease = pool.lease();
    used = &*lease;
    CHECK(pool.status() == PoolStatus{.size = 3, .open = 1, .in_use = 1});
  }
  for (int round = 0; round < 10; ++round) {
    CHECK(&*pool.lease() == used);
  }
  CHECK(made == 1);
  CHECK(pool.status() == PoolStatus{.size = 3, .open = 1, .in_use = 0});
}

TEST_CASE("an exhausted pool makes its caller wait, and refuses in the end") {
  const auto database = sqlite_database();
  std::atomic<int> made = 0;
  ConnectionPool pool(factory_of(database, made), 2, 300ms);
  std::optional<Lease> first = pool.lease();
  const auto second = pool.lease();
  const auto start = std::chrono::steady_clock::now();
  try {
    const auto third = pool.lease();
    FAIL("a third connection was lent");
  } catch (const StoreError& error) {
    CHECK(error.retryable());
  }
  const auto waited = std::chrono::steady_clock::now() - start;
  CHECK(waited >= 300ms);
  CHECK(waited < 2s);

  std::thread returns([&] {
    std::this_thread::sleep_for(100ms);
    first.reset();
  });
  CHECK_NOTHROW(pool.lease());
  returns.join();
  CHECK(made == 2);
}

TEST_CASE("many threads share few connections") {
  const auto database = sqlite_database();
  std::atomic<int> made = 0;
  std::atomic<int> at_once = 0;
  std::atomic<bool> too_many = false;
  create_items(*database.connect());
  ConnectionPool pool(factory_of(database, made), 2, 30s);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const auto lease = pool.lease();
        too_many = too_many || ++at_once > 2;
        CHECK(count(*lease) == 0);
        --at_once;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK_FALSE(too_many);
  CHECK(made <= 2);
  CHECK(pool.status().in_use == 0);
}

TEST_CASE("whoever waits for long comes before who has just given the connection back") {
  const auto database = sqlite_database();
  std::atomic<int> made = 0;
  ConnectionPool pool(factory_of(database, made), 1, 30s);
  constexpr int kThreads = 4;
  constexpr int kLoans = 25;
  std::vector<int> borrowers;  // whoever has the connection writes
  std::latch all_there(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      all_there.arrive_and_wait();
      for (int loan = 0; loan < kLoans; ++loan) {
        const auto lease = pool.lease();
        borrowers.push_back(thread);
        std::this_thread::sleep_for(2ms);  // longer than others may be let go first
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  int handed_on = 0;
  for (std::size_t loan = 1; loan < borrowers.size(); ++loan) {
    handed_on += borrowers[loan] != borrowers[loan - 1] ? 1 : 0;
  }
  MESSAGE(handed_on << " of " << borrowers.size() << " loans went to another thread");
  REQUIRE(borrowers.size() == kThreads * kLoans);
  CHECK(handed_on >= 75);
  CHECK(made == 1);
}

TEST_CASE("an open transaction is rolled back when its connection returns") {
  for (const auto& database : every_database()) {
    CAPTURE(database.name);
    create_items(*database.connect());
    std::atomic<int> made = 0;
    ConnectionPool pool(factory_of(database, made), 1, 1s);
    {
      const auto lease = pool.lease();
      lease->run({.begin = Begin::write, .calls = {item(1, "a", 1)}});
    }
    {
      const auto lease = pool.lease();
      CHECK_THROWS_AS(
          lease->run({.begin = Begin::write, .calls = {item(1, "a", 1), item(1, "b", 1)}}),
          SqlError);
    }
    CHECK(count(*pool.lease()) == 0);
    CHECK(made == 1);
  }
}

TEST_CASE("a broken connection is replaced, whether it broke at work or idle") {
  const Statement own_process{
      .name = "own_process", .text = "SELECT pg_backend_pid()", .columns = {Type::integer}};
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    create_items(*database.connect());
    std::atomic<int> made = 0;
    ConnectionPool pool(factory_of(database, made), 1, 1s);
    const auto process_of = [&](Connection& connection) {
      const auto answers = connection.run({.calls = {{&own_process, {}}}});
      return std::to_string(std::get<std::int64_t>(answers.at(0).at(0).at(0)));
    };
    const auto kill = [&](const std::string& process) {
      run_sql(database.url, "SELECT pg_terminate_backend(" + process + ", 5000)");
    };
    {
      const auto lease = pool.lease();
      kill(process_of(*lease));
      CHECK_THROWS_AS(count(*lease), SqlError);
    }
    CHECK(pool.status().open == 0);
    CHECK(count(*pool.lease()) == 0);
    CHECK(made == 2);
    const auto idle = process_of(*pool.lease());
    kill(idle);
    CHECK(pool.status().open == 1);
    CHECK(count(*pool.lease()) == 0);
    CHECK(made == 3);
  }
}

TEST_CASE("a connection that cannot be made leaves its place free") {
  std::atomic<int> tries = 0;
  const auto database = sqlite_database();
  ConnectionPool pool(
      [&](Deadline) -> std::unique_ptr<Connection> {
        if (++tries < 3) {
          throw SqlError(SqlErrorKind::unreachable, "not now");
        }
        return database.connect();
      },
      1, 100ms);
  CHECK(kind_of([&] { static_cast<void>(pool.lease()); }) == SqlErrorKind::unreachable);
  CHECK(kind_of([&] { static_cast<void>(pool.lease()); }) == SqlErrorKind::unreachable);
  CHECK(pool.status() == PoolStatus{.size = 1, .open = 0, .in_use = 0});
  CHECK_NOTHROW(pool.lease());
}

TEST_CASE("a closed pool lends nothing, wakes who waits, and drops what comes back") {
  const auto database = sqlite_database();
  std::atomic<int> made = 0;
  ConnectionPool pool(factory_of(database, made), 1, 30s);
  std::optional<Lease> lease = pool.lease();
  std::thread waits([&] { CHECK_THROWS_AS(static_cast<void>(pool.lease()), Conflict); });
  std::this_thread::sleep_for(50ms);
  pool.close();
  waits.join();
  CHECK(pool.status().open == 1);
  lease.reset();
  CHECK(pool.status() == PoolStatus{.size = 1, .open = 0, .in_use = 0});
  CHECK_THROWS_AS(static_cast<void>(pool.lease()), Conflict);
  pool.close();
}

TEST_CASE("what comes back to a closed pool is lent to nobody who waited") {
  const auto database = sqlite_database();
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> made = 0;
    ConnectionPool pool(factory_of(database, made), 1, 30s);
    std::optional<Lease> lease = pool.lease();
    std::vector<std::thread> waiting;
    for (int thread = 0; thread < 3; ++thread) {
      waiting.emplace_back([&] { CHECK_THROWS_AS(static_cast<void>(pool.lease()), Conflict); });
    }
    std::this_thread::sleep_for(3ms);  // longer than others may be let go first
    pool.close();
    lease.reset();
    for (std::thread& thread : waiting) {
      thread.join();
    }
    CHECK(made == 1);
    CHECK(pool.status() == PoolStatus{.size = 1, .open = 0, .in_use = 0});
  }
}
