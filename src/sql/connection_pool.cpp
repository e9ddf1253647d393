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

/// So long may those who have just come take a connection from under whoever waits longest. Without
/// an end to it some would wait for long; without a beginning each loan would wait for a thread to
/// wake, which takes longer than many a query.
constexpr std::chrono::milliseconds patience_with_others{1};

/// Who waits for a connection.
struct Waiter {
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  std::condition_variable changed = {};
  bool is_called = false;  ///< to look for a connection that came back
  bool is_lent_to = false;
  std::unique_ptr<Connection> connection = {};  ///< what it was lent; none: it is to be made

  [[nodiscard]] bool has_waited_long() const {
    return std::chrono::steady_clock::now() - since >= patience_with_others;
  }
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
  [[nodiscard]] bool can_lend() const { return !closed && !paused && in_use < size; }
  [[nodiscard]] std::unique_ptr<Connection> lend() noexcept;
  void lend_to(Waiter& first) noexcept;
  void serve_waiting() noexcept;
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

void ConnectionPool::State::lend_to(Waiter& first) noexcept {
  waiting.pop_front();
  first.connection = lend();
  first.is_lent_to = true;
}

/// Lends what is free to those who have waited for long, and calls the next one to look for it, who
/// then sees to the one behind. They are called under the lock, since they may be gone right after.
void ConnectionPool::State::serve_waiting() noexcept {
  while (can_lend() && !waiting.empty()) {
    Waiter& first = *waiting.front();
    if (!first.has_waited_long()) {
      if (!std::exchange(first.is_called, true)) {
        first.changed.notify_one();
      }
      return;
    }
    lend_to(first);
    first.changed.notify_one();
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
  serve_waiting();
  if (can_lend() && (waiting.empty() || !waiting.front()->has_waited_long())) {
    return lend();
  }
  Waiter waiter;
  const auto place = waiting.insert(waiting.end(), &waiter);
  const auto give_up = std::min(waiter.since + timeout, deadline);
  for (bool in_time = true; in_time && !waiter.is_lent_to && !closed;) {
    in_time = waiter.changed.wait_until(
        lock, give_up, [&] { return waiter.is_called || waiter.is_lent_to || closed; });
    waiter.is_called = false;
    // Also where its time is up: what is free must not be left lying there.
    while (!waiter.is_lent_to && can_lend()) {
      Waiter& first = *waiting.front();
      lend_to(first);
      first.changed.notify_one();
    }
    serve_waiting();
  }
  if (!waiter.is_lent_to) {
    waiting.erase(place);
    refuse_where_closed();
    throw StoreError("no database connection came free in time", true);
  }
  return std::move(waiter.connection);
}

void ConnectionPool::State::release(std::unique_ptr<Connection>& connection) noexcept {
  const std::lock_guard lock(mutex);
  --in_use;
  if (connection && !closed) {
    idle.push_back(std::move(connection));  // within what was reserved
  }
  serve_waiting();
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
  state_->serve_waiting();
  state_->mutex.unlock();
}

void ConnectionPool::start_anew(Child child) noexcept {
  // The old lock and list may have waiters that are not in this process.
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
    for (Waiter* waiter : state_->waiting) {
      waiter->changed.notify_one();
    }
  }
}

}  // namespace accounting::sql
