#include "sql/connection_pool.hpp"

#include "accounting/error.hpp"
#include "platform/forks.hpp"

#include <algorithm>
#include <condition_variable>
#include <list>
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

/// Who waits for a connection. A loan that ends goes to whoever waits longest: one who has just
/// come does not take it from under those, some of whom would wait for long.
struct Waiter {
  std::condition_variable called = {};
  bool is_lent_to = false;
  std::unique_ptr<Connection> connection = {};  ///< none: it is to be made
};

struct ConnectionPool::State {
  State(Factory made_by, std::size_t most, std::chrono::milliseconds patience)
      : factory(std::move(made_by)), size(most), timeout(patience) {}

  Factory factory;
  std::size_t size;
  std::chrono::milliseconds timeout;

  mutable std::mutex mutex = {};
  std::list<Waiter*> waiting = {};  ///< the one who came first at the front
  std::condition_variable all_back = {};
  std::vector<std::unique_ptr<Connection>> idle = {};  ///< the one used last at the back
  std::size_t in_use = 0;
  bool closed = false;
  bool paused = false;
  bool refused = false;

  /// The connection may be none, which is then to be made.
  std::unique_ptr<Connection> borrow(Deadline deadline);
  /// Ends a loan; the connection, where there is one, is kept unless the pool is closed.
  void release(std::unique_ptr<Connection>& connection) noexcept;
  /// Under the lock.
  [[nodiscard]] bool can_lend() const { return !paused && in_use < size; }
  [[nodiscard]] std::unique_ptr<Connection> lend() noexcept;
  void lend_to_waiting() noexcept;
  void refuse_where_closed() const;
};

std::unique_ptr<Connection> ConnectionPool::State::lend() noexcept {
  ++in_use;
  std::unique_ptr<Connection> connection;
  if (!idle.empty()) {
    connection = std::move(idle.back());
    idle.pop_back();
  }
  return connection;
}

void ConnectionPool::State::lend_to_waiting() noexcept {
  while (!waiting.empty() && (closed || can_lend())) {
    Waiter& first = *waiting.front();
    waiting.pop_front();
    if (!closed) {
      first.connection = lend();
      first.is_lent_to = true;
    }
    first.called.notify_one();  // under the lock: the waiter may be gone right after it
  }
}

void ConnectionPool::State::refuse_where_closed() const {
  if (refused) {
    throw Conflict(
        "the books are the parent's: they are in memory, or a call was under way when this "
        "process was forked");
  }
  if (closed) {
    throw Conflict("the books are closed");
  }
}

std::unique_ptr<Connection> ConnectionPool::State::borrow(Deadline deadline) {
  std::unique_lock lock(mutex);
  refuse_where_closed();
  if (can_lend() && waiting.empty()) {
    return lend();
  }
  Waiter waiter;
  const auto place = waiting.insert(waiting.end(), &waiter);
  const auto give_up = std::min(std::chrono::steady_clock::now() + timeout, deadline);
  if (waiter.called.wait_until(lock, give_up, [&] { return waiter.is_lent_to || closed; })) {
    if (!waiter.is_lent_to) {
      refuse_where_closed();
    }
    return std::move(waiter.connection);
  }
  waiting.erase(place);
  throw StoreError("no database connection came free in time", true);
}

void ConnectionPool::State::release(std::unique_ptr<Connection>& connection) noexcept {
  const std::lock_guard lock(mutex);
  --in_use;
  if (connection && !closed) {
    idle.push_back(std::move(connection));  // within what was reserved
  }
  lend_to_waiting();
  if (in_use == 0) {
    all_back.notify_all();
  }
}

ConnectionPool::ConnectionPool(Factory factory, std::int64_t size,
                               std::chrono::milliseconds timeout)
    : state_(std::make_unique<State>(std::move(factory), static_cast<std::size_t>(size), timeout)) {
  state_->idle.reserve(state_->size);
}

ConnectionPool::~ConnectionPool() = default;

Lease ConnectionPool::lease(Deadline deadline) {
  std::unique_ptr<Connection> connection = state_->borrow(deadline);
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
      state_->all_back.wait_until(lock, until, [this] { return state_->in_use == 0; });
  if (!keep_idle) {
    state_->idle.clear();
  }
  lock.release();
  return all_back;
}

void ConnectionPool::resume() noexcept {
  state_->paused = false;
  state_->lend_to_waiting();
  state_->mutex.unlock();
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
    state_->lend_to_waiting();  // nothing: they are told so
  }
}

}  // namespace accounting::sql
