// JournalReplay: an account's journal carried out again, entry by entry, to see whether each take
// was the one that the burn order asks for.
#pragma once

#include "accounting/accounting.hpp"
#include "domain/burn_order.hpp"
#include "domain/changes.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace accounting::domain {

/// What the journal says of one allocation.
struct ReplayedAllocation {
  Effect places;  ///< how many credits are where
  bool revoked = false;
  std::int64_t times_allocated = 0;
};

class JournalReplay {
 public:
  explicit JournalReplay(const std::vector<CreditAllocation>& allocations);

  /// Carries an entry out. Answers what is wrong with it, or nothing.
  std::optional<std::string> apply(const CreditEntry& entry);

  [[nodiscard]] const ReplayedAllocation& allocation(std::int64_t id) const;
  /// The allocation that burn order would take from now; null where nothing can be taken.
  [[nodiscard]] const CreditAllocation* next_to_take(Timestamp now) const;

 private:
  std::optional<std::string> check_take(const CreditEntry& entry,
                                        const CreditAllocation& taken) const;

  std::map<std::int64_t, const CreditAllocation*> rows_;
  std::map<std::int64_t, ReplayedAllocation> replayed_;
  /// Those that something can be taken from, but for the time.
  std::set<BurnPosition> takeable_;
};

/// The credits that an entry moved, as its kind moves them; none where its numbers do not fit its
/// kind.
std::optional<std::int64_t> amount_of(const CreditEntry& entry);

}  // namespace accounting::domain
