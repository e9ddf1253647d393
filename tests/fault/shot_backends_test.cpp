// A server whose sessions are shot one after the other under full load: callers get typed errors
// that say what to do, doing that gets nearly every call through, and nothing is lost or doubled.
#include "fault/bank.hpp"
#include "support/databases.hpp"
#include "support/long_run.hpp"

#include <atomic>

namespace accounting::testing {
namespace {

constexpr int kWorkers = 12;
const std::string kApplication = "accounting shot backends";

/// Shoots one of the database's sessions that bear the name; the database is this test's own.
bool shoot_one(const std::string& url) {
  return run_sql(url,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE datname = current_database() AND application_name = '" +
                     kApplication + "' ORDER BY random() LIMIT 1") == "t";
}

}  // namespace

TEST_SUITE("shot backends") {
  TEST_CASE("a session is shot every 100 ms: nearly every call gets through, once") {
    const auto server = postgresql_url_or_skip();
    if (!server) {
      return;
    }
    const FreshDatabase database(*server);
    std::atomic<int> shots = 0;
    std::atomic<int> retries = 0;
    std::atomic<int> audits = 0;
    std::atomic<int> problems = 0;
    const auto count_retry = [&](LogLevel, std::string_view message) {
      retries += message.ends_with("trying again") ? 1 : 0;
    };
    Books books(Database::postgresql,
                {.database = with_parameter(database.url(), "application_name", kApplication),
                 .policy = bank_policy(),
                 .pool_size = 8,
                 .log = count_retry});
    Bank bank(books, 10, 1);
    RetryingClient auditor(bank.counts(), 1);
    const auto shoot = [&] { shots += shoot_one(database.url()) ? 1 : 0; };
    const auto audit = [&] {
      const auto report = auditor([&] { return books.accounting().verify(); }).answer;
      audits += report ? 1 : 0;
      problems += report ? static_cast<int>(report->problems.size()) : 0;
    };
    bank.work(kWorkers, short_or_long<std::chrono::milliseconds>(5s, 60s),
              {{shoot, 100ms}, {audit, 50ms}});

    const CallCounts::Totals totals = bank.counts().totals();
    MESSAGE(std::to_string(shots) << " sessions shot, " << retries.load()
                                  << " tries again by the library; " << to_string(totals) << "; "
                                  << to_string(bank.log().totals()) << "; " << audits.load()
                                  << " audits");
    CHECK(shots.load() >= short_or_long(5, 100));
    CHECK(retries.load() > 0);
    CHECK(totals.unexpected.empty());
    CHECK(totals.given_up * 100 < totals.calls);
    CHECK(audits.load() > 0);
    CHECK(problems.load() == 0);
    bank.log().check_nothing_lost(books.accounting());
    check_books_balance(books.accounting());
  }
}

}  // namespace accounting::testing
