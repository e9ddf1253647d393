#include "sql/connection_pool.hpp"

#include "accounting/error.hpp"
#include "platform/forks.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace accounting::sql {
Lease::Lease(ConnectionPool& pool, std::unique_ptr<Connection> connection) noexcept
    : pool_(&pool), connection_(std::move(connection)), forks_(platform::forks()) {}

Lease::Lease(Lease&& other) noexcept
    : pool_(other.pool_), connection_(std::move(other.connection_)), forks_(other.forks_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    end();
    pool_ = other.pool_;
    connection_ = std::move(other.connection_);
    forks_ = other.forks_;
  }
  return *this;
}

Lease::~Lease() { end(); }

void Lease::end() noexcept {
  if (connection_ && forks_ != platform::forks()) {
    platform::leave_to_parent(std::move(connection_));
  } else if (connection_) {
    pool_->give_back(std::move(connection_));
  }
}

struct ConnectionPool::State {
  State(Factory made_by, std::size_t most, std::chrono::milliseconds patience)
      : factory(std::move(made_by)), size(most), timeout(patience) {}

  Factory factory;
  std::size_t size;
  std::chrono::milliseconds timeout;

  mutable std::mutex mutex = {};
  std::condition_variable returned = {};
  std::vector<std::unique_ptr<Connection>> idle = {};  ///< the one used last at the back
  std::size_t in_use = 0;
  bool closed = false;
  bool paused = false;
  bool refused = false;

  [[nodiscard]] bool can_lend() const { return closed || (!paused && in_use < size); }
  /// Ends a loan; the connection, where there is one, is kept unless the pool is closed.
  void release(std::unique_ptr<Connection>& connection) noexcept;
};

void ConnectionPool::State::release(std::unique_ptr<Connection>& connection) noexcept {
  {
    const std::lock_guard lock(mutex);
    --in_use;
    if (connection && !closed) {
      idle.push_back(std::move(connection));  // within what was reserved
    }
  }
  returned.notify_all();
}

ConnectionPool::ConnectionPool(Factory factory, std::int64_t size,
                               std::chrono::milliseconds timeout)
    : state_(std::make_unique<State>(std::move(factory), static_cast<std::size_t>(size), timeout)) {
  state_->idle.reserve(state_->size);
}

ConnectionPool::~ConnectionPool() = default;

Lease ConnectionPool::lease(Deadline deadline) {
  std::unique_ptr<Connection> connection;
  {
    std::unique_lock lock(state_->mutex);
    const auto give_up = std::min(std::chrono::steady_clock::now() + state_->timeout, deadline);
    if (!state_->returned.wait_until(lock, give_up, [this] { return state_->can_lend(); })) {
      throw StoreError("no database connection came free in time", true);
    }
    if (state_->refused) {
      throw Conflict(
          "the books are the parent's: they are in memory, or a call was under way when this "
          "process was forked");
    }
    if (state_->closed) {
      throw Conflict("the books are closed");
    }
    ++state_->in_use;
    if (!state_->idle.empty()) {
      connection = std::move(state_->idle.back());
      state_->idle.pop_back();
    }
  }
  try {
    if (!connection || connection->broken()) {
      connection.reset();
      connection = state_->factory(deadline);
    }
    connection->finish_by(deadline);
  } catch (...) {
    connection.reset();
    state_->release(connection);
    throw;
  }
  return {*this, std::move(connection)};
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) noexcept {
  if (!connection->broken()) {
    // Whoever called is answered only after this. A connection that is dropped instead is rolled
    // back by the server.
    constexpr std::chrono::seconds patience{1};
    connection->finish_by(
        std::min(std::chrono::steady_clock::now() + patience, connection->deadline()));
    connection->rollback();
  }
  if (connection->broken()) {
    connection.reset();
  }
  state_->release(connection);
}

bool ConnectionPool::pause(Deadline until, bool keep_idle) noexcept {
  std::unique_lock lock(state_->mutex);
  state_->paused = true;
  const bool all_back =
      state_->returned.wait_until(lock, until, [this] { return state_->in_use == 0; });
  if (!keep_idle) {
    state_->idle.clear();
  }
  lock.release();
  return all_back;
}

void ConnectionPool::resume() noexcept {
  state_->paused = false;
  state_->mutex.unlock();
  state_->returned.notify_all();
}

void ConnectionPool::start_anew(Child child) noexcept {
  // The old lock and condition may have waiters that are not in this process.
  auto old = std::exchange(state_, nullptr);
  state_ = std::make_unique<State>(old->factory, old->size, old->timeout);
  state_->idle.reserve(state_->size);
  state_->closed = old->closed;
  state_->refused = child == Child::refused;
  platform::leave_to_parent(std::move(old));
}

PoolStatus ConnectionPool::status() const {
  const std::lock_guard lock(state_->mutex);
  return {.size = static_cast<std::int64_t>(state_->size),
          .open = static_cast<std::int64_t>(state_->in_use + state_->idle.size()),
          .in_use = static_cast<std::int64_t>(state_->in_use)};
}

void ConnectionPool::close() noexcept {
  std::vector<std::unique_ptr<Connection>> idle;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    idle.swap(state_->idle);
  }
  state_->returned.notify_all();
}

}  // namespace accounting::sql
