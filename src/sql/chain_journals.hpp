// Chain journals: the part of migration 3 that SQL alone cannot do.
#pragma once

#include "sql/connection.hpp"

namespace accounting::sql {

/// Computes the hash chain over the journal of each account, and keeps the last hash in the
/// account. Runs inside the migration's transaction.
void chain_journals(Connection& connection);

}  // namespace accounting::sql
