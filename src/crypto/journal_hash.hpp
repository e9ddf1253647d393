// Journal hash: what ties each journal entry to all that came before it in its account.
#pragma once

#include "accounting/credits.hpp"

#include <string>
#include <string_view>

namespace accounting::crypto {

/// SHA-256, in 64 lower-case hexadecimal digits, over `previous` (the hash of the entry before;
/// empty for the first) and every column of the entry but its own hash.
std::string journal_hash(std::string_view previous, const CreditEntry& entry);

}  // namespace accounting::crypto
