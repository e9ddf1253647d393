// Words: the stored spelling of roles, states and kinds, read back.
#pragma once

#include "accounting/accounts.hpp"
#include "accounting/credits.hpp"
#include "accounting/sessions.hpp"

#include <string_view>

namespace accounting::domain {

// Each throws std::invalid_argument for a word that none of the library's versions wrote.
Role role_of(std::string_view word);
SessionStatus session_status_of(std::string_view word);
EntryKind entry_kind_of(std::string_view word);

}  // namespace accounting::domain
