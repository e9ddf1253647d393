// Entry audit: whether each journal entry names what its kind names, at the instant of what it
// names (I4).
#pragma once

#include "domain/invariants.hpp"
#include "domain/row_index.hpp"

#include <string>
#include <vector>

namespace accounting::domain {

/// "the entry with sequence 7 (charge) ": how problems name an entry.
std::string name_of(const CreditEntry& entry);

/// What is wrong with what an account's entries name, a sentence each.
std::vector<std::string> audit_entries(const AccountRows& rows, const RowIndex& index);

}  // namespace accounting::domain
