// Simulated database: the store that the services see in the simulation. Tables in memory with real
// transactions: locks by account, writes that nobody else sees before the commit, rollback by
// destruction, constraints. A watcher says at every step what happens to it.
#pragma once

#include "property/memory_store.hpp"
#include "simulation/history.hpp"
#include "store/store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace accounting::testing {

/// Thrown through the services where their process dies. No exception of theirs, so that they
/// cannot mistake it for one.
struct ProcessDied {};

/// A deliberate fault of the store itself, by which the harness shows that it finds some.
enum class StoreBug {
  none,
  forgets_to_roll_back,  ///< what a transaction wrote stays although it is rolled back
  takes_twice,           ///< a commit changes allocations twice
  ignores_locks,         ///< an account that another has locked is handed out
  loses_commits,         ///< some commits are acknowledged and not stored
  shows_uncommitted,     ///< queries see what transactions have not committed
  forgets_conditions,    ///< what was decided from memory is stored although others were faster
  forgets_progress,      ///< the same, where only a session's progress is another
  forgets_rules          ///< the same, where only a price is another
};

/// What becomes of a step that was not stopped before.
enum class Fate { goes_well, answer_lost, dropped, dies_after };

struct Frame;
class SimulatedUnit;

/// The one who watches over the database, makes things happen to it and knows what should be in it.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// A process is about to do this; throws where it does not come to it.
  virtual Fate about_to(Point point) = 0;
  virtual void began(SimulatedUnit& unit) = 0;
  virtual void lock_was_refused(SimulatedUnit& unit) = 0;
  /// An account that another has locked was not waited for.
  virtual void left_out() = 0;
  /// An account that was not there when the unit looked has been created by another since.
  virtual void insert_was_late() = 0;
  virtual void loaded_again() = 0;
  /// A transaction was decided without a load, over what is still so, or no longer.
  virtual void decided_from_memory(bool unchanged) = 0;
  virtual void looked_for_stale_sessions(Timestamp now, std::int64_t limit) = 0;
  /// The unit's writes are in the tables; its locks are still held.
  virtual void committed(SimulatedUnit& unit) = 0;
  virtual void acknowledged(SimulatedUnit& unit) = 0;
  /// The unit ends without a commit.
  virtual void rolled_back(SimulatedUnit& unit) noexcept = 0;
  /// The library did what it must never do.
  virtual void report(const std::string& problem) = 0;
  /// The clock of the process that is at work.
  [[nodiscard]] virtual Timestamp now() const = 0;
};

class SimulatedDatabase {
 public:
  using Rules = std::shared_ptr<const std::vector<PricingRule>>;

  MemoryStore tables;
  std::map<std::string, UserAccount> accounts;
  Rules rules = std::make_shared<const std::vector<PricingRule>>();
  std::map<std::string, const SimulatedUnit*> locks;
  const SimulatedUnit* price_lock = nullptr;
  int open_units = 0;
  int commits = 0;
  std::int64_t audit_entries = 0;
  std::int64_t prefix_divisor = 1;
  StoreBug bug = StoreBug::none;
  Watcher* watcher = nullptr;
  const SimulatedUnit* last_writer = nullptr;  ///< with uncommitted writes; for one of the bugs
};

/// Queries over what is committed, or over what a unit sees.
template <class Interface>
class SimulatedReads : public Interface {
 public:
  SimulatedReads(SimulatedDatabase& database, Frame* caller) : database_(database), frame(caller) {}

  std::optional<UserAccount> account(const std::string& user_id) override;
  Page<UserAccount> accounts(const ListAccountsRequest& request) override;
  std::optional<Balance> balance(const std::string& user_id, Timestamp now) override;
  std::optional<std::int64_t> active_credits(const std::string& user_id, Timestamp now) override;
  std::optional<Page<CreditAllocation>> history(const HistoryRequest& request) override;
  std::optional<std::vector<CreditEntry>> entries(const EntriesRequest& request) override;
  std::optional<std::optional<StreamingSession>> session(const GetSessionRequest& request) override;
  std::optional<std::vector<StreamingSession>> active_sessions(const std::string& user_id) override;
  std::vector<StreamingSession> all_active_sessions() override;
  std::vector<std::pair<std::string, std::string>> stale_sessions(Timestamp now,
                                                                  std::int64_t limit) override;
  std::optional<std::vector<UsageRecord>> usage(const ListUsageRequest& request) override;
  std::optional<UserStats> user_stats(const std::string& user_id,
                                      const store::TimeRange& range) override;
  SystemStats system_stats(const store::TimeRange& range) override;
  std::optional<PricingRule> rule_in_force(const std::string& model_id, Timestamp at) override;
  std::vector<PricingRule> rules(const std::optional<std::string>& model_id) override;
  std::optional<domain::ApiKeyRecord> valid_api_key(const std::string& key_hash,
                                                    Timestamp now) override;
  std::optional<std::vector<ApiKey>> api_keys(const std::string& user_id) override;
  Page<AuditEntry> audit(const ListAuditRequest& request) override;
  std::vector<store::JournalHead> journal_heads() override;
  void each_account(const std::function<void(const domain::AccountRows&)>& check) override;

  /// The account as this unit sees it; null where there is none.
  [[nodiscard]] virtual const domain::AccountRows* view(const std::string& user_id) const;

 protected:
  virtual void about_to_read();

  SimulatedDatabase& database_;

 public:
  Frame* frame;  ///< the call that it belongs to; null for a transaction that a client holds open
};

/// A transaction.
class SimulatedUnit final : public SimulatedReads<store::Unit> {
 public:
  SimulatedUnit(SimulatedDatabase& database, Frame* caller);
  SimulatedUnit(const SimulatedUnit&) = delete;
  SimulatedUnit& operator=(const SimulatedUnit&) = delete;
  ~SimulatedUnit() override;

  domain::State load(const domain::Needs& needs, Timestamp now) override;
  void store(const domain::Changes& changes) override;
  void store_and_commit(const domain::Changes& changes) override;
  bool commit_if_unchanged(const domain::Changes& changes, const Rules& rules) override;
  std::optional<UserAccount> lock_account(const std::string& user_id) override;
  bool insert_account(const UserAccount& account) override;
  void update_account(const UserAccount& account) override;
  std::vector<PricingRule> lock_rules(const std::string& model_id) override;
  void store_price(const domain::PriceChange& change) override;
  std::optional<domain::ApiKeyRecord> api_key(const std::string& user_id,
                                              std::int64_t key_id) override;
  std::int64_t next_api_key(const std::string& user_id) override;
  void insert_api_key(const domain::ApiKeyRecord& record) override;
  void update_api_key(const domain::ApiKeyRecord& record) override;
  void touch_api_key(const std::string& key_hash, Timestamp now, Timestamp before) override;
  void append_audit(const AuditEntry& entry) override;
  void commit() override;
  void finish_by(store::Deadline) override {}  // nothing here takes time

  [[nodiscard]] const domain::AccountRows* view(const std::string& user_id) const override;

  Timestamp began_at;                   ///< by the clock of its process
  Timestamp prices_locked_at;           ///< the same
  SimulatedDatabase::Rules rules_seen;  ///< by the last load
  std::set<std::string> users_written;
  std::size_t client = 0;
  bool used = false;    ///< for more than its begin
  bool failed = false;  ///< it can only be rolled back
  bool ended = false;

 protected:
  void about_to_read() override { step(Point::read); }

 private:
  Fate step(Point point);
  void lock(const std::string& user_id);
  void apply(const domain::Changes& changes, MemoryStore& target);
  [[nodiscard]] bool is_unchanged(const domain::Changes& changes, const Rules& rules) const;
  [[nodiscard]] bool is_unchanged(const domain::SessionChange& change, const Rules& rules) const;
  void finish(Fate fate);
  void release();

  MemoryStore changed_;
  std::map<std::string, UserAccount> changed_accounts_;
  SimulatedDatabase::Rules changed_rules_;
  std::int64_t audit_entries_ = 0;
  int loads_ = 0;
};

/// The door to the database that one process has.
class SimulatedStore final : public store::Store {
 public:
  SimulatedStore(SimulatedDatabase& database, Frame*& current)
      : database_(database), current_(current) {}

  std::unique_ptr<store::Reads> read(store::Deadline deadline) override;
  std::unique_ptr<store::Unit> begin(store::Deadline deadline) override;
  std::unique_ptr<store::Unit> begin_if_free(store::Deadline deadline) override {
    return begin(deadline);
  }
  [[nodiscard]] std::string kind() const override { return "postgresql"; }
  [[nodiscard]] std::size_t writers() const override { return 3; }
  store::SchemaStatus schema_status(store::Deadline) override {
    return {.version = 1, .pending = 0};
  }
  bool empty(store::Deadline) override { return false; }
  std::int64_t migrate(Timestamp) override { return 0; }
  Timestamp database_time(store::Deadline) override { return database_.watcher->now(); }
  [[nodiscard]] PoolStatus pool_status() const override { return {}; }
  void close() noexcept override {}

 private:
  SimulatedDatabase& database_;
  Frame*& current_;
};

}  // namespace accounting::testing
