// Connection: runs trips of statements on one session with a database.
#pragma once

#include "sql/statement.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace accounting::sql {

enum class DatabaseKind { sqlite, postgresql };

/// How a trip begins: inside the transaction that is open (or by itself), with a new transaction
/// that writes, or with a new snapshot that only reads. `write_if_free` is a `write` that fails
/// where SQLite would wait for another writer; on PostgreSQL they are the same.
enum class Begin { nothing, write, write_if_free, read };

/// Statements that travel together. With `commit`, the transaction ends with the trip.
struct Trip {
  Begin begin = Begin::nothing;
  std::vector<Call> calls = {};
  bool commit = false;
};

/// By when the database is to have answered; the last instant of all: whenever.
using Deadline = std::chrono::steady_clock::time_point;

/// One session with a database. Belongs to one thread at a time.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  [[nodiscard]] virtual DatabaseKind kind() const noexcept = 0;

  /// Runs the trip's statements in order and answers the rows of each. Throws SqlError at the
  /// first that fails; the transaction, if one is open, can then only be rolled back.
  virtual std::vector<Rows> run(const Trip& trip) = 0;

  /// By when whatever is run from now on is to be answered; what is not, fails.
  void finish_by(Deadline deadline) noexcept { deadline_ = deadline; }
  [[nodiscard]] Deadline deadline() const noexcept { return deadline_; }

  /// Runs several statements given as plain SQL; for migrations.
  virtual void run_script(const std::string& script) = 0;

  /// Ends an open transaction without effect. A connection that cannot do it is broken.
  virtual void rollback() noexcept = 0;

  [[nodiscard]] virtual bool in_transaction() const noexcept = 0;
  /// True where the session is of no more use and has to be replaced.
  [[nodiscard]] virtual bool broken() const noexcept = 0;
  /// Round trips to the server since the session began; 0 on SQLite.
  [[nodiscard]] virtual std::int64_t round_trips() const noexcept = 0;

 private:
  Deadline deadline_ = Deadline::max();
};

}  // namespace accounting::sql
