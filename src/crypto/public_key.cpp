#include "crypto/public_key.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <array>
#include <limits>
#include <vector>

namespace accounting::crypto {
namespace {

constexpr int fewest_rsa_bits = 2048;
constexpr int most_rsa_bits = 16384;  // OpenSSL verifies with no larger one

NumberPointer number_of(std::string_view bytes) {
  if (bytes.size() > std::size_t{most_rsa_bits} / 8 + 1) {
    return nullptr;
  }
  return NumberPointer(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                 static_cast<int>(bytes.size()), nullptr));
}

PublicKey key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return PublicKey(key);
}

/// True where the powers of 65537 modulo the prime reach the residue.
bool is_power_of_65537(BN_ULONG residue, unsigned prime) {
  unsigned power = 1;
  do {
    if (power == residue) {
      return true;
    }
    power = power * (65537U % prime) % prime;
  } while (power != 1);
  return false;
}

/// True for moduli of the generator of CVE-2017-15361 (ROCA), whose factors can be found: modulo
/// every small prime they are a power of 65537. A sound modulus is that by a chance below 2^-24.
bool has_roca_fingerprint(const BIGNUM* modulus) {
  constexpr std::array<unsigned, 38> primes{
      3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
      73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  for (const unsigned prime : primes) {
    if (!is_power_of_65537(BN_mod_word(modulus, prime), prime)) {
      return false;
    }
  }
  return true;
}

std::string expected_instead_of_rsa(EVP_PKEY& key) {
  if (EVP_PKEY_get_base_id(&key) != EVP_PKEY_RSA) {
    return "an RSA public key";
  }
  const int bits = EVP_PKEY_get_bits(&key);
  if (bits < fewest_rsa_bits || bits > most_rsa_bits) {
    return "an RSA key of 2048 to 16384 bits, not " + std::to_string(bits);
  }
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_N, &number);
  const NumberPointer modulus(number);
  if (modulus == nullptr || has_roca_fingerprint(modulus.get())) {
    return "an RSA key whose factors cannot be computed (this one is open to ROCA)";
  }
  return {};
}

std::string expected_instead_of_ec(EVP_PKEY& key, const Curve& curve) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_base_id(&key) != EVP_PKEY_EC ||
      EVP_PKEY_get_group_name(&key, name.data(), name.size(), &length) != 1 ||
      std::string_view(name.data(), length) != curve.openssl_name) {
    return "a public key on the curve " + std::string(curve.jose_name);
  }
  // A curve that is written out may differ from its namesake in what signatures rest on.
  int is_written_out = 0;
  EVP_PKEY_get_int_param(&key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_written_out);
  if (is_written_out != 0) {
    return "a public key that names its curve";
  }
  return {};
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at)) {
    ++count;
    at += part.size();
  }
  return count;
}

}  // namespace

PublicKey public_key_from_pem(std::string_view pem) {
  const ErrorQueueGuard guard;
  // Of several blocks the first would be taken silently.
  if (count_of(pem, "-----BEGIN ") != 1 || pem.size() > std::numeric_limits<int>::max()) {
    return nullptr;
  }
  const BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Without this function an encrypted block would ask the terminal for its password.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  return PublicKey(bio == nullptr ? nullptr
                                  : PEM_read_bio_PUBKEY(bio.get(), nullptr, no_password, nullptr));
}

PublicKey rsa_public_key(std::string_view modulus, std::string_view exponent) {
  const ErrorQueueGuard guard;
  const NumberPointer n = number_of(modulus);
  const NumberPointer e = number_of(exponent);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return key_from("RSA", builder.get());
}

PublicKey ec_public_key(const Curve& curve, std::string_view x, std::string_view y) {
  const ErrorQueueGuard guard;
  if (x.size() != curve.coordinate_bytes || y.size() != curve.coordinate_bytes) {
    return nullptr;
  }
  std::string point(1, '\x04');  // the mark of an uncompressed point
  point.append(x).append(y);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      curve.openssl_name.data(), curve.openssl_name.size()) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return key_from("EC", builder.get());
}

std::string expected_instead_of(EVP_PKEY& key, const Algorithm& algorithm) {
  const ErrorQueueGuard guard;
  std::string expected = algorithm.scheme == SignatureScheme::ecdsa
                             ? expected_instead_of_ec(key, algorithm.curve)
                             : expected_instead_of_rsa(key);
  if (!expected.empty()) {
    return expected;
  }
  const KeyContext context(EVP_PKEY_CTX_new(&key, nullptr));
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) {
    return "a public key whose numbers are valid";
  }
  return {};
}

}  // namespace accounting::crypto
