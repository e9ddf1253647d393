// Context: what a service's handle stands on. The opened books, who acts, and the transaction
// that it belongs to, if any.
#pragma once

#include "accounting/accounting.hpp"
#include "crypto/secret.hpp"
#include "domain/permissions.hpp"
#include "platform/forks.hpp"
#include "services/command_queue.hpp"
#include "services/pacing.hpp"
#include "services/remembered_accounts.hpp"
#include "services/turns.hpp"
#include "store/store.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace accounting::services {

/// The opened books, shared by all handles. Thread-safe.
class Books : private platform::ForkWatcher {
 public:
  Books(std::shared_ptr<store::Store> store, Options options,
        std::unique_ptr<Pacing> pacing = std::make_unique<SystemPacing>());
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;
  ~Books() override { stop_watching(); }

  [[nodiscard]] store::Store& store() const { return *store_; }
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const Policy& policy() const { return options_.policy; }
  /// Under which the hashes of API keys are made; empty: none.
  [[nodiscard]] std::string_view pepper() const { return pepper_.bytes(); }
  [[nodiscard]] Timestamp now() const { return clock_->now(); }
  [[nodiscard]] Pacing& pacing() const { return *pacing_; }
  /// Of transactions, and of calls that are one: requests that stand or fall together, changes of
  /// accounts, API keys and prices.
  [[nodiscard]] Turns& turns() const { return *turns_; }
  /// Of all other commands.
  [[nodiscard]] CommandQueue& queue() const { return *queue_; }
  [[nodiscard]] RememberedAccounts& remembered() const { return *remembered_; }
  void log(LogLevel level, std::string_view message) const;

  /// How long a call waits for its turns: for each as long as for a lock.
  [[nodiscard]] Turns::Patience patience(store::Deadline deadline) const {
    return {.deadline = deadline, .for_each = options_.lock_timeout};
  }

  /// Throws MigrationError unless the schema is this version's.
  void require_schema(store::Deadline deadline);
  void schema_is_ready() { schema_ready_ = true; }

  /// Throws Conflict where the calling thread has a transaction open: a direct call could wait
  /// for it for ever.
  void refuse_inside_transaction() const;
  /// `thread`: its number.
  void enter_transaction(std::uint64_t thread);
  void leave_transaction(std::uint64_t thread);

 private:
  void before_fork() noexcept override { mutex_.lock(); }
  void after_fork_in_parent() noexcept override { mutex_.unlock(); }
  void after_fork_in_child() noexcept override;
  std::unique_ptr<CommandQueue> new_queue();

  std::shared_ptr<store::Store> store_;
  Options options_;  ///< without the pepper
  crypto::Secret pepper_;
  std::shared_ptr<const Clock> clock_;
  std::unique_ptr<Pacing> pacing_;
  std::unique_ptr<Turns> turns_ = std::make_unique<Turns>();
  std::unique_ptr<RememberedAccounts> remembered_ = std::make_unique<RememberedAccounts>();
  std::unique_ptr<CommandQueue> queue_;
  std::atomic<bool> schema_ready_ = false;

  std::atomic<int> open_transactions_ = 0;
  mutable std::mutex mutex_;
  std::multiset<std::uint64_t> inside_transaction_;  ///< the numbers of threads
};

/// A transaction that a caller holds open.
class OpenTransaction {
 public:
  /// Begins when it has its turn at all `users`; `deadline`: of that.
  OpenTransaction(std::shared_ptr<Books> books, const std::set<std::string>& users,
                  store::Deadline deadline);
  OpenTransaction(const OpenTransaction&) = delete;
  OpenTransaction& operator=(const OpenTransaction&) = delete;
  ~OpenTransaction();

  /// From now on all that it does is to be done by `latest`, which moves on while its caller is at
  /// work; none: each call has all the time of one.
  void finish_by(std::optional<store::Deadline> latest) noexcept { latest_ = latest; }
  /// By when that is now.
  [[nodiscard]] std::optional<store::Deadline> latest();
  /// From now until the next call its caller is at work.
  void leave_to_caller() { left_to_caller_at_ = books_->pacing().now(); }

  /// Throws Conflict after the end and in another thread, StoreError after a failure.
  store::Unit& unit();
  [[nodiscard]] Timestamp now() const { return now_; }

  void commit();
  void rollback() noexcept;
  [[nodiscard]] bool ended() const { return unit_ == nullptr; }

  /// Notes that the database failed: the transaction can only be rolled back.
  void fail(store::FailureKind kind) { failure_ = failure_.value_or(kind); }
  [[nodiscard]] std::optional<store::FailureKind> failure() const { return failure_; }

 private:
  /// By when a call that begins now is to be answered.
  [[nodiscard]] store::Deadline deadline_of_call();

  std::shared_ptr<Books> books_;
  std::uint64_t thread_;  ///< the number of the one that began it
  std::uint64_t forks_ = platform::forks();
  std::unique_ptr<Turns::Turn> turn_;
  std::unique_ptr<store::Unit> unit_;
  std::optional<store::Deadline> latest_;
  std::optional<store::Deadline> left_to_caller_at_;  ///< none while a call is under way
  Timestamp now_;
  std::optional<store::FailureKind> failure_;
};

/// One call inside a transaction; its caller is at work again after it.
class CallInside {
 public:
  /// Throws as OpenTransaction::unit does.
  explicit CallInside(OpenTransaction& transaction)
      : transaction_(transaction), unit_(transaction.unit()) {}
  CallInside(const CallInside&) = delete;
  CallInside& operator=(const CallInside&) = delete;
  ~CallInside() { transaction_.leave_to_caller(); }

  [[nodiscard]] store::Unit& unit() const { return unit_; }

 private:
  OpenTransaction& transaction_;
  store::Unit& unit_;
};

class Context {
 public:
  /// For the host itself, which may do everything.
  explicit Context(std::shared_ptr<Books> books,
                   std::shared_ptr<OpenTransaction> transaction = nullptr)
      : books_(std::move(books)), actor_("host"), transaction_(std::move(transaction)) {}
  /// On behalf of a caller, who may do what its role and permissions allow.
  Context(std::shared_ptr<Books> books, domain::Caller caller)
      : books_(std::move(books)), actor_(domain::actor_of(caller)), caller_(std::move(caller)) {}

  [[nodiscard]] Books& books() const { return *books_; }
  [[nodiscard]] const std::shared_ptr<Books>& shared_books() const { return books_; }
  /// Who is named in the journal and the audit trail.
  [[nodiscard]] const std::string& actor() const { return actor_; }
  /// None for the host itself.
  [[nodiscard]] const std::optional<domain::Caller>& caller() const { return caller_; }
  /// Null outside a transaction.
  [[nodiscard]] OpenTransaction* transaction() const { return transaction_.get(); }
  /// The time of the transaction, or now.
  [[nodiscard]] Timestamp now() const { return transaction_ ? transaction_->now() : books_->now(); }

 private:
  std::shared_ptr<Books> books_;
  std::string actor_;
  std::optional<domain::Caller> caller_;
  std::shared_ptr<OpenTransaction> transaction_;
};

}  // namespace accounting::services
