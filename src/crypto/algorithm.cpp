#include "crypto/algorithm.hpp"

#include <algorithm>
#include <array>

namespace accounting::crypto {
namespace {

using enum SignatureScheme;

constexpr Curve no_curve{};
constexpr Curve p256{"P-256", "prime256v1", 32};
constexpr Curve p384{"P-384", "secp384r1", 48};
constexpr Curve p521{"P-521", "secp521r1", 66};

constexpr std::array<Algorithm, 12> algorithms{{
    {"HS256", hmac, EVP_sha256, 32, no_curve},
    {"HS384", hmac, EVP_sha384, 48, no_curve},
    {"HS512", hmac, EVP_sha512, 64, no_curve},
    {"RS256", rsa_pkcs1, EVP_sha256, 32, no_curve},
    {"RS384", rsa_pkcs1, EVP_sha384, 48, no_curve},
    {"RS512", rsa_pkcs1, EVP_sha512, 64, no_curve},
    {"PS256", rsa_pss, EVP_sha256, 32, no_curve},
    {"PS384", rsa_pss, EVP_sha384, 48, no_curve},
    {"PS512", rsa_pss, EVP_sha512, 64, no_curve},
    {"ES256", ecdsa, EVP_sha256, 32, p256},
    {"ES384", ecdsa, EVP_sha384, 48, p384},
    {"ES512", ecdsa, EVP_sha512, 64, p521},
}};

}  // namespace

const Algorithm* find_algorithm(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(algorithms, name, &Algorithm::name);
  return found == algorithms.end() ? nullptr : found;
}

}  // namespace accounting::crypto
