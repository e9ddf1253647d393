// The bank: everything that moves credits at once, on few accounts and on many, audited while it
// goes on. Nothing is lost, nothing is made up, and nobody locks another out.
#include "fault/bank.hpp"
#include "support/databases.hpp"
#include "support/long_run.hpp"

#include <atomic>

namespace accounting::testing {
namespace {

constexpr int kWorkers = 16;

/// What the auditors saw of one run.
struct Audits {
  std::atomic<int> verified = 0;
  std::atomic<int> sums = 0;
  std::atomic<int> problems = 0;
  std::atomic<std::int64_t> missing = 0;

  void verify(Accounting& books) {
    const VerifyReport report = books.verify();
    ++verified;
    problems += static_cast<int>(report.problems.size());
  }
  void add_up(const std::string& url) {
    const std::int64_t found = std::stoll(run_sql(url, Bank::sql_of_what_is_missing()));
    ++sums;
    missing += std::abs(found);
  }
};

/// A run is divided into rounds on fresh rows, so that an audit stays a matter of milliseconds.
struct Round {
  int accounts;
  std::chrono::milliseconds time;
  std::uint64_t seed;
};

void check_round(Books& books, Bank& bank, const Audits& audits, const Round& round) {
  const auto seconds = static_cast<double>(round.time.count()) / 1'000.0;
  MESSAGE(to_string(books.database())
          << ", " << round.accounts << " accounts, seed " << round.seed << ", " << seconds
          << " s: " << to_string(bank.counts().totals()) << "; " << to_string(bank.log().totals())
          << "; " << audits.verified.load() << " verified, " << audits.sums.load() << " summed up");
  const CallCounts::Totals totals = bank.counts().totals();
  CHECK(totals.failures.empty());
  CHECK(totals.unexpected.empty());
  CHECK(totals.given_up == 0);
  CHECK(audits.problems.load() == 0);
  CHECK(audits.missing.load() == 0);
  const CallLog::Totals log = bank.log().totals();
  CHECK(log.charges > 0);
  CHECK(log.transfers > 0);
  CHECK(log.ends > 0);
  bank.log().check_nothing_lost(books.accounting());
  CHECK(books.accounting().verify().ok);
}

/// Plays rounds on PostgreSQL, in a database whose deadlocks are this test's own.
void play_on_postgresql(int accounts, double audits_a_second) {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  constexpr std::chrono::milliseconds time = 4s;
  const int rounds = short_or_long(1, 15);
  const FreshDatabase database(*server);
  double audited = 0;
  for (int number = 1; number <= rounds; ++number) {
    const FreshSchema schema(database.url());
    const Round round{accounts, time, static_cast<std::uint64_t>(number)};
    Books books(Database::postgresql,
                {.database = schema.url(), .policy = bank_policy(), .pool_size = 8});
    Bank bank(books, accounts, round.seed);
    Audits audits;
    bank.work(
        kWorkers, round.time,
        {{[&] { audits.verify(books.accounting()); }}, {[&] { audits.add_up(schema.url()); }}});
    check_round(books, bank, audits, round);
    audited += audits.verified + audits.sums;
  }
  database.wait_until_left();
  MESSAGE("deadlocks: " << database.deadlocks());
  CHECK(database.deadlocks() == 0);
  CHECK(audited >= audits_a_second * rounds * static_cast<double>(time.count()) / 1'000.0);
}

}  // namespace

TEST_SUITE("bank") {
  TEST_CASE("one account") { play_on_postgresql(1, 5); }

  TEST_CASE("ten accounts") { play_on_postgresql(10, 5); }

  TEST_CASE("a thousand accounts") { play_on_postgresql(1'000, 5); }

  TEST_CASE("ten accounts in a SQLite file") {
    const TemporaryDirectory directory;
    const Round round{10, short_or_long<std::chrono::milliseconds>(2s, 60s), 1};
    Books books(Database::sqlite_file,
                {.database = directory.sqlite_url(), .policy = bank_policy(), .pool_size = 8});
    Bank bank(books, round.accounts, round.seed);
    Audits audits;
    bank.work(kWorkers, round.time, {{[&] { audits.verify(books.accounting()); }}});
    check_round(books, bank, audits, round);
    CHECK(audits.verified > 0);
  }
}

}  // namespace accounting::testing
