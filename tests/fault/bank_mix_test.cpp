// The bank: everything that moves credits at once, on few accounts and on many, audited while it
// goes on. Nothing is lost, nothing is made up, and nobody locks another out.
#include "fault/bank.hpp"
#include "support/databases.hpp"
#include "support/long_run.hpp"

#include <atomic>
#include <functional>

namespace accounting::testing {
namespace {

constexpr int kWorkers = 16;
// Several, so that they have their share of a busy machine.
constexpr int kAuditors = 4;
// A sanitizer makes an audit of a thousand accounts several times as dear.
constexpr double kAuditsASecond = kSanitized ? 1 : 10;

/// What the auditors saw of one round.
struct Audits {
  // A little faster than it has to be, since the last ones may not be finished in time.
  AuditPace pace{kAuditsASecond * 1.4};
  std::atomic<int> sums = 0;
  std::atomic<int> problems = 0;
  std::atomic<int> incomplete = 0;
  std::atomic<std::int64_t> missing = 0;

  /// All invariants over all rows, in one snapshot.
  void verify(Accounting& books, int accounts) {
    if (pace.is_ahead()) {
      return;
    }
    const VerifyReport report = books.verify();
    problems += static_cast<int>(report.problems.size());
    incomplete += report.ok && report.accounts == accounts && report.entries >= accounts ? 0 : 1;
    pace.audited();
  }
  void add_up(const std::string& url) {
    const std::int64_t found = std::stoll(run_sql(url, Bank::sql_of_what_is_missing()));
    ++sums;
    missing += std::abs(found);
  }
};

/// The time is divided into rounds on fresh rows, so that an audit stays a matter of milliseconds.
/// A round in which the machine stood still counts for nothing, and is played again.
struct Plan {
  Database database;
  int accounts;
  int rounds = short_or_long(1, 20);
  int again = 4;                                                                      ///< at most
  std::chrono::milliseconds time = short_or_long<std::chrono::milliseconds>(2s, 3s);  ///< of one

  [[nodiscard]] bool is_fast_enough(int audits, int in_rounds) const {
    return audits >= kAuditsASecond * std::chrono::duration<double>(in_rounds * time).count();
  }
};

/// What the rounds that count came to.
struct Total {
  std::int64_t calls = 0;
  CallLog::Totals log;
  int audits = 0;
  int sums = 0;
  std::chrono::milliseconds waited{};
};

void check_round(Books& books, Bank& bank, const Audits& audits) {
  const CallCounts::Totals totals = bank.counts().totals();
  CHECK(totals.failures.empty());
  CHECK(totals.unexpected.empty());
  CHECK(totals.given_up == 0);
  CHECK(audits.problems.load() == 0);
  CHECK(audits.incomplete.load() == 0);
  CHECK(audits.missing.load() == 0);
  bank.log().check_nothing_lost(books.accounting());
  CHECK(books.accounting().verify().ok);
}

/// Answers whether it counts.
bool play_round(const Plan& plan, const std::string& url, int number, Total& total) {
  Books books(plan.database, {.database = url, .policy = bank_policy(), .pool_size = 12});
  Bank bank(books, plan.accounts, static_cast<std::uint64_t>(number));
  Audits audits;
  std::vector<Beside> beside(kAuditors,
                             {[&] { audits.verify(books.accounting(), plan.accounts); }, 1ms});
  if (books.on_postgresql()) {
    beside.push_back({[&] { audits.add_up(url); }});
  }
  bank.work(kWorkers, plan.time, beside, &audits.pace);
  check_round(books, bank, audits);
  const CallLog::Totals log = bank.log().totals();
  const bool mixed = log.charges > 0 && log.transfers > 0 && log.ends > 0;
  if (!mixed || !plan.is_fast_enough(audits.pace.audits(), 1)) {
    MESSAGE("round " << number << " does not count: " << audits.pace.audits() << " verified, "
                     << to_string(log));
    return false;
  }
  total.calls += bank.counts().totals().calls;
  total.log.charges += log.charges;
  total.log.grants += log.grants;
  total.log.transfers += log.transfers;
  total.log.sessions += log.sessions;
  total.log.ends += log.ends;
  total.audits += audits.pace.audits();
  total.sums += audits.sums;
  total.waited += audits.pace.waited() / kWorkers;
  return true;
}

/// `play(number)` plays one round and answers whether it counts.
int play_rounds(const Plan& plan, const std::function<bool(int number)>& play) {
  int counted = 0;
  for (int number = 1; counted < plan.rounds && number <= plan.rounds + plan.again; ++number) {
    counted += play(number) ? 1 : 0;
  }
  return counted;
}

void check_total(const Plan& plan, int counted, const Total& total) {
  const double seconds = std::chrono::duration<double>(plan.rounds * plan.time).count();
  MESSAGE(to_string(plan.database)
          << ", " << plan.accounts << " accounts, " << kWorkers << " workers, " << seconds
          << " s: " << total.calls << " calls; " << to_string(total.log) << "; "
          << total.audits / seconds << " verified a second, " << total.sums
          << " summed up; for the auditors each worker waited " << total.waited.count() << " ms");
  CHECK(counted == plan.rounds);
  CHECK(plan.is_fast_enough(total.audits, plan.rounds));
}

/// In a database whose deadlocks are this test's own.
void play_on_postgresql(int accounts) {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  const Plan plan{Database::postgresql, accounts};
  const FreshDatabase database(*server);
  Total total;
  const int counted = play_rounds(plan, [&](int number) {
    const FreshSchema schema(database.url());
    return play_round(plan, schema.url(), number, total);
  });
  database.wait_until_left();
  MESSAGE("deadlocks: " << database.deadlocks());
  CHECK(database.deadlocks() == 0);
  check_total(plan, counted, total);
}

void play_on_sqlite(int accounts) {
  const Plan plan{Database::sqlite_file, accounts};
  Total total;
  const int counted = play_rounds(plan, [&](int number) {
    const TemporaryDirectory directory;
    return play_round(plan, directory.sqlite_url(), number, total);
  });
  check_total(plan, counted, total);
}

}  // namespace

TEST_SUITE("bank") {
  TEST_CASE("one account") { play_on_postgresql(1); }

  TEST_CASE("ten accounts") { play_on_postgresql(10); }

  TEST_CASE("a thousand accounts") { play_on_postgresql(1'000); }

  TEST_CASE("one account in a SQLite file") { play_on_sqlite(1); }

  TEST_CASE("ten accounts in a SQLite file") { play_on_sqlite(10); }

  TEST_CASE("a thousand accounts in a SQLite file") { play_on_sqlite(1'000); }
}

}  // namespace accounting::testing
