// API keys as text: made, checked for slips of the pen, and hashed.
#pragma once

#include <string>
#include <string_view>

namespace accounting::crypto {

/// A new key: `<prefix>_`, 40 random letters and digits, and a checksum of six. Throws
/// std::runtime_error where the system has no randomness to give.
std::string new_api_key(std::string_view prefix);

/// Whether the text could be a key: its form and its checksum. Says nothing about who knows it.
bool is_api_key(std::string_view key, std::string_view prefix);

/// What is stored of a key, in 64 hexadecimal digits: its SHA-256, or its HMAC-SHA-256 under a
/// pepper that is not empty.
std::string api_key_hash(std::string_view key, std::string_view pepper);

/// Whether two hashes are the same, in a time that does not depend on where they differ.
bool same_hash(std::string_view left, std::string_view right) noexcept;

}  // namespace accounting::crypto
