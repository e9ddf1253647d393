// JWT: a signed token in JWS compact form (RFC 7515), from its text to a payload that is proved.
#pragma once

#include "crypto/verification_key.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace accounting::crypto {

/// The payload of a token that one of the keys verifies, not looked into. Throws Refusal.
/// A key is tried for its own algorithm only, and not where it and the token name different kids.
std::string verified_payload(std::string_view token, const KeyRing& keys);

/// Header and payload as JSON text, for an administrator to read; none where they cannot be decoded
/// or are no JSON. Proves nothing.
struct UnverifiedToken {
  std::optional<std::string> header;
  std::optional<std::string> payload;
};
UnverifiedToken read_unverified(std::string_view token);

}  // namespace accounting::crypto
