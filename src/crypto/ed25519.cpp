#include "crypto/ed25519.hpp"

#include "crypto/digest.hpp"
#include "crypto/openssl.hpp"
#include "crypto/public_key.hpp"

#include <openssl/pem.h>

#include <array>
#include <limits>
#include <new>

namespace accounting::crypto {
namespace {

using Signature = std::array<unsigned char, 64>;

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

PublicKey private_key_from_pem(std::string_view pem) {
  if (pem.size() > std::numeric_limits<int>::max()) {
    return nullptr;
  }
  const BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Without this function an encrypted block would ask the terminal for its password.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  return PublicKey(
      bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
}

bool is_ed25519(const PublicKey& key) {
  return key != nullptr && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519;
}

}  // namespace

std::optional<std::string> ed25519_sign(std::string_view private_key_pem, std::string_view bytes) {
  const ErrorQueueGuard guard;
  const PublicKey key = private_key_from_pem(private_key_pem);
  if (!is_ed25519(key)) {
    return std::nullopt;
  }
  const DigestContext context(EVP_MD_CTX_new());
  Signature signature{};
  std::size_t length = signature.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, octets(bytes), bytes.size()) != 1) {
    throw std::bad_alloc();  // the only way in which a sound key fails
  }
  return hexadecimal({reinterpret_cast<const char*>(signature.data()), length});
}

std::optional<bool> ed25519_verify(std::string_view public_key_pem, std::string_view bytes,
                                   std::string_view signature) {
  const ErrorQueueGuard guard;
  const PublicKey key = public_key_from_pem(public_key_pem);
  if (!is_ed25519(key)) {
    return std::nullopt;
  }
  const std::optional<std::string> raw = from_hexadecimal(signature);
  const DigestContext context(EVP_MD_CTX_new());
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1) {
    throw std::bad_alloc();  // as above
  }
  return raw && raw->size() == Signature{}.size() &&
         EVP_DigestVerify(context.get(), octets(*raw), raw->size(), octets(bytes), bytes.size()) ==
             1;
}

}  // namespace accounting::crypto
