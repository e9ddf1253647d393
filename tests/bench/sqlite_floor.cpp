// SQLite's floor: the two writes that a charge needs at least, prepared once, in a transaction.
#include "accounts.hpp"
#include "cases.hpp"

#include <sqlite3.h>

#include <stdexcept>
#include <string_view>

namespace accounting::bench {
namespace {

constexpr std::string_view file_prefix = "sqlite:///";

class Database {
 public:
  explicit Database(const std::string& file) {
    if (sqlite3_open(file.c_str(), &native_) != SQLITE_OK) {
      throw std::runtime_error("SQLite's floor cannot open " + file);
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
      throw std::runtime_error(std::string("SQLite's floor: ") + sqlite3_errmsg(native_));
    }
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

  void run(std::int64_t account) {
    if (sqlite3_bind_parameter_count(native_) > 0) {
      database_->check(sqlite3_bind_int64(native_, 1, account));
    }
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
    for (Prepared* statement : {&begin, &update, &insert, &commit}) {
      statement->run(account);
    }
  }

  Prepared begin;
  Prepared update;
  Prepared insert;
  Prepared commit;
};

}  // namespace

Figures sqlite_floor(const Settings& settings) {
  const bool in_memory = !settings.database.starts_with(file_prefix);
  Database database(in_memory ? ":memory:" : settings.database.substr(file_prefix.size()));
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

}  // namespace accounting::bench
