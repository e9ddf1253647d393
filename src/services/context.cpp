#include "services/context.hpp"

#include "platform/threads.hpp"
#include "services/batch.hpp"

#include <algorithm>
#include <utility>

namespace accounting::services {
namespace {

// Few writers with large batches do more than many with small ones; one prepares its batch while
// the other waits for the disk.
constexpr std::size_t batches_side_by_side = 2;

}  // namespace

Books::Books(std::shared_ptr<store::Store> store, Options options, std::unique_ptr<Pacing> pacing)
    : store_(std::move(store)),
      options_(std::move(options)),
      pepper_(options_.api_key_pepper),
      clock_(options_.clock ? options_.clock : std::make_shared<SystemClock>()),
      pacing_(std::move(pacing)) {
  crypto::wipe(options_.api_key_pepper);
  queue_ = new_queue();
  start_watching();
}

std::unique_ptr<CommandQueue> Books::new_queue() {
  const std::size_t writers = store_->writers();
  return std::make_unique<CommandQueue>(
      [this](std::span<Ticket* const> tickets, WhenHeld when_held, store::Deadline deadline) {
        carry_out(*this, tickets, when_held, deadline);
      },
      *pacing_,
      CommandQueue::Limits{.side_by_side = std::min<std::size_t>(writers, batches_side_by_side),
                           .places = writers,
                           .patience = options_.pool_timeout,
                           .lock_timeout = options_.lock_timeout});
}

void Books::log(LogLevel level, std::string_view message) const {
  if (options_.log) {
    options_.log(level, message);
  }
}

void Books::require_schema(store::Deadline deadline) {
  if (schema_ready_) {
    return;
  }
  const store::SchemaStatus status = store_->schema_status(deadline);
  if (status.pending > 0) {
    throw MigrationError("the database's schema is at version " + std::to_string(status.version) +
                         " and " + std::to_string(status.pending) +
                         " behind this library; open it with migrate, or call migrate()");
  }
  schema_ready_ = true;
}

void Books::refuse_inside_transaction() const {
  if (open_transactions_ == 0) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (inside_transaction_.contains(platform::thread_number())) {
    throw Conflict("this thread has a transaction open; call the transaction's own services");
  }
}

void Books::enter_transaction(std::uint64_t thread) {
  const std::lock_guard lock(mutex_);
  inside_transaction_.insert(thread);
  ++open_transactions_;
}

void Books::leave_transaction(std::uint64_t thread) {
  const std::lock_guard lock(mutex_);
  inside_transaction_.erase(inside_transaction_.find(thread));
  --open_transactions_;
}

void Books::after_fork_in_child() noexcept {
  inside_transaction_.clear();  // they are the parent's
  open_transactions_ = 0;
  platform::leave_to_parent(std::exchange(turns_, std::make_unique<Turns>()));
  platform::leave_to_parent(std::exchange(remembered_, std::make_unique<RememberedAccounts>()));
  platform::leave_to_parent(std::exchange(queue_, new_queue()));
  mutex_.unlock();
}

OpenTransaction::OpenTransaction(std::shared_ptr<Books> books, const std::set<std::string>& users,
                                 store::Deadline deadline)
    : books_(std::move(books)),
      thread_(platform::thread_number()),
      turn_(std::make_unique<Turns::Turn>(books_->turns(), users, books_->patience(deadline))) {
  unit_ = books_->store().begin(deadline);
  now_ = books_->now();
  books_->enter_transaction(thread_);
}

OpenTransaction::~OpenTransaction() { rollback(); }

std::optional<store::Deadline> OpenTransaction::latest() {
  const auto left_at = std::exchange(left_to_caller_at_, std::nullopt);
  if (latest_ && left_at) {
    *latest_ += books_->pacing().now() - *left_at;
  }
  return latest_;
}

store::Deadline OpenTransaction::deadline_of_call() {
  const store::Deadline own = books_->pacing().now() + books_->options().call_timeout;
  return std::min(own, latest().value_or(own));
}

store::Unit& OpenTransaction::unit() {
  if (forks_ != platform::forks()) {
    throw Conflict("the transaction was begun before this process was forked: it is the parent's");
  }
  if (platform::thread_number() != thread_) {
    throw Conflict("the transaction belongs to another thread");
  }
  if (!unit_) {
    throw Conflict("the transaction has ended");
  }
  if (failure_) {
    throw StoreError("the transaction failed and can only be rolled back");
  }
  unit_->finish_by(deadline_of_call());
  return *unit_;
}

void OpenTransaction::commit() {
  unit().commit();
  rollback();
}

void OpenTransaction::rollback() noexcept {
  if (forks_ != platform::forks()) {
    // Whatever the parent had of it, perhaps in the middle of its end.
    platform::leave_to_parent(std::move(unit_));
    platform::leave_to_parent(std::move(turn_));
  } else if (unit_) {
    // Where the caller held it for long, the last call's deadline is past.
    unit_->finish_by(deadline_of_call());
    unit_.reset();
    turn_.reset();
    books_->leave_transaction(thread_);
  }
}

}  // namespace accounting::services
