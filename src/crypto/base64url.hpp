// Base64url (RFC 4648, section 5) as JOSE writes it: without padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace accounting::crypto {

/// The bytes; nothing where the text holds any other character (padding, blanks), has a length that
/// no bytes make, or sets bits beyond the last byte: each value has exactly one spelling.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace accounting::crypto
