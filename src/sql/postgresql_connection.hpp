// PostgresqlConnection: one session with a PostgreSQL server, a round trip a statement.
#pragma once

#include "accounting/options.hpp"
#include "sql/database_url.hpp"
#include "sql/postgresql_error.hpp"
#include "sql/soci_connection.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <optional>
#include <string>

namespace accounting::sql {

class PostgresqlConnection : public SociConnection {
 public:
  /// Connects and sets the session up. Throws SqlError (`unreachable`).
  PostgresqlConnection(const DatabaseUrl& url, const Options& options, Deadline deadline);
  ~PostgresqlConnection() override;

  [[nodiscard]] DatabaseKind kind() const noexcept override { return DatabaseKind::postgresql; }
  void run_script(const std::string& script) override;
  [[nodiscard]] bool in_transaction() const noexcept override;
  /// Notices a server that has hung up on an idle session, without asking it anything.
  [[nodiscard]] bool broken() const noexcept override;
  [[nodiscard]] std::int64_t round_trips() const noexcept override { return round_trips_; }

 protected:
  void before_execution() override { count_round_trip(); }

  PGconn* native() const noexcept { return native_; }
  void count_round_trip() noexcept { ++round_trips_; }
  void give_up() noexcept { broken_ = true; }
  /// Waits until the next answer can be read. False where the server stays silent until `until`, or
  /// for a moment longer than the deadline.
  bool wait_for_answer(Deadline until) const noexcept;
  /// The server's own limits for statements where they have to change: lower than usual for it to
  /// answer before the deadline, or as usual again within the same transaction.
  std::optional<std::string> limits_to_set(bool begins);
  /// Gives the session up where the error means that.
  void note(const ServerError& error) noexcept;

  static const char* begin_text(Begin kind) noexcept;
  /// What became of a COMMIT that was answered with an error, or not at all.
  SqlError commit_error(const ServerError& error);

 private:
  void begin(Begin kind) override;
  void commit() override;
  void roll_back() noexcept override;
  SqlError failure(const Statement& statement, const std::exception& error) override;

  void set_up();
  /// The answer to plain SQL, whatever it is; null where the session broke.
  PostgresqlResult ask(const char* sql) noexcept;
  PostgresqlResult execute(const char* sql);

  PGconn* native_;
  std::chrono::milliseconds statement_timeout_;
  std::chrono::milliseconds lock_timeout_;
  std::int64_t round_trips_ = 0;
  bool limits_are_short_ = false;
  bool broken_ = false;
};

}  // namespace accounting::sql
