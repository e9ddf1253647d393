// Backups of books at work: each restores to sound books that have all that was acknowledged before
// it began, nothing that began after it ended, and that go on working.
#include "backups.hpp"
#include "support/books.hpp"
#include "support/long_run.hpp"
#include "support/programs.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace accounting::testing {
namespace {

/// Later than the history that the books begin with.
constexpr Timestamp kNow = kStart + days(5);

// RFC 8037, A.1
const std::string kPrivateKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
const std::string kPublicKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n";

constexpr int kWorkers = 4;
constexpr int kAccounts = 3;

std::string user(int number) { return "user-" + std::to_string(number); }

/// A charge that was acknowledged.
struct Acknowledged {
  ChargeRequest request;
  Charge answer;
  int began = 0;  ///< how many backups had begun or ended before the call
  int ended = 0;  ///< the same after its answer
};

/// Workers who charge, deduct, hold and settle until they are told to stop.
class BooksAtWork {
 public:
  explicit BooksAtWork(const Accounting& books) : books_(books) {
    for (int number = 0; number < kAccounts; ++number) {
      books.accounts().sync({.user_id = user(number), .email = "e@example.org", .username = "n"});
      books.credits().allocate({.user_id = user(number),
                                .credits = kMostCredits,
                                .allocated_by = "admin",
                                .never_expires = true});
    }
    books.pricing().set({.model_id = "m", .price_per_1k_tokens = "1000", .created_by = "admin"});
    for (int worker = 0; worker < kWorkers; ++worker) {
      workers_.emplace_back([this, worker] { work(worker); });
    }
  }

  /// Waits until so many more calls were acknowledged.
  void wait_for(std::int64_t more) const {
    const std::int64_t enough = calls_ + more;
    while (calls_ < enough && failures_ == 0) {
      std::this_thread::sleep_for(1ms);
    }
  }

  /// A backup begins or ends.
  void mark() { ++phase_; }
  [[nodiscard]] int phase() const { return phase_; }

  void stop() {
    stopping_ = true;
    workers_.clear();
  }

  [[nodiscard]] const std::vector<Acknowledged>& acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::int64_t calls() const { return calls_; }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  void work(int worker) {
    try {
      for (int count = 0; !stopping_; ++count) {
        one_of_each(worker, user((worker + count) % kAccounts),
                    std::to_string(worker) + "-" + std::to_string(count));
      }
    } catch (const std::exception&) {
      ++failures_;
    }
  }

  void one_of_each(int worker, const std::string& user_id, const std::string& name) {
    const ChargeRequest request{.user_id = user_id,
                                .service = "images",
                                .operation = "one",
                                .credits = worker + 1,
                                .idempotency_key = "charge-" + name};
    const int began = phase_;
    const Charge answer = books_.credits().charge(request);
    {
      const std::lock_guard lock(mutex_);
      acknowledged_.push_back({request, answer, began, phase_});
    }
    books_.credits().deduct({.user_id = user_id, .credits = 1});
    books_.sessions().initialize({.session_id = "session-" + name,
                                  .user_id = user_id,
                                  .model_id = "m",
                                  .estimated_tokens = 10});
    if (worker != 0) {  // one worker leaves its sessions open
      books_.sessions().finalize(
          {.session_id = "session-" + name, .user_id = user_id, .actual_tokens = 7});
    }
    calls_ += 4;
  }

  const Accounting& books_;
  std::mutex mutex_;
  std::vector<Acknowledged> acknowledged_;
  std::atomic<int> phase_ = 0;
  std::atomic<std::int64_t> calls_ = 0;
  std::atomic<int> failures_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::jthread> workers_;
};

struct Taken {
  const BackupMethod* method;
  std::filesystem::path file;
  std::string checkpoint = {};  ///< made just before
  int began = 0;                ///< the phase that began with the backup
  int ended = 0;
};

/// How many charges were begun and answered while the backup ran.
std::int64_t made_beside(const std::vector<Acknowledged>& acknowledged, const Taken& taken) {
  return std::ranges::count_if(acknowledged, [&](const Acknowledged& call) {
    return call.began == taken.began && call.ended == taken.began;
  });
}

/// What was acknowledged before the backup is in it and is answered as it was; what began after
/// it is not.
void check_contents(const Accounting& restored, const std::vector<Acknowledged>& acknowledged,
                    const Taken& taken, std::int64_t& kept, std::int64_t& gone) {
  std::map<std::string, std::int64_t> last_usage;
  for (int number = 0; number < kAccounts; ++number) {
    std::int64_t& last = last_usage[user(number)];
    for (;;) {
      const auto page =
          restored.usage().list({.user_id = user(number), .after = last, .limit = 1'000});
      if (page.empty()) {
        break;
      }
      last = page.back().id;
    }
  }
  for (const Acknowledged& call : acknowledged) {
    CAPTURE(*call.request.idempotency_key);
    const bool is_there = call.answer.usage_record.id <= last_usage.at(call.request.user_id);
    if (call.ended < taken.began) {
      CHECK(is_there);
      ++kept;
    }
    if (call.began >= taken.ended) {
      CHECK_FALSE(is_there);
      ++gone;
    }
    if (is_there) {
      CHECK(restored.credits().charge(call.request) == call.answer);
    }
  }
}

/// Books that came from version 2 of the schema, so that some journal entries have no hash.
RestoredBooks books_to_back_up(Database database) {
  RestoredBooks made;
  if (database == Database::postgresql) {
    const auto fresh = std::make_shared<FreshDatabase>(postgresql_url().value());
    made = {.url = fresh->url(), .storage = fresh};
  } else {
    const auto directory = std::make_shared<TemporaryDirectory>();
    made = {.url = directory->sqlite_url(), .storage = directory};
  }
  const std::string dump = database == Database::postgresql ? "postgresql.sql" : "sqlite.sql";
  run_on(made.url,
         read_text(std::string(ACCOUNTING_SOURCE_DIR) + "/tests/upgrade/dumps/version-2/" + dump));
  if (database == Database::sqlite_file) {
    // What else its host keeps there: of a few pages a backup is done before the next call.
    run_on(made.url,
           "CREATE TABLE pictures (picture BLOB) STRICT;"
           "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series"
           " WHERE n < 40) INSERT INTO pictures SELECT zeroblob(1000000) FROM series");
  }
  return made;
}

bool is_refused(const std::string& url, const std::string& sql, const std::string& because) {
  try {
    run_on(url, sql);
  } catch (const std::exception& error) {
    return std::string(error.what()).find(because) != std::string::npos;
  }
  return false;
}

/// The restored books go on working, and what protects the journal was restored too.
void check_use(Accounting& books, const std::string& url) {
  const std::int64_t version = books.schema_version();
  CHECK(books.migrate() == version);
  CHECK(books.health().pending_migrations == 0);
  books.credits().charge(
      {.user_id = user(0), .service = "images", .operation = "one", .credits = 5});
  const auto open = books.sessions().all_active();
  CHECK_FALSE(open.empty());
  books.sessions().finalize(
      {.session_id = open.front().session_id, .user_id = open.front().user_id, .actual_tokens = 3});
  books.accounts().sync({.user_id = "new", .email = "e@example.org", .username = "n"});
  books.pricing().set({.model_id = "m2", .price_per_1k_tokens = "2", .created_by = "admin"});

  const std::string first = " WHERE user_id = 'user-0' AND sequence = 1";
  CHECK(is_refused(url, "UPDATE credit_entries SET actor = 'x'" + first, "never changed"));
  CHECK(is_refused(url, "DELETE FROM credit_entries" + first, "never changed"));
  CHECK(is_refused(url,
                   "INSERT INTO credit_entries (user_id, sequence, allocation_id, kind, credits, "
                   "held_credits, actor, created_at) SELECT user_id, 1000000, allocation_id, kind, "
                   "0, 0, actor, created_at FROM credit_entries" +
                       first,
                   url.starts_with("sqlite") ? "carry a hash" : "credit_entries_are_chained"));
  check_books_balance(books);
}

/// Takes backups in turn while the books are at work, and restores each.
void test_backups(Database database, const std::vector<BackupMethod>& methods) {
  const RestoredBooks source = books_to_back_up(database);
  Options options{.database = source.url,
                  .clock = std::make_shared<ManualClock>(kNow),
                  .pool_size = kWorkers,
                  .migrate = true};
  const Accounting books = Accounting::open(options);
  const TemporaryDirectory directory;
  std::vector<Taken> backups;
  BooksAtWork work(books);
  for (int round = 0; round < (is_long_run() ? 10 : 1); ++round) {
    for (const BackupMethod& method : methods) {
      work.wait_for(60);
      std::string checkpoint = books.checkpoint(kPrivateKey);
      work.mark();
      Taken taken{.method = &method,
                  .file = directory.path() / std::to_string(backups.size()),
                  .checkpoint = std::move(checkpoint),
                  .began = work.phase()};
      method.back_up(source.url, taken.file);
      work.mark();
      taken.ended = work.phase();
      backups.push_back(taken);
    }
  }
  work.wait_for(60);
  work.stop();
  CHECK(work.failures() == 0);

  const std::string at_the_end = books.checkpoint(kPrivateKey);
  std::int64_t kept = 0;
  std::int64_t gone = 0;
  std::int64_t beside = 0;
  for (const Taken& taken : backups) {
    CAPTURE(taken.method->name);
    beside += made_beside(work.acknowledged(), taken);
    const RestoredBooks restored = taken.method->restore(taken.file);
    options.database = restored.url;
    options.migrate = false;
    Accounting again = Accounting::open(options);
    CHECK(again.verify().ok);
    const CheckpointReport report = again.verify_checkpoint(taken.checkpoint, kPublicKey);
    CHECK(report.ok);
    CHECK(report.entries > 0);
    CHECK_FALSE(again.verify_checkpoint(at_the_end, kPublicKey).ok);  // which has more
    check_contents(again, work.acknowledged(), taken, kept, gone);
    check_use(again, restored.url);
  }
  MESSAGE("backup: " << to_string(database) << ", " << work.calls() << " calls beside "
                     << backups.size() << " backups, " << beside
                     << " charges made while one ran; of " << work.acknowledged().size()
                     << " charges each backup was held to, " << kept << " had to be in it and "
                     << gone << " not");
  CHECK(beside > 0);
  CHECK(kept > 0);
  CHECK(gone > 0);
}

}  // namespace

TEST_SUITE("backup") {
  TEST_CASE("SQLite files are backed up at work and restored") {
    test_backups(Database::sqlite_file, sqlite_backup_methods());
  }

  TEST_CASE("PostgreSQL databases are dumped at work and restored") {
    const auto server = postgresql_url_or_skip();
    if (!server) {
      return;
    }
    const auto methods = postgresql_backup_methods(*server);
    if (!methods.empty()) {
      test_backups(Database::postgresql, methods);
    }
  }
}

}  // namespace accounting::testing
