// AccountBook: one account while its commands are decided. Every movement of a credit goes through
// `post`, which changes the state, notes the change and writes the journal at once.
#pragma once

#include "domain/changes.hpp"
#include "domain/command.hpp"
#include "domain/state.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accounting::domain {

/// What a movement belongs to, for its journal entry. Its texts belong to the command or the state.
struct Reason {
  std::string_view actor;
  std::optional<std::string_view> session_id;
  std::optional<std::int64_t> usage_id;
};

/// Where credits would come from: complete, short of them, or beyond what is loaded.
struct TakePlan {
  std::vector<Slice> slices;
  std::int64_t found = 0;
  bool need_more = false;
};

class AccountBook {
 public:
  /// Puts what is to be stored behind the changes of other accounts. What is referred to must
  /// outlive the book, and nobody else may add to the changes meanwhile.
  AccountBook(const std::string& user_id, AccountState& state, Timestamp now, Changes& changes);
  AccountBook(std::string&& user_id, AccountState& state, Timestamp now, Changes& changes) = delete;

  [[nodiscard]] const std::string& user_id() const { return user_id_; }
  [[nodiscard]] const AccountState& state() const { return state_; }
  [[nodiscard]] Timestamp now() const { return now_; }

  /// Looks for `credits` in burn order and changes nothing. Stops early where enough was found.
  [[nodiscard]] TakePlan plan_take(std::int64_t credits) const;
  /// Carries a plan out.
  void take(const std::vector<Slice>& slices, EntryKind kind, const Reason& reason);

  /// Moves `amount` between the places of an allocation as `kind` says.
  void post(std::int64_t allocation_id, EntryKind kind, std::int64_t amount, const Reason& reason);
  /// Gives back held credits; where the allocation was revoked they are revoked too.
  void refund(const Slice& slice, const Reason& reason);

  /// A new allocation with the next id. `id`, `user_id` and `allocated_at` are filled in.
  CreditAllocation open_allocation(CreditAllocation allocation, const Reason& reason);
  /// Marks a named allocation as revoked and takes out what remains.
  CreditAllocation revoke(std::int64_t allocation_id, const Revoke& request, const Reason& reason);

  [[nodiscard]] std::int64_t next_usage_id() const;
  /// True where the account's sums would still fit 64 bits.
  [[nodiscard]] bool can_allocate(std::int64_t credits) const;
  [[nodiscard]] bool can_use(std::int64_t credits) const;
  /// A new usage record with the next id, in its rollup too. Stays where it is until the next one.
  const UsageRecord& record_usage(const UsageDetails& usage, std::int64_t collected);

  SessionRecord& begin_session(SessionRecord record);
  /// The session, to be changed: it will be stored.
  SessionRecord& change_session(const std::string& session_id);
  /// Appends slices to a session, after those it has.
  void add_slices(SessionRecord& record, const std::vector<Slice>& slices);

  void remember(const std::string& key, KeyRecord record);

  // Either of these is the book's end.
  /// Completes the changes.
  void finish();
  /// Takes the account's changes back.
  void drop();

 private:
  AllocationState& allocation(std::int64_t id);
  void add_allocation(const CreditAllocation& allocation);
  AllocationChange& change_of(std::int64_t allocation_id);
  RollupChange& rollup_of(const UsageDetails& usage);
  void write_entry(std::int64_t allocation_id, EntryKind kind, std::int64_t amount,
                   const Reason& reason);
  void add_up_allocations();

  const std::string& user_id_;
  AccountState& state_;
  Timestamp now_;
  AccountCounters before_;
  Changes& changes_;
  // Where the account's own begin.
  std::size_t first_allocation_;
  std::size_t first_rollup_;
  std::map<std::string, std::optional<SessionProgress>> changed_sessions_;  ///< none: it is new
};

}  // namespace accounting::domain
