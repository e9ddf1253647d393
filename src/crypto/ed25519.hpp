// Ed25519 (RFC 8032): signatures with a private key, verified with its public one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace accounting::crypto {

/// The signature in 128 lower-case hexadecimal digits; nothing where the text is not the one PEM
/// block, unencrypted, of a private Ed25519 key.
std::optional<std::string> ed25519_sign(std::string_view private_key_pem, std::string_view bytes);

/// Whether the signature is the key's for the bytes; nothing where the text is not the one PEM
/// block of a public Ed25519 key.
std::optional<bool> ed25519_verify(std::string_view public_key_pem, std::string_view bytes,
                                   std::string_view signature);

}  // namespace accounting::crypto
