#include "old_database.hpp"

#include "support/programs.hpp"
#include "support/text.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace accounting::testing {
namespace {

std::filesystem::path folder_of(std::int64_t version) {
  return std::filesystem::path(ACCOUNTING_SOURCE_DIR) / "tests/upgrade/dumps" /
         ("version-" + std::to_string(version));
}

std::string sql_name(Database database) {
  return database == Database::postgresql ? "postgresql.sql" : "sqlite.sql";
}

}  // namespace

OldDatabase::OldDatabase(std::int64_t version, Database database)
    : version_(version), database_(database) {
  if (on_postgresql()) {
    const auto schema = std::make_shared<FreshSchema>(postgresql_url().value());
    options_.database = schema->url();
    storage_ = schema;
  } else {
    const auto directory = std::make_shared<TemporaryDirectory>();
    options_.database = directory->sqlite_url();
    storage_ = directory;
  }
  options_.clock = std::make_shared<ManualClock>(history_end());
  options_.migrate = false;
  const std::string dump = told(sql_name(database));
  REQUIRE_FALSE(dump.empty());
  run_on(url(), dump);
  if (!on_postgresql()) {
    run_on(url(), "PRAGMA journal_mode = WAL");  // as the library had it; no dump tells
  }
}

std::string OldDatabase::name() const {
  return "version " + std::to_string(version_) + " on " + std::string(to_string(database_));
}

std::string OldDatabase::told(const std::string& file) const {
  return read_text(folder_of(version_) / file);
}

std::vector<std::string> OldDatabase::old_charge() const {
  const std::string mark = "-- the next trip\n";
  const std::string script = told("charge." + sql_name(database_));
  std::vector<std::string> trips;
  for (std::size_t begin = 0; begin < script.size();) {
    const auto end = script.find(mark, begin);
    trips.push_back(script.substr(begin, end - begin));
    begin = end + mark.size();
  }
  REQUIRE(trips.size() == 2);
  return trips;
}

void OldDatabase::grow(std::int64_t accounts, std::int64_t entries) const {
  if (version_ >= 3) {
    return;
  }
  const char* script = R"sql(
    WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < ACCOUNTS)
    INSERT INTO user_accounts (user_id, email, username, created_at, updated_at,
      last_allocation_id, last_entry_sequence, allocated_credits)
    SELECT 'grown-' || n, 'e@example.org', 'grown', created_at, created_at, 1, ENTRIES + 1,
      2 * ENTRIES FROM user_accounts, series WHERE user_id = 'ada';
    INSERT INTO credit_allocations (user_id, id, total_credits, remaining_credits,
      consumed_credits, allocated_by, allocated_at, effective_at)
    SELECT user_id, 1, 2 * ENTRIES, ENTRIES, ENTRIES, 'admin', created_at, created_at
      FROM user_accounts WHERE user_id LIKE 'grown-%';
    WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n <= ENTRIES)
    INSERT INTO credit_entries (user_id, sequence, allocation_id, kind, credits, held_credits,
      actor, created_at)
    SELECT user_id, n, 1, CASE n WHEN 1 THEN 'allocate' ELSE 'deduct' END,
      CASE n WHEN 1 THEN 2 * ENTRIES ELSE -1 END, 0, 'host', created_at
      FROM user_accounts, series WHERE user_id LIKE 'grown-%';)sql";
  run_on(url(), replaced(replaced(script, "ACCOUNTS", std::to_string(accounts)), "ENTRIES",
                         std::to_string(entries)));
}

void for_each_old_database(const std::function<void(const OldDatabase&)>& test) {
  for (const std::int64_t version : {1, 2, 3}) {
    for (const Database database : {Database::sqlite_file, Database::postgresql}) {
      const std::string name =
          "version " + std::to_string(version) + " on " + std::string(to_string(database));
      SUBCASE(name.c_str()) {
        if (is_available_or_skip(database)) {
          test(OldDatabase(version, database));
        }
      }
    }
  }
}

// --- processes -----------------------------------------------------------------------------------

PlainSession::PlainSession(const std::string& url) {
  const std::string prefix = "sqlite:///";
  if (url.starts_with(prefix)) {
    sqlite3* file = nullptr;
    sqlite3_open(url.c_str() + prefix.size(), &file);
    sqlite_ =
        std::shared_ptr<void>(file, [](void* open) { sqlite3_close(static_cast<sqlite3*>(open)); });
    run("PRAGMA foreign_keys = ON");
  } else {
    postgresql_ = std::shared_ptr<void>(PQconnectdb(url.c_str()),
                                        [](void* open) { PQfinish(static_cast<PGconn*>(open)); });
  }
}

std::string PlainSession::run(const std::string& script) const {
  if (sqlite_) {
    auto* file = static_cast<sqlite3*>(sqlite_.get());
    const bool well = sqlite3_exec(file, script.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
    return well ? "" : sqlite3_errmsg(file);
  }
  auto* server = static_cast<PGconn*>(postgresql_.get());
  PGresult* result = PQexec(server, script.c_str());
  const bool well =
      PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
  PQclear(result);
  return well ? "" : PQerrorMessage(server);
}

std::vector<std::string> PlainSession::row(const std::string& query) const {
  std::vector<std::string> columns;
  if (sqlite_) {
    const auto take = [](void* target, int count, char** values, char**) {
      static_cast<std::vector<std::string>*>(target)->assign(values, values + count);
      return 0;
    };
    sqlite3_exec(static_cast<sqlite3*>(sqlite_.get()), query.c_str(), take, &columns, nullptr);
  } else {
    PGresult* result = PQexec(static_cast<PGconn*>(postgresql_.get()), query.c_str());
    for (int column = 0; PQntuples(result) == 1 && column < PQnfields(result); ++column) {
      columns.emplace_back(PQgetvalue(result, 0, column));
    }
    PQclear(result);
  }
  if (columns.empty()) {
    throw std::runtime_error("no row: " + query);
  }
  return columns;
}

Pipe::Pipe() { REQUIRE(pipe(ends_.data()) == 0); }

Pipe::~Pipe() {
  keep_reading();
  keep_writing();
}

void Pipe::keep_reading() { close(std::exchange(ends_[1], -1)); }
void Pipe::keep_writing() { close(std::exchange(ends_[0], -1)); }

bool Pipe::can_hear(std::chrono::milliseconds within) const {
  pollfd end{.fd = ends_[0], .events = POLLIN, .revents = 0};
  return poll(&end, 1, static_cast<int>(within.count())) > 0;
}

pid_t start_process(const std::function<int()>& work) {
  std::cout << std::flush;
  const pid_t process = fork();
  if (process != 0) {
    return process;
  }
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  alarm(300);  // one that hangs fails its test instead of stopping all
  try {
    _exit(work());
  } catch (...) {
    _exit(99);
  }
}

ProcessEnd end_of(pid_t process) {
  int status = 0;
  rusage used{};
  wait4(process, &status, 0, &used);
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .peak_kilobytes = used.ru_maxrss};
}

}  // namespace accounting::testing
