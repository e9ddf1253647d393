// A host that forks after `open`, as a pre-forking server does: parent and child both have working
// books, and neither disturbs the other.
#include "support/books.hpp"
#include "support/long_run.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <accounting/accounting.hpp>

#include <atomic>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace accounting::testing {
namespace {

/// Runs `work` in a child process; answers its exit code: 0 where it threw nothing.
int in_child(const std::function<void()>& work) {
  std::cout.flush();
  std::cerr.flush();
  const pid_t child = fork();
  if (child == 0) {
    constexpr unsigned int most_seconds = 300;
    alarm(most_seconds);  // a child that hangs is a failure, not the end of all tests
    int code = 0;
    try {
      work();
    } catch (const std::exception& error) {
      const std::string complaint = std::string("in the child: ") + error.what() + "\n";
      static_cast<void>(write(STDERR_FILENO, complaint.data(), complaint.size()));
      code = 1;
    }
    _exit(code);  // nothing of the test program may end twice
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void expect(bool condition, const std::string& what) {
  if (!condition) {
    throw std::runtime_error(what);
  }
}

void charge(const Accounting& books, int times) {
  for (int time = 0; time < times; ++time) {
    books.credits().charge({.user_id = "ada", .service = "s", .operation = "o", .credits = 1});
  }
}

/// How many sockets and database files this process has open; 0 where the system does not say.
int open_connections() {
  int found = 0;
  std::error_code unknown;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", unknown)) {
    const std::string target = std::filesystem::read_symlink(entry.path(), unknown).string();
    found += target.starts_with("socket:") || target.find(".db") != std::string::npos ? 1 : 0;
  }
  return found;
}

const std::vector<Database> kShared = {Database::sqlite_file, Database::postgresql,
                                       Database::postgresql_unpipelined};

/// AddressSanitizer's allocator may be forked while another thread has it locked, and stays locked
/// in the child: seen with GCC 12.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAllocatorForks = false;
#else
constexpr bool kAllocatorForks = true;
#endif

}  // namespace

TEST_SUITE("fork") {
  TEST_CASE("a child works with the books that its parent opened") {
    for_databases(kShared, {}, [](Books& books) {
      books.account("ada", 1'000);
      charge(books.accounting(), 10);
      CHECK(open_connections() > 0);
      const int code = in_child([&] {
        // Even one that nobody uses would keep the server from noticing that the parent is gone.
        expect(open_connections() == 0, "a child without connections");
        charge(books.accounting(), 10);
        in_threads(4, [&](int) { charge(books.accounting(), 10); });
        expect(books.balance("ada") == 940, "the child's balance");
        expect(books.accounting().verify().ok, "the child's audit");
        const int grandchild = in_child([&] { charge(books.accounting(), 10); });
        expect(grandchild == 0, "the grandchild");
        books.accounting().close();
      });
      CHECK(code == 0);
      charge(books.accounting(), 10);
      MESSAGE(to_string(books.database())
              << ": 20 charges of the parent, 50 of its child, 10 of its grandchild; ada has "
              << books.balance("ada") << " of 1000");
      CHECK(books.balance("ada") == 920);
    });
  }

  TEST_CASE("forks in the midst of calls of other threads disturb nobody" *
            doctest::skip(!kAllocatorForks)) {
    for_databases(kShared, {.pool_size = 4}, [](Books& books) {
      const int forks = short_or_long(15, 200);
      constexpr std::int64_t given = 1'000'000;
      books.account("ada", given);
      std::atomic<bool> done = false;
      std::atomic<std::int64_t> charged = 0;
      std::vector<std::thread> threads;
      for (int thread = 0; thread < 6; ++thread) {
        threads.emplace_back([&] {
          while (!done) {
            charge(books.accounting(), 1);
            ++charged;
          }
        });
      }
      int failed = 0;
      for (int round = 0; round < forks; ++round) {
        failed += in_child([&] { charge(books.accounting(), 5); }) == 0 ? 0 : 1;
      }
      done = true;
      for (std::thread& thread : threads) {
        thread.join();
      }
      MESSAGE(to_string(books.database()) << ": " << forks << " forks amid " << charged.load()
                                          << " charges, " << failed << " children failed");
      CHECK(failed == 0);
      CHECK(charged > forks);
      CHECK(books.balance("ada") == given - charged - 5 * forks);
    });
  }

  TEST_CASE("a transaction that is open at a fork is the parent's alone") {
    for_databases(kShared, {}, [](Books& books) {
      books.account("ada", 100);
      books.account("bob", 100);
      Transaction transaction = books.accounting().transaction({"ada"});
      transaction.credits().deduct({.user_id = "ada", .credits = 1});
      const int code = in_child([&] {
        expect(outcome_of([&] { return transaction.credits().balance("ada"); }) == "conflict",
               "its calls in the child");
        expect(outcome_of([&] {
                 transaction.commit();
                 return 0;
               }) == "conflict",
               "its commit in the child");
        transaction.rollback();
        const std::string direct =
            outcome_of([&] { return books.credits().deduct({.user_id = "bob", .credits = 1}); });
        // SQLite's library cannot be used again in a process that was forked amid its work.
        expect(direct == (books.on_postgresql() ? "ok" : "conflict"), "a direct call: " + direct);
      });
      CHECK(code == 0);
      transaction.commit();
      MESSAGE(to_string(books.database())
              << ": a transaction refused to a child and committed by its parent; ada has "
              << books.balance("ada") << " and bob " << books.balance("bob") << " of 100 each");
      CHECK(books.balance("ada") == 99);
      CHECK(books.balance("bob") == (books.on_postgresql() ? 99 : 100));
    });
  }

  TEST_CASE("books in memory stay with the process that opened them") {
    for_databases({Database::sqlite_memory}, {}, [](Books& books) {
      books.account("ada", 100);
      const int code = in_child([&] {
        expect(outcome_of([&] { return books.balance("ada"); }) == "conflict", "a call");
        Accounting own = Accounting::open({.database = "sqlite://"});
        expect(own.accounts().list().total == 0, "books of its own");
      });
      CHECK(code == 0);
      MESSAGE("a child was refused books in memory and opened its own; ada has "
              << books.balance("ada") << " of 100");
      CHECK(books.balance("ada") == 100);
    });
  }
}

}  // namespace accounting::testing
