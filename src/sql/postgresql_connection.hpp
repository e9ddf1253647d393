// PostgresqlConnection: one session with a PostgreSQL server, which waits for nothing without end.
#pragma once

#include "accounting/options.hpp"
#include "sql/base_connection.hpp"
#include "sql/database_url.hpp"
#include "sql/postgresql_connect.hpp"
#include "sql/postgresql_error.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace accounting::sql {

/// Everything goes through libpq's handle, which never blocks once it is connected. With
/// `Options::pipeline` the statements of a trip are sent together, otherwise each is waited for.
/// With `Options::share_statements` the calls of one statement in a trip become one of many rows. A
/// statement is prepared on the server within the trip that first uses it, and stays prepared as
/// long as the connection.
class PostgresqlConnection final : public BaseConnection {
 public:
  /// Connects and sets the session up. Throws SqlError (`unreachable`,
  /// `turned_away`).
  PostgresqlConnection(const DatabaseUrl& url, const Options& options, Deadline deadline);

  [[nodiscard]] DatabaseKind kind() const noexcept override { return DatabaseKind::postgresql; }
  void run_script(const std::string& script) override;
  [[nodiscard]] bool in_transaction() const noexcept override;
  /// Notices a server that has hung up on an idle session, without asking it anything.
  [[nodiscard]] bool broken() const noexcept override;
  [[nodiscard]] std::int64_t round_trips() const noexcept override { return round_trips_; }

  static const char* begin_text(Begin kind) noexcept;

 private:
  class Flight;

  /// A statement as the server knows it, or is going to.
  struct Prepared {
    std::string declared;  ///< the statement's name
    std::string name;
    std::string text;
    std::vector<std::size_t> parameters;  ///< for `$1`, `$2` …, the index of the value
    bool on_server = false;
    bool on_its_way = false;
  };

  std::vector<Rows> perform(Begin begin, const std::vector<Call>& calls, bool commit) override;
  void roll_back() noexcept override;

  /// `many`: in its form for many rows of values.
  Prepared& prepared(const Statement& statement, bool many);

  void set_up();
  /// The answer to plain SQL, whatever it is; null where the session broke.
  PostgresqlResult ask(const char* sql) noexcept;
  void execute(const char* sql);

  /// When a peer that stays silent from now on is given up on.
  [[nodiscard]] Deadline end_of_patience() const noexcept;
  /// `until`, or a moment after the deadline where that is earlier.
  [[nodiscard]] Deadline not_beyond_deadline(Deadline until) const noexcept;
  /// Waits until the next answer can be read. False where the server stays silent until `until`.
  bool wait_for_answer(Deadline until) noexcept;
  enum class Purpose { to_send, to_hear };
  /// Sends what is left to send and takes what has come; waits for a chance to do either, but not
  /// to hear something where all is sent and that was the purpose. False where there was none until
  /// `until`.
  bool exchange(Purpose purpose, Deadline until) noexcept;

  /// The server's own limits for statements where they have to change: lower than usual for it to
  /// answer before the deadline, or as usual again within the same transaction.
  std::optional<std::string> limits_to_set(bool begins);

  void give_up() noexcept { broken_ = true; }
  /// Gives the session up where the error means that.
  void note(const ServerError& error) noexcept;
  /// What became of a COMMIT that was answered with an error, or not at all.
  SqlError commit_error(const ServerError& error);

  PostgresqlHandle handle_;
  PGconn* native_;  ///< the same, as libpq takes it
  bool pipelined_;
  bool shares_statements_;
  std::chrono::milliseconds statement_timeout_;
  std::chrono::milliseconds lock_timeout_;
  std::chrono::milliseconds tcp_user_timeout_;
  std::unordered_map<std::string_view, std::unique_ptr<Prepared>> prepared_;
  std::unordered_map<std::string_view, std::unique_ptr<Prepared>> prepared_for_many_;
  std::int64_t round_trips_ = 0;
  bool limits_are_short_ = false;
  bool broken_ = false;
};

}  // namespace accounting::sql
