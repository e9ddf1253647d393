// Findings: what the books hold, by the call that each row says it comes from.
#pragma once

#include <accounting/accounting.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace accounting::testing {

/// An allocation of an account.
using AllocationName = std::pair<std::string, std::int64_t>;

struct Findings {
  std::map<std::string, std::int64_t> charges;        ///< usage ids, by call
  std::map<std::string, AllocationName> allocations;  ///< by call
  std::set<AllocationName> revoked;                   ///< allocations
  std::map<std::string, StreamingSession> sessions;   ///< by the call that began them
  std::map<std::string, std::int64_t> deducted;       ///< credits, by account
  std::vector<std::string> problems;                  ///< one call with two effects
};

/// Reads everything through the public calls, with several threads.
Findings find_all(Accounting& books);

/// Runs `work(index)` for each index below `count` in several threads; throws what one threw.
void share_among_threads(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace accounting::testing
