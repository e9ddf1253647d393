// Key sets: taken or refused with a typed error that quotes no secret; whatever is taken can be
// used.
#include "accounting/identity.hpp"
#include "crypto/jwks.hpp"
#include "crypto/sign.hpp"
#include "fuzz/fuzz.hpp"

#include <cctype>

namespace {

/// The smallest key has 43 digits of base64url, and no word of a sentence has half as many.
bool quotes_a_key(std::string_view sentence) {
  std::size_t digits = 0;
  for (const char character : sentence) {
    const auto byte = static_cast<unsigned char>(character);
    digits = std::isalnum(byte) != 0 || byte == '-' || byte == '_' ? digits + 1 : 0;
    if (digits > 20 || byte < ' ' || byte > '~') {
      return true;
    }
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const accounting::crypto::KeyRing keys = accounting::crypto::keys_of_jwks(text);
    require(!keys.empty(), "a set that is taken has a key");
    for (const auto& key : keys) {
      require(!key->verifies("bytes", ""), "no key verifies an empty signature");
      require(!key->verifies("bytes", std::string(64, '\1')), "no key verifies a constant");
    }
  } catch (const accounting::InvalidArgument& error) {
    require(error.argument() == "jwks", "the refusal names the argument");
    require(!quotes_a_key(error.what()), "the refusal quotes no key");
  }
  return 0;
}
