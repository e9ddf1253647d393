// JWKS: a JSON Web Key Set (RFC 7517), read from text.
#pragma once

#include "crypto/verification_key.hpp"

#include <string_view>

namespace accounting::crypto {

/// The keys of the set that verify signatures. Keys for anything else, of unknown kinds, and
/// without an `alg` that is known are left out: real sets hold them. Errors: InvalidArgument
/// (`jwks`) for a malformed set or key, a private key, a mixture of public keys and secrets, and
/// where no key is left.
KeyRing keys_of_jwks(std::string_view text);

}  // namespace accounting::crypto
