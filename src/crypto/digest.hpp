// Digests of bytes.
#pragma once

#include <string>
#include <string_view>

namespace accounting::crypto {

/// SHA-256 in 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// HMAC-SHA-256 in 64 lower-case hexadecimal digits.
std::string hmac_sha256_hex(std::string_view secret, std::string_view bytes);

}  // namespace accounting::crypto
