#include "sql/sqlite_connection.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <new>
#include <random>
#include <string_view>
#include <thread>

namespace accounting::sql {
namespace {

constexpr int instructions_between_checks = 100'000;  // about a millisecond
constexpr int shortest_pause = 500;  // of a writer that waits for another process, in µs
constexpr int longest_pause = 8'000;

/// Whole seconds, rounded up, because that is what SOCI takes.
std::chrono::seconds busy_seconds(const Options& options) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.lock_timeout);
  return std::clamp(seconds, std::chrono::seconds(0), std::chrono::seconds(1'000'000));
}

std::string connect_string(const DatabaseUrl& url, const Options& options) {
  return "dbname=\"" + (url.in_memory ? ":memory:" : url.path) +
         "\" timeout=" + std::to_string(busy_seconds(options).count());
}

SqlErrorKind kind_of(int code, std::string_view message) noexcept {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return SqlErrorKind::busy;
    case SQLITE_CONSTRAINT:
      return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                     code == SQLITE_CONSTRAINT_ROWID
                 ? SqlErrorKind::unique_violation
                 : SqlErrorKind::constraint;
    case SQLITE_READONLY:
      return SqlErrorKind::read_only;
    case SQLITE_FULL:
      return SqlErrorKind::full;
    case SQLITE_IOERR:
      return code == SQLITE_IOERR_SHMSIZE ? SqlErrorKind::full : SqlErrorKind::other;
    case SQLITE_INTERRUPT:
      return SqlErrorKind::timeout;
    case SQLITE_MISMATCH:
      return SqlErrorKind::constraint;
    case SQLITE_ERROR:
      if (message.substr(0, 14) == "no such table:") {
        return SqlErrorKind::missing_table;
      }
      return message == "integer overflow" ? SqlErrorKind::out_of_range : SqlErrorKind::other;
    default:
      return SqlErrorKind::other;
  }
}

/// True for a COMMIT that failed for a reason that does not show how far it came: the log may have
/// all of it, unconfirmed by the disk or not yet entered in the log's index, and whoever reads the
/// log anew finds it; of a rollback journal only the removal may have failed. (That the log could
/// not take all of it, SQLITE_FULL, is certain where a commit is not padded, as nowhere by
/// default.)
bool leaves_commit_open(int code) noexcept {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CONSTRAINT:
    case SQLITE_FULL:  // the log could not take all of it
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
      return false;
    default:
      return true;
  }
}

native::sqlite3* handle_of(soci::session& session) {
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  return reinterpret_cast<native::sqlite3*>(backend->conn_);
}

int take_text(void* target, int columns, char** values, char**) noexcept {
  if (columns > 0 && values[0] != nullptr) {
    *static_cast<std::string*>(target) = values[0];
  }
  return 0;
}

}  // namespace

SqliteConnection::SqliteConnection(const DatabaseUrl& url, const Options& options,
                                   Deadline deadline) try
    : SociConnection(soci::sqlite3, connect_string(url, options)),
      native_(handle_of(session())),
      statement_timeout_(options.statement_timeout),
      busy_timeout_(busy_seconds(options)),
      in_memory_(url.in_memory) {
  finish_by(deadline);
  wait_when_busy();
  execute("PRAGMA foreign_keys = ON");
  execute("PRAGMA trusted_schema = OFF");
  if (!in_memory_) {
    use_write_ahead_log();
    // Without a log a commit is over when the journal is gone, which its directory has to remember.
    execute(has_log_ ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = EXTRA");
    // The pages that many callers write fit, and are copied into the file less often than they are
    // written: 16 MB each, with SQLite's usual pages of 4 KB.
    execute("PRAGMA cache_size = -16384");
    execute("PRAGMA wal_autocheckpoint = 4096");
  }
  begin_write_ = prepare("BEGIN IMMEDIATE");
  begin_read_ = prepare("BEGIN");
  commit_ = prepare("COMMIT");
  native::sqlite3_progress_handler(native_, instructions_between_checks,
                                   &SqliteConnection::check_time, this);
} catch (const SqlError& error) {
  throw SqlError(error.kind() == SqlErrorKind::busy ? error.kind() : SqlErrorKind::cannot_open,
                 "the SQLite database could not be opened", error.state());
} catch (const std::bad_alloc&) {
  throw;
} catch (const std::exception&) {
  throw SqlError(SqlErrorKind::cannot_open, "the SQLite database could not be opened");
}

void SqliteConnection::use_write_ahead_log() {
  const auto give_up = std::min(Clock::now() + busy_timeout_, deadline());
  for (;;) {
    std::string mode;
    const int code =
        native::sqlite3_exec(native_, "PRAGMA journal_mode = WAL", &take_text, &mode, nullptr);
    // Where a log beside the file is impossible, the file's own journal is as safe.
    if (code == SQLITE_OK || (code & 0xff) == SQLITE_READONLY) {
      has_log_ = code == SQLITE_OK && mode == "wal";
      return;
    }
    // SQLite does not wait by itself where two connections change the mode at once.
    if ((code & 0xff) != SQLITE_BUSY || Clock::now() >= give_up) {
      throw last_error();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void SqliteConnection::run_script(const std::string& script) {
  statement_end_ = Clock::time_point::max();
  execute(script.c_str());
}

bool SqliteConnection::in_transaction() const noexcept {
  return native::sqlite3_get_autocommit(native_) == 0;
}

void SqliteConnection::begin(Begin kind) {
  statement_end_ = Clock::time_point::max();
  if (kind == Begin::write_if_free) {
    if (begin_at_once() != SQLITE_DONE) {
      throw last_error();
    }
    return;
  }
  if (step(kind == Begin::write ? begin_write_ : begin_read_) != SQLITE_DONE) {
    throw last_error();
  }
}

int SqliteConnection::begin_at_once() {
  native::sqlite3_busy_handler(native_, nullptr, nullptr);
  const int code = step(begin_write_);
  wait_when_busy();
  return code;
}

void SqliteConnection::wait_when_busy() {
  native::sqlite3_busy_handler(native_, &SqliteConnection::pause_when_busy, this);
}

int SqliteConnection::pause_when_busy(void* connection, int pauses) noexcept {
  auto& self = *static_cast<SqliteConnection*>(connection);
  const auto now = Clock::now();
  if (pauses == 0) {
    self.busy_since_ = now;
  }
  if (now - self.busy_since_ >= self.busy_timeout_ || now >= self.deadline()) {
    return 0;
  }
  // SQLite's own pauses grow to 100 ms: whoever waited long asked seldom, met none of the short
  // gaps between the writes of other processes, and starved.
  thread_local std::minstd_rand random(static_cast<unsigned>(now.time_since_epoch().count()));
  std::this_thread::sleep_for(std::chrono::microseconds(
      std::uniform_int_distribution<int>(shortest_pause, longest_pause)(random)));
  return 1;
}

void SqliteConnection::commit() {
  statement_end_ = Clock::time_point::max();
  // SQLite ends a transaction by itself after some errors, and then there is nothing to commit.
  if (!in_transaction()) {
    throw SqlError(SqlErrorKind::commit_refused,
                   std::string(describe(SqlErrorKind::commit_refused)));
  }
  if (step(commit_) != SQLITE_DONE) {
    const int code = native::sqlite3_extended_errcode(native_);
    const SqlError error = last_error();
    const bool is_open = !reading() && !in_memory_ && leaves_commit_open(code);
    if (is_open && !write_over_commit()) {
      throw SqlError(SqlErrorKind::commit_unknown,
                     std::string(describe(SqlErrorKind::commit_unknown)), error.state());
    }
    throw error;
  }
  if (in_transaction()) {
    throw SqlError(SqlErrorKind::commit_refused,
                   std::string(describe(SqlErrorKind::commit_refused)));
  }
}

bool SqliteConnection::write_over_commit() noexcept {
  // What the log has beyond the last commit counts for nobody until the log is read anew, after a
  // crash; the next commit takes its place. A rollback journal leaves nothing to write over.
  if (!has_log_) {
    return false;
  }
  const auto run = [this](const char* sql) {
    return native::sqlite3_exec(native_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  std::string version;  // a number, too short to be allocated
  const bool known = (!in_transaction() || run("ROLLBACK")) &&
                     native::sqlite3_exec(native_, "PRAGMA user_version", &take_text, &version,
                                          nullptr) == SQLITE_OK;
  std::array<char, 80> sql{};
  std::snprintf(sql.data(), sql.size(), "BEGIN IMMEDIATE; PRAGMA user_version = %s; COMMIT",
                version.c_str());  // the same again, which is written all the same
  return known && run(sql.data());
}

void SqliteConnection::roll_back() noexcept {
  statement_end_ = Clock::time_point::max();
  native::sqlite3_exec(native_, "ROLLBACK", nullptr, nullptr, nullptr);
  broken_ = broken_ || in_transaction();
}

SqlError SqliteConnection::failure() { return last_error(); }

void SqliteConnection::before_execution() {
  statement_end_ = std::min(Clock::now() + statement_timeout_, deadline());
}

void SqliteConnection::execute(const char* sql) {
  if (native::sqlite3_exec(native_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw last_error();
  }
}

SqliteConnection::Prepared SqliteConnection::prepare(const char* sql) {
  native::sqlite3_stmt* statement = nullptr;
  if (native::sqlite3_prepare_v2(native_, sql, -1, &statement, nullptr) != SQLITE_OK) {
    throw last_error();
  }
  return Prepared(statement);
}

int SqliteConnection::step(const Prepared& statement) noexcept {
  const int code = native::sqlite3_step(statement.get());
  native::sqlite3_reset(statement.get());
  return code;
}

SqlError SqliteConnection::last_error() {
  const int code = native::sqlite3_extended_errcode(native_);
  const int primary = code & 0xff;
  // A database in memory is gone with its connection, so that one is kept whatever happens.
  if (!in_memory_ && (primary == SQLITE_IOERR || primary == SQLITE_CORRUPT ||
                      primary == SQLITE_NOTADB || primary == SQLITE_CANTOPEN)) {
    broken_ = true;
  }
  const auto kind = kind_of(code, native::sqlite3_errmsg(native_));
  return SqlError(kind, std::string(describe(kind)), std::to_string(code));
}

int SqliteConnection::check_time(void* connection) noexcept {
  return Clock::now() > static_cast<SqliteConnection*>(connection)->statement_end_ ? 1 : 0;
}

}  // namespace accounting::sql
