// Algorithms: the signatures of JSON Web Algorithms (RFC 7518, section 3) that are verified.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <string_view>

namespace accounting::crypto {

enum class SignatureScheme { hmac, rsa_pkcs1, rsa_pss, ecdsa };

/// An elliptic curve, by the names that JOSE and OpenSSL give it.
struct Curve {
  std::string_view jose_name;
  std::string_view openssl_name;
  std::size_t coordinate_bytes = 0;
};

struct Algorithm {
  std::string_view name;
  SignatureScheme scheme;
  const EVP_MD* (*digest)();
  std::size_t digest_bytes;
  Curve curve;  ///< of ecdsa only
};

/// The algorithm of exactly that name; nullptr for "none" and for every unknown word.
const Algorithm* find_algorithm(std::string_view name) noexcept;

}  // namespace accounting::crypto
