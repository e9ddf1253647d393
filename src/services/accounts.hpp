// Accounts, for the other services: brought up to date by whoever may be asked to.
#pragma once

#include "accounting/accounts.hpp"
#include "accounting/identity.hpp"
#include "services/context.hpp"

namespace accounting::services {

/// `Accounts::sync`, without asking whether the context's caller may.
SyncResult sync_account(const Context& context, const SyncRequest& request);

/// Makes sure that a principal has an account and that it says what the principal's token says.
/// Writes only where it does not, and then in the principal's name.
void ensure_account(const Context& host, const Principal& principal);

}  // namespace accounting::services
