// Store: what the services ask of a database. Domain types only; which database, and how it is
// spoken to, is the business of the room behind it.
#pragma once

#include "accounting/accounting.hpp"
#include "domain/api_keys.hpp"
#include "domain/changes.hpp"
#include "domain/invariants.hpp"
#include "domain/needs.hpp"
#include "domain/pricing_rules.hpp"
#include "domain/state.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace accounting::store {

/// How a database failed, in terms of what may be done next.
enum class FailureKind {
  try_again,        ///< it asks for another try of the whole transaction; nothing was changed
  timed_out,        ///< a lock or a statement ran into its timeout; nothing was changed
  connection_lost,  ///< out of reach, or lost before the commit was sent; nothing was changed
  turned_away,  ///< the server admits no such client, nor would it next time; nothing was changed
  commit_unknown,  ///< the commit was not confirmed: it may have taken effect
  refused          ///< it failed for a reason that another try would meet again
};

/// A failure that another try may get past, unless it was refused or turned away. Everything else
/// that a store throws is one of the library's errors.
class StoreFailure : public std::runtime_error {
 public:
  StoreFailure(FailureKind kind, const std::string& message);
  ~StoreFailure() override;

  [[nodiscard]] FailureKind kind() const noexcept { return kind_; }

 private:
  FailureKind kind_;
};

/// By when a call is to be answered: nothing that waits for the database waits much longer.
using Deadline = std::chrono::steady_clock::time_point;

/// A range of instants [start, end), unbounded where none is given.
struct TimeRange {
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
};

/// How far an account's journal has come.
struct JournalHead {
  std::string user_id;
  std::int64_t entries = 0;
  std::string hash;  ///< of the last entry; empty where there is none
};

/// Queries. Each sees one snapshot; inside a Unit each sees what is committed and what the unit
/// has done. Those that name a user answer nothing where there is no such
/// account.
class Reads {
 public:
  virtual ~Reads() = default;

  virtual std::optional<UserAccount> account(const std::string& user_id) = 0;
  virtual Page<UserAccount> accounts(const ListAccountsRequest& request) = 0;

  virtual std::optional<Balance> balance(const std::string& user_id, Timestamp now) = 0;
  /// The sum over the active allocations.
  virtual std::optional<std::int64_t> active_credits(const std::string& user_id, Timestamp now) = 0;
  virtual std::optional<Page<CreditAllocation>> history(const HistoryRequest& request) = 0;
  virtual std::optional<std::vector<CreditEntry>> entries(const EntriesRequest& request) = 0;

  /// The account may be there and the session not: then the second is empty.
  virtual std::optional<std::optional<StreamingSession>> session(
      const GetSessionRequest& request) = 0;
  virtual std::optional<std::vector<StreamingSession>> active_sessions(
      const std::string& user_id) = 0;
  virtual std::vector<StreamingSession> all_active_sessions() = 0;
  /// Sessions that may be expired at `now`, oldest sign of life first.
  virtual std::vector<std::pair<std::string, std::string>> stale_sessions(Timestamp now,
                                                                          std::int64_t limit) = 0;

  virtual std::optional<std::vector<UsageRecord>> usage(const ListUsageRequest& request) = 0;
  virtual std::optional<UserStats> user_stats(const std::string& user_id,
                                              const TimeRange& range) = 0;
  virtual SystemStats system_stats(const TimeRange& range) = 0;

  virtual std::optional<PricingRule> rule_in_force(const std::string& model_id, Timestamp at) = 0;
  /// By model and start.
  virtual std::vector<PricingRule> rules(const std::optional<std::string>& model_id) = 0;

  /// The key with that hash where it may be used at `now`.
  virtual std::optional<domain::ApiKeyRecord> valid_api_key(const std::string& key_hash,
                                                            Timestamp now) = 0;
  /// Without the deleted ones, oldest first.
  virtual std::optional<std::vector<ApiKey>> api_keys(const std::string& user_id) = 0;
  /// Newest first.
  virtual Page<AuditEntry> audit(const ListAuditRequest& request) = 0;

  /// Of every account, in user_id order.
  virtual std::vector<JournalHead> journal_heads() = 0;
  /// Hands every account's rows to `check`, all from one snapshot; also what is left over of
  /// accounts that are gone.
  virtual void each_account(const std::function<void(const domain::AccountRows&)>& check) = 0;
};

/// One transaction that writes. Rolled back on destruction unless it was committed.
class Unit : public Reads {
 public:
  /// Locks the accounts in order and loads what `needs` names. Later ones with larger needs find
  /// the same locks.
  virtual domain::State load(const domain::Needs& needs, Timestamp now) = 0;
  /// Stores changes and stays open; or stores and commits, in one trip.
  virtual void store(const domain::Changes& changes) = 0;
  virtual void store_and_commit(const domain::Changes& changes) = 0;
  using Rules = std::map<std::string, PricingRule, std::less<>>;  ///< by model
  /// Stores and commits in one trip what was decided without a load, provided that the counters of
  /// each account and the progress of each session are as they were before, that nobody has an
  /// account locked, and that sessions begin while these rules are in force. False where that is
  /// not so, or a new row is there already: then nothing was changed, and the unit has ended. Each
  /// account that is written about has its counters among the changes.
  virtual bool commit_if_unchanged(const domain::Changes& changes, const Rules& rules) = 0;

  /// The account where it is known, locked.
  virtual std::optional<UserAccount> lock_account(const std::string& user_id) = 0;
  /// False where another has created it meanwhile.
  virtual bool insert_account(const UserAccount& account) = 0;
  virtual void update_account(const UserAccount& account) = 0;

  /// All rules of a model, and nobody else sets prices until the transaction ends.
  virtual std::vector<PricingRule> lock_rules(const std::string& model_id) = 0;
  virtual void store_price(const domain::PriceChange& change) = 0;

  // Keys and the audit trail are numbered under the lock of their account or of the prices.
  virtual std::optional<domain::ApiKeyRecord> api_key(const std::string& user_id,
                                                      std::int64_t key_id) = 0;
  virtual std::int64_t next_api_key(const std::string& user_id) = 0;
  virtual void insert_api_key(const domain::ApiKeyRecord& record) = 0;
  /// Name, permissions, state and expiry as they are in the record.
  virtual void update_api_key(const domain::ApiKeyRecord& record) = 0;
  /// Notes a use at `now`, unless one is noted after `before`.
  virtual void touch_api_key(const std::string& key_hash, Timestamp now, Timestamp before) = 0;
  /// Its id is given to it.
  virtual void append_audit(const AuditEntry& entry) = 0;

  virtual void commit() = 0;
  /// Moves the deadline, for the calls that follow.
  virtual void finish_by(Deadline deadline) = 0;
};

struct SchemaStatus {
  std::int64_t version = 0;
  std::int64_t pending = 0;
};

/// A database of books. Thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  virtual std::unique_ptr<Reads> read(Deadline deadline) = 0;
  virtual std::unique_ptr<Unit> begin(Deadline deadline) = 0;
  /// For what may as well be left undone: null, or a failure at its first step, where it would have
  /// to wait for another writer.
  virtual std::unique_ptr<Unit> begin_if_free(Deadline deadline) = 0;

  [[nodiscard]] virtual std::string kind() const = 0;  ///< "sqlite" or "postgresql"
  /// How many units, at most, are to write at once, with something left for everybody else.
  [[nodiscard]] virtual std::size_t writers() const = 0;
  virtual SchemaStatus schema_status(Deadline deadline) = 0;
  /// True where the database holds nothing at all.
  virtual bool empty(Deadline deadline) = 0;
  /// Takes as long as it takes.
  virtual std::int64_t migrate(Timestamp now) = 0;
  /// The database's own clock.
  virtual Timestamp database_time(Deadline deadline) = 0;
  [[nodiscard]] virtual PoolStatus pool_status() const = 0;
  virtual void close() noexcept = 0;
};

}  // namespace accounting::store
