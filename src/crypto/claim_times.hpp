// Instants in claims: numbers of seconds that a stranger wrote, of any size.
#pragma once

#include "accounting/types.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace accounting::crypto {

/// The instant of a JSON number of seconds since 1970, rounded to the microsecond. Numbers beyond
/// some 285,000 years are taken for that, so that nobody who adds to them overflows.
Timestamp instant_of(const nlohmann::json& seconds);

/// "2026-01-01T00:00:00Z", or the number itself where it is outside the years 1970 to 9999.
std::string instant_text(const nlohmann::json& seconds);

/// "63 seconds ago", "in 1 second", "now".
std::string distance_text(Timestamp instant, Timestamp now);

}  // namespace accounting::crypto
