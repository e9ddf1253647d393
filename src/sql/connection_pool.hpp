// ConnectionPool: a bounded number of connections, lent one caller at a time.
#pragma once

#include "accounting/accounting.hpp"
#include "sql/connection.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace accounting::sql {

class ConnectionPool;

/// A connection lent to one caller; goes back on destruction. An open transaction is rolled back
/// first, by the deadline that the connection has; a broken connection, and one that could not do
/// that in time, is dropped, and the next lease makes a new one. In a process that was
/// forked meanwhile nothing is done: the connection is the parent's.
class Lease {
 public:
  Lease(ConnectionPool& pool, std::unique_ptr<Connection> connection) noexcept;
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();

  Connection& operator*() const noexcept { return *connection_; }
  Connection* operator->() const noexcept { return connection_.get(); }

 private:
  void end() noexcept;

  ConnectionPool* pool_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t forks_;
};

/// Thread-safe. Makes connections when they are first needed, keeps them, and hands out the one
/// used last; those who have waited for a millisecond come first, in their order. Waits on a
/// monotonic clock. Must outlive its leases.
class ConnectionPool {
 public:
  using Factory = std::function<std::unique_ptr<Connection>(Deadline)>;

  ConnectionPool(Factory factory, std::int64_t size, std::chrono::milliseconds timeout);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();

  /// Throws StoreError (retryable) where no connection came free in time, SqlError
  /// (`unreachable`, `turned_away`) where none could be made, Conflict after `close` and where a
  /// fork refused it.
  [[nodiscard]] Lease lease(Deadline deadline = Deadline::max());
  [[nodiscard]] PoolStatus status() const;
  void close() noexcept;

  /// What a fork leaves to the child: a pool of its own, or one that only refuses.
  enum class Child { usable, refused };
  /// Before a fork: lends nothing more, waits for what is lent, and closes what is idle (unless it
  /// is to be kept). Locked until one of the calls below. False where something stayed lent until
  /// `until`.
  bool pause(Deadline until, bool keep_idle) noexcept;
  void resume() noexcept;
  void start_anew(Child child) noexcept;

 private:
  friend class Lease;
  void give_back(std::unique_ptr<Connection> connection) noexcept;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace accounting::sql
