#include "crypto/base64url.hpp"

#include <cstdint>

namespace accounting::crypto {
namespace {

constexpr std::uint32_t no_digit = 64;

constexpr std::uint32_t digit_of(char character) {
  const auto byte = static_cast<unsigned char>(character);
  if (character >= 'A' && character <= 'Z') {
    return byte - static_cast<std::uint32_t>('A');
  }
  if (character >= 'a' && character <= 'z') {
    return byte - static_cast<std::uint32_t>('a') + 26;
  }
  if (character >= '0' && character <= '9') {
    return byte - static_cast<std::uint32_t>('0') + 52;
  }
  return character == '-' ? 62 : character == '_' ? 63 : no_digit;
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.size() % 4 == 1) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const char character : text) {
    const std::uint32_t digit = digit_of(character);
    if (digit == no_digit) {
      return std::nullopt;
    }
    pending = (pending << 6U) | digit;
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes += static_cast<char>(static_cast<unsigned char>(pending >> pending_bits));
      pending &= (1U << pending_bits) - 1U;
    }
  }
  // What is left belongs to no byte. Were it free, one token would have several spellings.
  if (pending != 0) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace accounting::crypto
