// Digests of bytes, and bytes in hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace accounting::crypto {

/// Two lower-case digits a byte.
std::string hexadecimal(std::string_view bytes);
/// The bytes; nothing where the text is not lower-case digits in pairs.
std::optional<std::string> from_hexadecimal(std::string_view text);

/// SHA-256 in 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// HMAC-SHA-256 in 64 lower-case hexadecimal digits.
std::string hmac_sha256_hex(std::string_view secret, std::string_view bytes);

}  // namespace accounting::crypto
