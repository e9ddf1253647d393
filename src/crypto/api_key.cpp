#include "crypto/api_key.hpp"

#include "crypto/digest.hpp"
#include "crypto/secret.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace accounting::crypto {
namespace {

constexpr std::string_view alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t random_length = 40;  // 238 bits
constexpr std::size_t checksum_length = 6;

/// Letters and digits, each as likely as any other: bytes that would favour some are thrown away.
std::string random_text(std::size_t length) {
  constexpr std::size_t largest = 256 / alphabet.size() * alphabet.size();
  std::string text;
  text.reserve(length);  // a reallocation would leave a copy of the secret behind
  std::array<unsigned char, 64> bytes{};
  while (text.size() < length) {
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
      wipe(text);
      throw std::runtime_error("the system has no randomness to give");
    }
    for (const unsigned char byte : bytes) {
      if (byte < largest && text.size() < length) {
        text += alphabet[byte % alphabet.size()];
      }
    }
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return text;
}

/// The CRC-32 of ISO 3309, as zip files and GitHub's tokens have it.
std::uint32_t crc32(std::string_view text) noexcept {
  std::uint32_t remainder = 0xFFFFFFFFU;
  for (const char character : text) {
    remainder ^= static_cast<unsigned char>(character);
    for (int bit = 0; bit < 8; ++bit) {
      // Without a branch, so that its time says nothing about the key.
      remainder = (remainder >> 1U) ^ (0xEDB88320U & (0U - (remainder & 1U)));
    }
  }
  return ~remainder;
}

/// Six digits of base 62 hold the 32 bits of a checksum.
std::string checksum(std::string_view text) {
  std::string digits(checksum_length, '0');
  std::uint32_t rest = crc32(text);
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    *digit = alphabet[rest % alphabet.size()];
    rest /= static_cast<std::uint32_t>(alphabet.size());
  }
  return digits;
}

}  // namespace

std::string new_api_key(std::string_view prefix) {
  std::string key;
  // Reserved, so that no reallocation leaves a copy of the secret behind.
  key.reserve(prefix.size() + 1 + random_length + checksum_length);
  std::string secret = random_text(random_length);
  key.append(prefix).append("_").append(secret);
  wipe(secret);
  key += checksum(key);
  return key;
}

bool is_api_key(std::string_view key, std::string_view prefix) {
  if (key.size() != prefix.size() + 1 + random_length + checksum_length ||
      key.substr(0, prefix.size()) != prefix || key[prefix.size()] != '_') {
    return false;
  }
  const std::string_view body = key.substr(prefix.size() + 1);
  return body.find_first_not_of(alphabet) == std::string_view::npos &&
         checksum(key.substr(0, key.size() - checksum_length)) ==
             key.substr(key.size() - checksum_length);
}

std::string api_key_hash(std::string_view key, std::string_view pepper) {
  return pepper.empty() ? sha256_hex(key) : hmac_sha256_hex(pepper, key);
}

bool same_hash(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace accounting::crypto
