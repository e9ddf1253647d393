// Public keys: read from PEM or from the numbers of a JSON Web Key, and held against what their
// algorithm asks for.
#pragma once

#include "crypto/algorithm.hpp"
#include "crypto/openssl.hpp"

#include <string>
#include <string_view>

namespace accounting::crypto {

/// The key of one PEM block "PUBLIC KEY" or "RSA PUBLIC KEY"; null where the text is anything else.
PublicKey public_key_from_pem(std::string_view pem);

/// From the bytes of modulus and exponent; null where they make no key.
PublicKey rsa_public_key(std::string_view modulus, std::string_view exponent);

/// From the coordinates of a point, each of the curve's full length; null where it is none.
PublicKey ec_public_key(const Curve& curve, std::string_view x, std::string_view y);

/// What was expected where the key is not fit for the algorithm; empty where it is.
std::string expected_instead_of(EVP_PKEY& key, const Algorithm& algorithm);

}  // namespace accounting::crypto
