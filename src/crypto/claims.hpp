// Claims: what a proved payload says, checked against the clock and the options.
#pragma once

#include "accounting/identity.hpp"
#include "accounting/types.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace accounting::crypto {

struct ClaimRules {
  std::optional<std::string> issuer;
  std::optional<std::string> audience;
  std::chrono::seconds leeway{0};
};

/// Who the payload is about. Throws Refusal.
Principal principal_of(std::string_view payload, const ClaimRules& rules, Timestamp now);

}  // namespace accounting::crypto
