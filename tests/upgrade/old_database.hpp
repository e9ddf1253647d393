// OldDatabase: a database that an older version of the library made and used, loaded from its dump;
// and the processes that are at work on it while it is migrated.
#pragma once

#include "history.hpp"
#include "support/books.hpp"
#include "support/databases.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

class OldDatabase {
 public:
  /// On SQLite or PostgreSQL.
  OldDatabase(std::int64_t version, Database database);

  [[nodiscard]] std::int64_t version() const { return version_; }
  [[nodiscard]] bool on_postgresql() const { return database_ == Database::postgresql; }
  /// "version 1 on postgresql"
  [[nodiscard]] std::string name() const;
  [[nodiscard]] const std::string& url() const { return options_.database; }
  /// Of an open with this version of the library that leaves the schema alone.
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] Accounting open() const { return Accounting::open(options_); }

  /// A file beside the dump.
  [[nodiscard]] std::string told(const std::string& file) const;
  /// The trips of one more charge, with the key "old-1", as the older library sends them.
  [[nodiscard]] std::vector<std::string> old_charge() const;
  /// Adds accounts with sound journals of so many deductions. Not since version 3, whose journals
  /// only the library can continue.
  void grow(std::int64_t accounts, std::int64_t entries) const;

 private:
  std::int64_t version_;
  Database database_;
  std::shared_ptr<void> storage_;
  Options options_;
};

/// Runs the test on a database of each older version, on SQLite and PostgreSQL.
void for_each_old_database(const std::function<void(const OldDatabase&)>& test);

/// A session that runs SQL without the library, as a process of another version would.
class PlainSession {
 public:
  explicit PlainSession(const std::string& url);

  /// Runs statements up to the first that fails; answers what the database says of that one.
  std::string run(const std::string& script) const;
  /// The one row that a query answers. Throws std::runtime_error.
  [[nodiscard]] std::vector<std::string> row(const std::string& query) const;

 private:
  std::shared_ptr<void> sqlite_;
  std::shared_ptr<void> postgresql_;
};

/// Between this process and one that it starts. Each closes the end that is the other's, so that
/// whoever reads learns of the other's death.
class Pipe {
 public:
  Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe();

  /// This process reads from now on; or it writes.
  void keep_reading();
  void keep_writing();

  /// Writes a plain value, of a few hundred bytes at most.
  template <class Value>
  void tell(const Value& value) const {
    static_cast<void>(!write(ends_[1], &value, sizeof value));
  }
  /// Waits for a value; none where the other process told nothing more and has ended.
  template <class Value>
  [[nodiscard]] std::optional<Value> hear() const {
    Value value{};
    return read(ends_[0], &value, sizeof value) == sizeof value ? std::optional(value)
                                                                : std::nullopt;
  }
  /// Whether `hear` would answer at once, or does so within this time; less than 0: without end.
  [[nodiscard]] bool can_hear(std::chrono::milliseconds within) const;

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// Starts a process that ends with what `work` answers, or with 99 where it throws. Nothing else
/// may be going on in this process.
pid_t start_process(const std::function<int()>& work);

struct ProcessEnd {
  int exit_code = -1;  ///< -1: ended by a signal
  std::int64_t peak_kilobytes = 0;
};

ProcessEnd end_of(pid_t process);

}  // namespace accounting::testing
