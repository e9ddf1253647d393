#include "crypto/sign.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <utility>
#include <vector>

namespace accounting::testing {
namespace {

void require(bool condition) {
  if (!condition) {
    throw std::runtime_error("OpenSSL refused to sign for a test");
  }
}

const EVP_MD* digest_of(const std::string& algorithm) {
  const std::string bits = algorithm.substr(2);
  return bits == "256" ? EVP_sha256() : bits == "384" ? EVP_sha384() : EVP_sha512();
}

const char* curve_of(const std::string& algorithm) {
  return algorithm == "ES256" ? "P-256" : algorithm == "ES384" ? "P-384" : "P-521";
}

int coordinate_bytes_of(const std::string& algorithm) {
  return algorithm == "ES256" ? 32 : algorithm == "ES384" ? 48 : 66;
}

std::string fixed_length(const BIGNUM* number, int length) {
  std::string bytes(static_cast<std::size_t>(length), '\0');
  require(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), length) == length);
  return bytes;
}

std::string number_of(EVP_PKEY* key, const char* name, int length = 0) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes = fixed_length(number, length == 0 ? BN_num_bytes(number) : length);
  BN_free(number);
  return bytes;
}

/// DER to the two numbers, each of full length.
std::string raw_ecdsa(const std::string& der, int coordinate_bytes) {
  const auto* in = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size()));
  require(signature != nullptr);
  std::string raw = fixed_length(ECDSA_SIG_get0_r(signature), coordinate_bytes) +
                    fixed_length(ECDSA_SIG_get0_s(signature), coordinate_bytes);
  ECDSA_SIG_free(signature);
  return raw;
}

std::string hmac(const std::string& algorithm, const std::string& secret, std::string_view bytes) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  require(HMAC(digest_of(algorithm), secret.data(), static_cast<int>(secret.size()),
               reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
               reinterpret_cast<unsigned char*>(mac.data()), &length) != nullptr);
  mac.resize(length);
  return mac;
}

std::string pem_of(EVP_PKEY* key, bool with_private) {
  BIO* bio = BIO_new(BIO_s_mem());
  require((with_private ? PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr)
                        : PEM_write_bio_PUBKEY(bio, key)) == 1);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(length));
  BIO_free(bio);
  return pem;
}

}  // namespace

std::string encode_base64url(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  while (!text.empty() && text.back() == '=') {
    text.pop_back();
  }
  for (char& character : text) {
    character = character == '+' ? '-' : character == '/' ? '_' : character;
  }
  return text;
}

Signer::Signer(std::string algorithm, std::string secret, std::shared_ptr<EVP_PKEY> pair)
    : algorithm_(std::move(algorithm)), secret_(std::move(secret)), pair_(std::move(pair)) {}

Signer Signer::with_secret(std::string secret, std::string algorithm) {
  return {std::move(algorithm), std::move(secret), nullptr};
}

Signer Signer::with_new_pair(const std::string& algorithm, int rsa_bits) {
  EVP_PKEY* pair = algorithm.starts_with("ES")
                       ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve_of(algorithm))
                       : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t(rsa_bits));
  require(pair != nullptr);
  return {algorithm, "", std::shared_ptr<EVP_PKEY>(pair, EVP_PKEY_free)};
}

Signer Signer::for_algorithm(std::string algorithm) const {
  return {std::move(algorithm), secret_, pair_};
}

std::string Signer::signature(std::string_view bytes) const {
  if (pair_ == nullptr) {
    return hmac(algorithm_, secret_, bytes);
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_PKEY_CTX* key_context = nullptr;
  require(EVP_DigestSignInit(context.get(), &key_context, digest_of(algorithm_), nullptr,
                             pair_.get()) == 1);
  if (algorithm_.starts_with("PS")) {
    require(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1);
    require(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t length = 0;
  require(EVP_DigestSign(context.get(), nullptr, &length, data, bytes.size()) == 1);
  std::string made(length, '\0');
  require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(made.data()), &length,
                         data, bytes.size()) == 1);
  made.resize(length);
  return algorithm_.starts_with("ES") ? raw_ecdsa(made, coordinate_bytes_of(algorithm_)) : made;
}

std::string Signer::token(const std::string& header, const std::string& payload) const {
  const std::string bytes = encode_base64url(header) + "." + encode_base64url(payload);
  return bytes + "." + encode_base64url(signature(bytes));
}

std::string Signer::token(const std::string& payload) const {
  return token(R"({"alg":")" + algorithm_ + R"("})", payload);
}

std::string Signer::public_pem() const { return pem_of(pair_.get(), false); }
std::string Signer::public_pem_with_curve_written_out() const {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> copy(EVP_PKEY_dup(pair_.get()),
                                                                 EVP_PKEY_free);
  require(EVP_PKEY_set_utf8_string_param(copy.get(), OSSL_PKEY_PARAM_EC_ENCODING,
                                         OSSL_PKEY_EC_ENCODING_EXPLICIT) == 1);
  return pem_of(copy.get(), false);
}
std::string Signer::private_pem() const { return pem_of(pair_.get(), true); }

std::string Signer::jwk_members() const {
  const auto member = [](const char* name, const std::string& bytes) {
    return std::string(",\"") + name + "\":\"" + encode_base64url(bytes) + '"';
  };
  if (pair_ == nullptr) {
    return R"("kty":"oct")" + member("k", secret_);
  }
  if (!algorithm_.starts_with("ES")) {
    return R"("kty":"RSA")" + member("n", number_of(pair_.get(), OSSL_PKEY_PARAM_RSA_N)) +
           member("e", number_of(pair_.get(), OSSL_PKEY_PARAM_RSA_E));
  }
  const int length = coordinate_bytes_of(algorithm_);
  return std::string(R"("kty":"EC","crv":")") + curve_of(algorithm_) + '"' +
         member("x", number_of(pair_.get(), OSSL_PKEY_PARAM_EC_PUB_X, length)) +
         member("y", number_of(pair_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, length));
}

}  // namespace accounting::testing
