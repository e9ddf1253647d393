// SqlSession: the store's queries and transactions over one leased connection.
#pragma once

#include "sql/batch.hpp"
#include "sql/connection_pool.hpp"
#include "sql/sql_error.hpp"
#include "sql/write_gate.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace accounting::sql {

/// Belongs to one thread at a time. As a Unit it is one write transaction, begun by its first
/// trip; as Reads each query is a snapshot of its own.
class SqlSession final : public store::Unit {
 public:
  /// `writes_if_free` does not wait for another writer: its first trip fails instead.
  enum class Mode { reads, writes, writes_if_free };
  SqlSession(Lease lease, Mode mode, GateGuard gate);

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
  void finish_by(Deadline deadline) override { lease_->finish_by(deadline); }

 private:
  enum class After { stay_open, commit };

  /// Runs a batch in this session's transaction, or in a snapshot of its own.
  void run(Batch& batch, After after = After::stay_open);
  /// The same, of which the database's failures are told as they are.
  void run_untold(Batch& batch, After after);
  /// True where the batch's account exists; its query is the batch's first.
  bool account_exists(Batch& batch, const std::string& user_id);
  std::set<std::string, std::less<>> existing(const std::set<std::string, std::less<>>& users);

  Batch pending_;   // travels ahead of the next trip, or with the commit
  GateGuard gate_;  // before the lease, so that it opens after the lease has rolled back
  Lease lease_;
  Mode mode_;
  bool begun_ = false;
};

/// Turns a failure of the database into one of the library's errors, or into a StoreFailure.
[[noreturn]] void throw_store_error(const SqlError& error);

}  // namespace accounting::sql
