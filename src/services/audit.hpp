// Audit: what a service notes of a change, in the transaction of the change.
#pragma once

#include "domain/permissions.hpp"
#include "services/context.hpp"

namespace accounting::services {

/// Appends an entry; who acts and what the operation is called are filled in.
void append_audit(const Context& context, store::Unit& unit, domain::Operation operation,
                  AuditEntry entry);

}  // namespace accounting::services
