// Key audit: whether each idempotency key answers with one effect, of its own operation, that is
// there as it says (I5).
#pragma once

#include "domain/invariants.hpp"
#include "domain/row_index.hpp"

#include <string>
#include <vector>

namespace accounting::domain {

/// What is wrong with an account's keys, a sentence each.
std::vector<std::string> audit_keys(const AccountRows& rows, const RowIndex& index);

}  // namespace accounting::domain
