#include "crypto/digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <new>

namespace accounting::crypto {
namespace {

using Digest = std::array<unsigned char, 32>;

constexpr std::string_view digits = "0123456789abcdef";

std::string as_hex(const Digest& digest) {
  return hexadecimal({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

/// Looked up once: OpenSSL would look for its implementation at each use.
const EVP_MD* sha256() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found != nullptr ? found : EVP_sha256();
}

}  // namespace

std::string hexadecimal(std::string_view bytes) {
  std::string text(2 * bytes.size(), '0');
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    text[2 * at] = digits[byte >> 4U];
    text[2 * at + 1] = digits[byte & 15U];
  }
  return text;
}

std::optional<std::string> from_hexadecimal(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    const std::size_t high = digits.find(text[at]);
    const std::size_t low = digits.find(text[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    bytes += static_cast<char>(high << 4U | low);
  }
  return text.size() % 2 == 0 ? std::optional(bytes) : std::nullopt;
}

std::string sha256_hex(std::string_view bytes) {
  Digest digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, sha256(), nullptr) != 1) {
    throw std::bad_alloc();  // the only way in which a digest of plain bytes fails
  }
  return as_hex(digest);
}

std::string hmac_sha256_hex(std::string_view secret, std::string_view bytes) {
  Digest digest{};
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(),
           &length) == nullptr) {
    throw std::bad_alloc();  // as above
  }
  return as_hex(digest);
}

}  // namespace accounting::crypto
