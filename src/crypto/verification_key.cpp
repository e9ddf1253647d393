#include "crypto/verification_key.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>
#include <limits>
#include <new>
#include <utility>

namespace accounting::crypto {
namespace {

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool mac_matches(const Algorithm& algorithm, const Secret& secret, std::string_view bytes,
                 std::string_view mac) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> computed{};
  unsigned int length = 0;
  const std::string_view key = secret.bytes();
  if (HMAC(algorithm.digest(), key.data(), static_cast<int>(key.size()), data_of(bytes),
           bytes.size(), computed.data(), &length) == nullptr) {
    throw std::bad_alloc();  // the only way in which a MAC of plain bytes fails
  }
  const bool matches =
      mac.size() == length && CRYPTO_memcmp(mac.data(), computed.data(), length) == 0;
  // It would make the bytes a token, whoever sent them.
  OPENSSL_cleanse(computed.data(), computed.size());
  return matches;
}

/// JOSE writes an ECDSA signature as its two numbers, each of the curve's full length; OpenSSL
/// reads DER. Empty where the length is another.
std::vector<unsigned char> der_of(std::string_view signature, std::size_t coordinate_bytes) {
  if (signature.size() != 2 * coordinate_bytes) {
    return {};
  }
  const auto length = static_cast<int>(coordinate_bytes);
  const unsigned char* const bytes = data_of(signature);
  NumberPointer r(BN_bin2bn(bytes, length, nullptr));
  NumberPointer s(BN_bin2bn(bytes + coordinate_bytes, length, nullptr));
  const EcdsaSignature both(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || both == nullptr ||
      ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) {
    throw std::bad_alloc();
  }
  // They belong to the signature now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  std::vector<unsigned char> der(static_cast<std::size_t>(i2d_ECDSA_SIG(both.get(), nullptr)));
  unsigned char* out = der.data();
  i2d_ECDSA_SIG(both.get(), &out);
  return der;
}

bool set_padding(EVP_PKEY_CTX* context, const Algorithm& algorithm) {
  if (algorithm.scheme == SignatureScheme::rsa_pkcs1) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  }
  if (algorithm.scheme == SignatureScheme::rsa_pss) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, algorithm.digest()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  return true;
}

bool signature_matches(const Algorithm& algorithm, EVP_PKEY* key, std::string_view bytes,
                       std::string_view signature) {
  const ErrorQueueGuard guard;
  std::vector<unsigned char> der;
  if (algorithm.scheme == SignatureScheme::ecdsa) {
    der = der_of(signature, algorithm.curve.coordinate_bytes);
    if (der.empty()) {
      return false;
    }
    signature = {reinterpret_cast<const char*>(der.data()), der.size()};
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // belongs to `context`
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), &key_context, algorithm.digest(), nullptr, key) == 1 &&
         set_padding(key_context, algorithm) &&
         // Negative where the signature is not even one in form: only 1 means yes.
         EVP_DigestVerify(context.get(), data_of(signature), signature.size(), data_of(bytes),
                          bytes.size()) == 1;
}

}  // namespace

VerificationKey::VerificationKey(const Algorithm& algorithm, Secret secret,
                                 std::optional<std::string> kid)
    : algorithm_(algorithm), material_(std::move(secret)), kid_(std::move(kid)) {}

VerificationKey::VerificationKey(const Algorithm& algorithm, PublicKey key,
                                 std::optional<std::string> kid)
    : algorithm_(algorithm), material_(std::move(key)), kid_(std::move(kid)) {}

bool VerificationKey::verifies(std::string_view bytes, std::string_view signature) const {
  if (const auto* secret = std::get_if<Secret>(&material_)) {
    return mac_matches(algorithm_, *secret, bytes, signature);
  }
  return signature_matches(algorithm_, std::get<PublicKey>(material_).get(), bytes, signature);
}

std::string expected_instead_of(std::string_view secret, const Algorithm& algorithm) {
  if (algorithm.scheme != SignatureScheme::hmac) {
    return "an algorithm for a shared secret: HS256, HS384 or HS512";
  }
  // A public key is known to everyone: whoever has it could sign with it.
  if (secret.find("-----BEGIN") != std::string_view::npos) {
    return "a shared secret, not a key in PEM";
  }
  if (secret.size() < algorithm.digest_bytes) {
    return "at least " + std::to_string(algorithm.digest_bytes) + " bytes for " +
           std::string(algorithm.name);
  }
  if (secret.size() > std::size_t{std::numeric_limits<int>::max()}) {
    return "at most 2147483647 bytes";
  }
  return {};
}

}  // namespace accounting::crypto
