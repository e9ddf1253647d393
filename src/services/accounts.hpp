// Accounts, for the other services: brought up to date by whoever may be asked to.
#pragma once

#include "accounting/accounts.hpp"
#include "services/context.hpp"

namespace accounting::services {

/// `Accounts::sync`, without asking whether the context's caller may.
SyncResult sync_account(const Context& context, const SyncRequest& request);

}  // namespace accounting::services
