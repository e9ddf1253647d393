// A server whose sessions are shot one after the other under full load: callers get typed errors
// that say what to do, doing that gets nearly every call through, and nothing is lost or doubled.
#include "fault/bank.hpp"
#include "support/databases.hpp"
#include "support/long_run.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace accounting::testing {
namespace {

constexpr int kWorkers = 12;
const std::string kApplication = "accounting shot backends";

struct Finish {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};

/// Shoots sessions that bear the name, of a database that is this test's own, through a connection
/// that stays open and to a grid of instants, so that work on a busy machine is shot no less.
class Shooter {
 public:
  explicit Shooter(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
    REQUIRE(PQstatus(connection_.get()) == CONNECTION_OK);
  }

  /// Waits for the next instant, and shoots one.
  void shoot() {
    std::this_thread::sleep_until(next_);
    next_ += kPause;
    const std::unique_ptr<PGresult, Clear> result(PQexec(connection_.get(), shot_.c_str()));
    shots_ += PQntuples(result.get()) == 1 && PQgetvalue(result.get(), 0, 0)[0] == 't' ? 1 : 0;
  }
  [[nodiscard]] int shots() const { return shots_; }

 private:
  static constexpr std::chrono::milliseconds kPause{100};

  std::unique_ptr<PGconn, Finish> connection_;
  std::string shot_ =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE datname = current_database() AND application_name = '" +
      kApplication + "' ORDER BY random() LIMIT 1";
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + kPause;
  int shots_ = 0;
};

}  // namespace

TEST_SUITE("shot backends") {
  TEST_CASE("a session is shot every 100 ms: nearly every call gets through, once") {
    const auto server = postgresql_url_or_skip();
    if (!server) {
      return;
    }
    const FreshDatabase database(*server);
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
    Shooter shooter(database.url());
    RetryingClient auditor(bank.counts(), 1);
    const auto shoot = [&] { shooter.shoot(); };
    const auto audit = [&] {
      const auto report = auditor([&] { return books.accounting().verify(); }).answer;
      audits += report ? 1 : 0;
      problems += report ? static_cast<int>(report->problems.size()) : 0;
    };
    bank.work(kWorkers, short_or_long<std::chrono::milliseconds>(5s, 60s),
              {{shoot, 0ms}, {audit, 50ms}});

    const CallCounts::Totals totals = bank.counts().totals();
    MESSAGE(std::to_string(shooter.shots())
            << " sessions shot, " << retries.load() << " tries again by the library; "
            << to_string(totals) << "; " << to_string(bank.log().totals()) << "; " << audits.load()
            << " audits");
    CHECK(shooter.shots() >= short_or_long(30, 400));
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
