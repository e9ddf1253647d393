// SqliteConnection: one session with an SQLite file or memory.
#pragma once

#include "accounting/options.hpp"
#include "sql/database_url.hpp"
#include "sql/soci_connection.hpp"
#include "sql/sqlite_api.hpp"

#include <chrono>
#include <memory>

namespace accounting::sql {

class SqliteConnection final : public SociConnection {
 public:
  /// Opens the file, makes it where it is missing. A file that cannot be written is opened for
  /// reading. Throws SqlError.
  SqliteConnection(const DatabaseUrl& url, const Options& options, Deadline deadline);

  [[nodiscard]] DatabaseKind kind() const noexcept override { return DatabaseKind::sqlite; }
  void run_script(const std::string& script) override;
  [[nodiscard]] bool in_transaction() const noexcept override;
  [[nodiscard]] bool broken() const noexcept override { return broken_; }
  [[nodiscard]] std::int64_t round_trips() const noexcept override { return 0; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Finalize {
    void operator()(native::sqlite3_stmt* statement) const noexcept {
      native::sqlite3_finalize(statement);
    }
  };
  using Prepared = std::unique_ptr<native::sqlite3_stmt, Finalize>;

  void begin(Begin kind) override;
  void commit() override;
  void roll_back() noexcept override;
  SqlError failure() override;
  void before_execution() override;

  /// SQLite's code: whether the write lock was had without waiting.
  int begin_at_once();
  void wait_when_busy();
  void use_write_ahead_log();
  void execute(const char* sql);
  [[nodiscard]] Prepared prepare(const char* sql);
  /// Runs a statement that answers no rows; SQLite's code.
  static int step(const Prepared& statement) noexcept;
  /// After a COMMIT that failed: true where nothing of it can be found any more.
  bool write_over_commit() noexcept;
  SqlError last_error();
  static int check_time(void* connection) noexcept;
  static int pause_when_busy(void* connection, int pauses) noexcept;

  native::sqlite3* native_;
  Prepared begin_write_;
  Prepared begin_read_;
  Prepared commit_;
  std::chrono::milliseconds statement_timeout_;
  std::chrono::milliseconds busy_timeout_;
  Clock::time_point statement_end_ = Clock::time_point::max();
  Clock::time_point busy_since_ = {};
  bool in_memory_;
  bool has_log_ = false;
  bool broken_ = false;
};

}  // namespace accounting::sql
