// OldDatabase: a database that an older version of the library made and used, loaded from its dump;
// and the processes that are at work on it while it is migrated.
#pragma once

#include "history.hpp"
#include "support/books.hpp"
#include "support/databases.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace accounting::testing {

class OldDatabase {
 public:
  /// On SQLite or PostgreSQL.
  OldDatabase(std::int64_t version, Database database);

  [[nodiscard]] std::int64_t version() const { return version_; }
  [[nodiscard]] bool on_postgresql() const { return database_ == Database::postgresql; }
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

 private:
  std::shared_ptr<void> sqlite_;
  std::shared_ptr<void> postgresql_;
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
