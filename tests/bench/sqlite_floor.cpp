// SQLite's floor: the two writes that a charge needs at least, prepared once, in a transaction; and
// the rows that the library writes for a charge, without the library.
#include "accounts.hpp"
#include "cases.hpp"

#include <sqlite3.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace accounting::bench {
namespace {

constexpr std::string_view file_prefix = "sqlite:///";

class Database {
 public:
  explicit Database(const std::string& file) {
    if (sqlite3_open(file.c_str(), &native_) != SQLITE_OK) {
      throw std::runtime_error("SQLite cannot open " + file);
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close_v2(native_); }

  void execute(const std::string& sql) {
    check(sqlite3_exec(native_, sql.c_str(), nullptr, nullptr, nullptr));
  }

  void check(int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE) {
      throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(native_));
    }
  }

  /// What a query of one number answers.
  std::int64_t number(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(native_, sql, -1, &statement, nullptr));
    const std::int64_t found =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    check(sqlite3_finalize(statement));
    return found;
  }

  [[nodiscard]] sqlite3* native() const noexcept { return native_; }

 private:
  sqlite3* native_ = nullptr;
};

class Prepared {
 public:
  Prepared(Database& database, const char* sql) : database_(&database) {
    database.check(sqlite3_prepare_v2(database.native(), sql, -1, &native_, nullptr));
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() { sqlite3_finalize(native_); }

  void bind(int place, std::int64_t number) {
    database_->check(sqlite3_bind_int64(native_, place, number));
  }

  /// The text has to last until the statement has run.
  void bind(int place, const std::string& text) {
    const int size = static_cast<int>(text.size());
    database_->check(sqlite3_bind_text(native_, place, text.data(), size, SQLITE_STATIC));
  }

  void run() {
    const int code = sqlite3_step(native_);
    sqlite3_reset(native_);
    database_->check(code);
  }

 private:
  Database* database_;
  sqlite3_stmt* native_ = nullptr;
};

void set_up(Database& database, std::int64_t accounts) {
  database.execute("PRAGMA journal_mode = WAL");
  database.execute("PRAGMA synchronous = FULL");
  database.execute(
      "CREATE TABLE IF NOT EXISTS floor_accounts ("
      "id INTEGER PRIMARY KEY, credits INTEGER NOT NULL CHECK (credits >= 0)) STRICT");
  database.execute(
      "CREATE TABLE IF NOT EXISTS floor_uses ("
      "account INTEGER NOT NULL, credits INTEGER NOT NULL, at INTEGER NOT NULL) STRICT");
  database.execute(
      "WITH RECURSIVE ids (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < " +
      std::to_string(accounts) +
      ") INSERT OR IGNORE INTO floor_accounts SELECT id, 1000000000000000 FROM ids");
}

struct Transaction {
  explicit Transaction(Database& database)
      : begin(database, "BEGIN IMMEDIATE"),
        update(database, "UPDATE floor_accounts SET credits = credits - 3 WHERE id = ?1"),
        insert(database, "INSERT INTO floor_uses VALUES (?1, 3, 1767225600000000)"),
        commit(database, "COMMIT") {}

  void run(std::int64_t account) {
    begin.run();
    for (Prepared* statement : {&update, &insert}) {
      statement->bind(1, account);
      statement->run();
    }
    commit.run();
  }

  Prepared begin;
  Prepared update;
  Prepared insert;
  Prepared commit;
};

/// Statements about an account, ?1, and the number, ?2, that its next record and entry have.
struct RowsOfCharge {
  explicit RowsOfCharge(Database& database)
      : account(database,
                "UPDATE user_accounts SET last_usage_id = ?2, last_entry_sequence = ?2, "
                "used_credits = used_credits + 3, last_entry_hash = hex(zeroblob(32)) "
                "WHERE user_id = ?1"),
        allocation(database,
                   "UPDATE credit_allocations SET remaining_credits = remaining_credits - 3, "
                   "consumed_credits = consumed_credits + 3 WHERE user_id = ?1 AND id = 1"),
        record(database,
               "INSERT INTO usage_records (user_id, id, timestamp, service, operation, credits, "
               "collected_credits) VALUES (?1, ?2, 1767225600000000 + ?2, 'chat', 'atlas', 3, 3)"),
        entry(database,
              "INSERT INTO credit_entries (user_id, sequence, allocation_id, kind, credits, "
              "held_credits, usage_id, actor, created_at, hash) VALUES (?1, ?2, 1, 'charge', -3, "
              "0, ?2, 'host', 1767225600000000 + ?2, hex(zeroblob(32)))"),
        rollup(database,
               "INSERT INTO usage_rollups VALUES (?1, '2026-01-01', 'chat', 'atlas', 1, 3) "
               "ON CONFLICT (user_id, day, service, model) DO UPDATE SET records = records + 1, "
               "credits = credits + 3") {}

  void run(const std::string& user_id, std::int64_t number) {
    for (Prepared* statement : {&account, &allocation, &record, &entry, &rollup}) {
      statement->bind(1, user_id);
    }
    for (Prepared* statement : {&account, &record, &entry}) {
      statement->bind(2, number);
    }
    for (Prepared* statement : {&account, &allocation, &record, &entry, &rollup}) {
      statement->run();
    }
  }

  Prepared account;
  Prepared allocation;
  Prepared record;
  Prepared entry;
  Prepared rollup;
};

std::string file_of(const Settings& settings) {
  return settings.database.substr(file_prefix.size());
}

}  // namespace

Figures sqlite_floor(const Settings& settings) {
  const bool in_memory = !settings.database.starts_with(file_prefix);
  Database database(in_memory ? ":memory:" : file_of(settings));
  set_up(database, settings.accounts);
  Transaction transaction(database);
  std::vector<std::string> ids;
  for (std::int64_t id = 1; id <= settings.accounts; ++id) {
    ids.push_back(std::to_string(id));
  }
  return measure(settings, [&](std::int64_t caller) -> Call {
    return
        [&, picker = Picker(ids, caller)]() mutable { transaction.run(std::stoll(picker.next())); };
  });
}

Figures sqlite_rows(const Settings& settings) {
  Database database(file_of(settings));
  // As the library has it.
  database.execute(
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; "
      "PRAGMA wal_autocheckpoint = 4096");
  Prepared begin(database, "BEGIN IMMEDIATE");
  Prepared commit(database, "COMMIT");
  RowsOfCharge rows(database);
  const std::vector<std::string> ids = account_ids(settings);
  std::int64_t number = database.number("SELECT max(last_entry_sequence) FROM user_accounts");
  const auto make_call = [&](std::int64_t caller) -> Call {
    return [&, picker = Picker(ids, caller)]() mutable {
      begin.run();
      for (std::int64_t count = 0; count < settings.batch; ++count) {
        rows.run(picker.next(), ++number);
      }
      commit.run();
    };
  };
  return measure(settings, make_call, settings.batch);
}

}  // namespace accounting::bench
