// Databases for tests: a PostgreSQL schema of one's own, a temporary directory for SQLite files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace accounting::testing {

/// The server that ACCOUNTING_TEST_POSTGRESQL names; none where it is unset. The variable holds a
/// URL of a role that may create schemas.
std::optional<std::string> postgresql_url();

/// As above, and says loudly in the test's output that the test is skipped where it is unset.
std::optional<std::string> postgresql_url_or_skip();

/// Runs SQL on a connection of its own, through libpq only. Throws std::runtime_error. Answers the
/// first column of the first row of the last statement; empty where there is none.
std::string run_sql(const std::string& url, const std::string& sql);

/// `url` with one more query parameter; `value` is percent-encoded.
std::string with_parameter(const std::string& url, const std::string& name,
                           const std::string& value);

/// Creates a schema with a random name on the test server and drops it at the end.
class FreshSchema {
 public:
  explicit FreshSchema(const std::string& server_url);
  FreshSchema(const FreshSchema&) = delete;
  FreshSchema& operator=(const FreshSchema&) = delete;
  ~FreshSchema();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The server's URL with the schema as search path.
  [[nodiscard]] const std::string& url() const noexcept { return url_; }

 private:
  std::string server_url_;
  std::string name_;
  std::string url_;
};

/// Creates a database with a random name on the test server and drops it at the end: what the
/// server counts by database, such as deadlocks, is then the test's own. Needs a role that may
/// create databases.
class FreshDatabase {
 public:
  explicit FreshDatabase(const std::string& server_url);
  FreshDatabase(const FreshDatabase&) = delete;
  FreshDatabase& operator=(const FreshDatabase&) = delete;
  ~FreshDatabase();

  /// Its own URL.
  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  /// How many deadlocks the server has found in it. Connections tell it late, or as they end.
  [[nodiscard]] std::int64_t deadlocks() const;
  /// Waits until nobody else is connected to it.
  void wait_until_left() const;
  /// Lets a setting of the server's hold for all who connect from now on.
  void set(const std::string& setting, const std::string& value) const;

 private:
  std::string server_url_;
  std::string name_;
  std::string url_;
};

/// Creates an empty directory and removes it, with what is in it, at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// `sqlite:///…` for a file in the directory.
  [[nodiscard]] std::string sqlite_url(const std::string& file = "books.db") const;

 private:
  std::filesystem::path path_;
};

}  // namespace accounting::testing
