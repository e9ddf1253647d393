// Journal chain: hashes tie the entries of each account's journal together, in order.
#pragma once

#include "accounting/accounting.hpp"
#include "domain/changes.hpp"
#include "domain/invariants.hpp"

#include <vector>

namespace accounting::services {

/// Gives the new entries their hashes, and the accounts the hash of their last entry.
void chain_entries(domain::Changes& changes);

/// Where the account's chain is broken: problems of the invariant "chain". Entries that are older
/// than the chain have no hash of their own, and are covered by the first one that follows.
std::vector<Problem> check_chain(const domain::AccountRows& rows);

}  // namespace accounting::services
