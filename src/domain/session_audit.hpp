// Session audit: whether each session's hold went where its end says (I3).
#pragma once

#include "domain/invariants.hpp"
#include "domain/row_index.hpp"

#include <string>
#include <vector>

namespace accounting::domain {

/// What is wrong with an account's sessions, a sentence each.
std::vector<std::string> audit_sessions(const AccountRows& rows, const RowIndex& index);

}  // namespace accounting::domain
