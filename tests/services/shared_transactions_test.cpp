// Callers that share transactions, through the public interface: what they cost on the wire, and
// that none of them has to do with another's refusal, failure or flood.
#include "support/books.hpp"
#include "support/databases.hpp"
#include "support/tcp_proxy.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <thread>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 16;
constexpr int kCallsEach = 20;
constexpr std::int64_t kCalls = kThreads * kCallsEach;
const std::vector<Database> kServersAndFiles = {Database::sqlite_file, Database::postgresql,
                                                Database::postgresql_partitioned};

std::string user(int number) { return "u" + std::to_string(number); }

ChargeRequest one_credit(const std::string& user_id) {
  return {.user_id = user_id, .service = "chat", .operation = "m", .credits = 1};
}

void add_accounts(Books& books, int count, std::int64_t credits) {
  for (int number = 0; number < count; ++number) {
    books.account(user(number), credits);
  }
}

/// Books on PostgreSQL as a caller far away has them.
class DistantBooks {
 public:
  explicit DistantBooks(const Books& near, bool share_statements = true)
      : proxy_(near.options().database), far(Accounting::open(options(near, share_statements))) {
    static_cast<void>(far.sessions().all_active());  // connects, and looks at the schema
    proxy_.delay(2ms);
    proxy_.keep_statements();
  }

  /// What was run since it was last asked.
  std::vector<std::string> statements() { return proxy_.take_statements(); }

 private:
  [[nodiscard]] Options options(const Books& near, bool share_statements) const {
    Options options = near.options();
    options.database = proxy_.url();
    options.share_statements = share_statements;
    return options;
  }

  TcpProxy proxy_;

 public:
  Accounting far;
};

std::int64_t commits(const std::vector<std::string>& statements) {
  return std::ranges::count(statements, "COMMIT");
}

/// Keeps an SQLite file's write-ahead log from beginning anew, and counts the commits in it.
class LogReader {
 public:
  explicit LogReader(const std::string& url) : path_(url.substr(std::string("sqlite:///").size())) {
    REQUIRE(sqlite3_open(path_.c_str(), &file_) == SQLITE_OK);
    REQUIRE(sqlite3_exec(file_, "BEGIN; SELECT count(*) FROM user_accounts", nullptr, nullptr,
                         nullptr) == SQLITE_OK);
  }
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;
  ~LogReader() { sqlite3_close(file_); }

  [[nodiscard]] std::int64_t commits() const {
    std::ifstream log(path_ + "-wal", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(log), {}};
    const auto number_at = [&](std::size_t at) {
      std::uint32_t number = 0;
      for (std::size_t index = at; index < at + 4; ++index) {
        number = number << 8U | static_cast<unsigned char>(bytes.at(index));
      }
      return number;
    };
    constexpr std::size_t header = 32;
    constexpr std::size_t frame_header = 24;
    std::int64_t count = 0;
    for (std::size_t at = header; bytes.size() > header && at + frame_header <= bytes.size();
         at += frame_header + number_at(8)) {
      count += number_at(at + 4) != 0 ? 1 : 0;  // the last frame of a transaction
    }
    return count;
  }

 private:
  std::string path_;
  sqlite3* file_ = nullptr;
};

/// Takes it for granted that nobody else spends.
void check_balance(const Books& books, const std::string& user_id, std::int64_t expected) {
  CAPTURE(user_id);
  CHECK(books.balance(user_id) == expected);
}

}  // namespace

TEST_SUITE("shared transactions") {
  TEST_CASE("calls of many threads on many accounts share COMMITs") {
    for_databases({Database::postgresql, Database::postgresql_partitioned}, {}, [](Books& books) {
      add_accounts(books, kThreads, 100);
      DistantBooks distant(books);
      in_threads(kThreads, [&](int thread) {
        for (int call = 0; call < kCallsEach; ++call) {
          distant.far.credits().charge(one_credit(user(thread)));
        }
      });
      const std::int64_t counted = commits(distant.statements());
      MESSAGE(kCalls << " charges, " << counted << " COMMITs");
      CHECK(counted < kCalls / 2);
      for (int thread = 0; thread < kThreads; ++thread) {
        check_balance(books, user(thread), 100 - kCallsEach);
      }
    });
    for_databases({Database::sqlite_file}, {}, [](Books& books) {
      add_accounts(books, kThreads, 100);
      const LogReader log(books.options().database);
      const std::int64_t before = log.commits();
      in_threads(kThreads, [&](int thread) {
        for (int call = 0; call < kCallsEach; ++call) {
          books.credits().charge(one_credit(user(thread)));
        }
      });
      const std::int64_t counted = log.commits() - before;
      MESSAGE(kCalls << " charges, " << counted << " commits in the log");
      CHECK(counted < kCalls / 2);
      CHECK(counted > 0);
    });
  }

  TEST_CASE("callers on one account share COMMITs, too, and each is counted") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      books.account("hot", 1'000);
      DistantBooks distant(books);
      in_threads(kThreads, [&](int) {
        for (int call = 0; call < kCallsEach; ++call) {
          distant.far.credits().charge(one_credit("hot"));
        }
      });
      CHECK(commits(distant.statements()) < kCalls / 2);
      check_balance(books, "hot", 1'000 - kCalls);
    });
  }

  TEST_CASE("a refused call leaves those alone that share its transaction") {
    for_databases(kServersAndFiles, {}, [](Books& books) {
      add_accounts(books, kThreads, 10);
      std::atomic<int> refused = 0;
      in_threads(kThreads, [&](int thread) {
        for (int call = 0; call < 10; ++call) {
          // Every other thread asks for more than there is, each time.
          const std::int64_t credits = thread % 2 == 0 ? 1 : 11;
          try {
            books.credits().charge({user(thread), "chat", "m", credits});
          } catch (const InsufficientCredits& error) {
            CHECK(error.required() == 11);
            CHECK(error.available() == 10);
            ++refused;
          }
        }
      });
      CHECK(refused == kThreads / 2 * 10);
      for (int thread = 0; thread < kThreads; ++thread) {
        check_balance(books, user(thread), thread % 2 == 0 ? 0 : 10);
      }
    });
  }

  TEST_CASE("a list with refused requests in it is one COMMIT") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      add_accounts(books, 4, 10);
      DistantBooks distant(books);
      std::vector<ChargeRequest> charges;
      for (int index = 0; index < 40; ++index) {
        charges.push_back(one_credit(user(index % 4)));
        charges.back().credits = index % 2 == 0 ? 1 : 11;
      }
      charges.push_back(one_credit("nobody"));
      const auto outcomes = distant.far.credits().charge_many(charges);
      CHECK(commits(distant.statements()) == 1);
      for (int index = 0; index < 40; ++index) {
        const Outcome<Charge>& outcome = outcomes[static_cast<std::size_t>(index)];
        CHECK(outcome_of([&] { return outcome.value(); }).substr(0, 12) ==
              (index % 2 == 0 ? "ok" : "insufficient"));
      }
      CHECK(outcome_of([&] { return outcomes.back().value(); }) == "not_found");
    });
  }

  TEST_CASE("a list of a thousand requests is one COMMIT, a longer one takes another") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      add_accounts(books, 4, 1'000);
      DistantBooks distant(books);
      std::vector<ChargeRequest> charges;
      const auto commits_of_list = [&](int length) {
        while (static_cast<int>(charges.size()) < length) {
          charges.push_back(one_credit(user(static_cast<int>(charges.size()) % 4)));
        }
        distant.statements();  // those until now
        for (const Outcome<Charge>& outcome : distant.far.credits().charge_many(charges)) {
          CHECK(outcome_of([&] { return outcome.value(); }) == "ok");
        }
        return commits(distant.statements());
      };
      CHECK(commits_of_list(1'000) == 1);
      CHECK(commits_of_list(1'001) == 2);
    });
  }

  TEST_CASE("what the database refuses is found out, and fails alone") {
    for (const Database database : {Database::sqlite_file, Database::postgresql}) {
      // Its counters were put back by hand: the next record would be the first again. Nobody
      // proves that such books balance.
      const std::string name(to_string(database));
      SUBCASE(name.c_str()) {
        if (!is_available_or_skip(database)) {
          return;
        }
        Books books(database, Setup{.own_schema = true});
        add_accounts(books, kThreads, 100);
        books.credits().charge(one_credit(user(3)));
        books.tamper("UPDATE user_accounts SET last_usage_id = 0 WHERE user_id = 'u3'");

        std::vector<ChargeRequest> charges;
        for (int index = 0; index < 64; ++index) {
          charges.push_back(one_credit(user(index % kThreads)));
        }
        const auto outcomes = books.credits().charge_many(charges);
        for (int index = 0; index < 64; ++index) {
          CAPTURE(index);
          const Outcome<Charge>& outcome = outcomes[static_cast<std::size_t>(index)];
          if (index % kThreads == 3) {
            CHECK_THROWS_AS(static_cast<void>(outcome.value()), StoreError);
          } else {
            CHECK(outcome_of([&] { return outcome.value(); }) == "ok");
          }
        }
        std::atomic<int> failed = 0;
        in_threads(kThreads, [&](int thread) {
          for (int call = 0; call < 5; ++call) {
            const std::string outcome =
                outcome_of([&] { return books.credits().charge(one_credit(user(thread))); });
            CHECK(outcome == (thread == 3 ? "store_error" : "ok"));
            failed += outcome == "ok" ? 0 : 1;
          }
        });
        CHECK(failed == 5);
        for (int thread = 0; thread < kThreads; ++thread) {
          check_balance(books, user(thread), thread == 3 ? 99 : 100 - 4 - 5);
        }
      }
    }
  }

  TEST_CASE("a flood of one user's requests does not make another wait for all of them") {
    for_databases(kServersAndFiles, {}, [](Books& books) {
      books.account("greedy", 10'000);
      books.account("ada", 10'000);
      std::atomic<bool> flooding = true;
      std::jthread flood([&] {
        const std::vector<ChargeRequest> charges(4'000, one_credit("greedy"));
        for (const Outcome<Charge>& outcome : books.credits().charge_many(charges)) {
          CHECK(outcome_of([&] { return outcome.value(); }) == "ok");
        }
        flooding = false;
      });
      int meanwhile = 0;
      while (flooding) {
        books.credits().charge(one_credit("ada"));
        meanwhile += flooding ? 1 : 0;
      }
      flood.join();
      MESSAGE(meanwhile << " calls were answered while 4,000 of another user were under way, on "
                        << to_string(books.database()));
      CHECK(meanwhile >= 2);
      check_balance(books, "greedy", 6'000);
    });
  }

  TEST_CASE("two Accountings on one database, on the same accounts, count every call") {
    for_databases(kServersAndFiles, {}, [](Books& books) {
      add_accounts(books, 4, 1'000);
      Accounting other = books.open_again();
      in_threads(kThreads, [&](int thread) {
        Accounting& mine = thread % 2 == 0 ? books.accounting() : other;
        for (int call = 0; call < 10; ++call) {
          mine.credits().charge(one_credit(user(call % 4)));
          mine.credits().deduct({.user_id = user((call + thread) % 4), .credits = 2});
        }
      });
      std::int64_t left = 0;
      for (int number = 0; number < 4; ++number) {
        left += books.balance(user(number));
      }
      CHECK(left == 4'000 - kThreads * 10 * 3);
      CHECK(other.verify().ok);
    });
  }

  TEST_CASE("where too many wait already, the next is told to come again") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada", 40'000);
      books.account("bob", 100);
      Options options = books.options();
      options.pool_timeout = 200ms;
      options.call_timeout = 5min;
      Accounting crowded = Accounting::open(options);
      Transaction holder = books.accounting().transaction({"ada"});
      // A call has 1,000 of its requests in the queue at once, which has room for 20,000.
      std::atomic<std::int64_t> charged = 0;
      std::vector<std::jthread> crowd;
      for (int caller = 0; caller < 24; ++caller) {
        crowd.emplace_back([&] {
          const std::vector<ChargeRequest> charges(1'000, one_credit("ada"));
          for (const Outcome<Charge>& outcome : crowded.credits().charge_many(charges)) {
            charged += outcome_of([&] { return outcome.value(); }) == "ok" ? 1 : 0;
          }
        });
      }
      // Another of the crowd's callers; this thread may only use its transaction.
      const std::string too_many = "too many calls wait for the database; nothing was changed";
      std::string told;
      bool retryable = false;
      std::jthread([&] {
        // Until the crowd is there, which takes its time on a busy machine.
        const auto end = std::chrono::steady_clock::now() + 6s;
        while (told != too_many && std::chrono::steady_clock::now() < end) {
          std::this_thread::sleep_for(200ms);
          try {
            crowded.credits().charge(one_credit("bob"));
            told = "ok";
          } catch (const StoreError& error) {
            told = error.what();
            retryable = error.retryable();
          }
        }
      }).join();
      holder.commit();
      crowd.clear();
      CHECK(told == too_many);
      CHECK(retryable);
      CHECK(outcome_of([&] { return crowded.credits().charge(one_credit("bob")); }) == "ok");
      CHECK(charged >= 20'000);
      check_balance(books, "ada", 40'000 - charged);
    });
  }
}

TEST_SUITE("statements about one user") {
  TEST_CASE("without share_statements whatever locks or writes names one user") {
    for_databases({Database::postgresql_partitioned}, {}, [](Books& books) {
      add_accounts(books, kThreads, 1'000);
      books.price("m", "1000");
      DistantBooks distant(books, false);
      std::vector<ChargeRequest> charges;
      std::vector<AllocateRequest> grants;
      for (int index = 0; index < 64; ++index) {
        charges.push_back(one_credit(user(index % kThreads)));
        charges.back().idempotency_key = "k" + std::to_string(index);
        grants.push_back(
            {.user_id = user(index % kThreads), .credits = 5, .allocated_by = "admin"});
      }
      distant.far.credits().charge_many(charges);
      distant.far.credits().allocate_many(grants);
      in_threads(kThreads, [&](int thread) {
        Sessions sessions = distant.far.sessions();
        sessions.initialize({"s", user(thread), "m", 10});
        sessions.report({"s", user(thread), 5});
        sessions.finalize({"s", user(thread), 10});
        sessions.initialize({"late", user(thread), "m", 10});
        distant.far.credits().revoke(
            {.allocation_id = 2, .user_id = user(thread), .revoked_by = "admin"});
      });
      books.advance(2h);
      CHECK(distant.far.sessions().expire_stale().size() == kThreads);

      int locks = 0;
      int writes = 0;
      const std::regex names_user("user_id = \\$[0-9]+");
      for (const std::string& statement : distant.statements()) {
        CAPTURE(statement);
        const bool reads = statement.starts_with("SELECT ");
        if (reads && statement.find(" FOR NO KEY UPDATE") != std::string::npos) {
          ++locks;
          CHECK(statement.find("WHERE user_id = $1 ") != std::string::npos);
        } else if (statement.starts_with("INSERT INTO ")) {
          ++writes;
          CHECK(statement.find(" (user_id, ") != std::string::npos);
          CHECK(statement.find(" VALUES ($1, ") != std::string::npos);
          CHECK(statement.find("SELECT ") == std::string::npos);
        } else if (statement.find("UPDATE ") != std::string::npos) {
          ++writes;
          CHECK(std::regex_search(statement, names_user));
        }
        CHECK(statement.find("unnest(") == std::string::npos);
      }
      CHECK(locks > kThreads);
      CHECK(writes > kThreads * 10);

      // The same shared, for comparison: one statement for all.
      DistantBooks shared(books, true);
      shared.far.credits().charge_many(std::vector<ChargeRequest>(charges.begin(), charges.end()));
      shared.far.credits().allocate_many(grants);
      const auto statements = shared.statements();
      CHECK(std::ranges::any_of(statements, [](const std::string& statement) {
        return statement.find("unnest(") != std::string::npos;
      }));
      CHECK(statements.size() < 40);
    });
  }
}

}  // namespace accounting::testing
