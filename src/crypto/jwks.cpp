#include "crypto/jwks.hpp"

#include "accounting/error.hpp"
#include "crypto/base64url.hpp"
#include "crypto/json.hpp"
#include "crypto/public_key.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace accounting::crypto {
namespace {

using Json = nlohmann::json;

constexpr std::size_t largest_set = std::size_t{1024} * 1024;

/// The words that RFC 7517 and 7518 give to kinds of keys.
constexpr std::string_view kind_of(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::hmac:
      return "oct";
    case SignatureScheme::ecdsa:
      return "EC";
    default:
      return "RSA";
  }
}

/// One key of the set; its place is in every complaint.
class JwkReader {
 public:
  JwkReader(const Json& jwk, std::size_t index) : jwk_(jwk), index_(index) {}

  [[noreturn]] void refuse(const std::string& expected) const {
    throw InvalidArgument("jwks", expected + " in keys[" + std::to_string(index_) + "]");
  }

  /// The text of a member; null where there is none.
  [[nodiscard]] const std::string* text(const char* name) const {
    const auto member = jwk_.find(name);
    if (member == jwk_.end()) {
      return nullptr;
    }
    if (!member->is_string()) {
      refuse(std::string("text as \"") + name + '"');
    }
    return &member->get_ref<const std::string&>();
  }

  [[nodiscard]] std::string bytes(const char* name) const {
    const std::string* digits = text(name);
    auto decoded = digits == nullptr ? std::nullopt : decode_base64url(*digits);
    if (!decoded) {
      refuse(std::string("base64url as \"") + name + '"');
    }
    return *std::move(decoded);
  }

  [[nodiscard]] bool is_for_verifying() const {
    const std::string* use = text("use");
    if (use != nullptr && *use != "sig") {
      return false;
    }
    const auto operations = jwk_.find("key_ops");
    if (operations == jwk_.end()) {
      return true;
    }
    if (!operations->is_array()) {
      refuse("a list as \"key_ops\"");
    }
    return std::ranges::find(*operations, Json("verify")) != operations->end();
  }

  [[nodiscard]] std::optional<std::string> kid() const {
    const std::string* kid = text("kid");
    if (kid != nullptr && kid->empty()) {
      refuse("text that is not empty as \"kid\"");
    }
    return kid == nullptr ? std::nullopt : std::optional(*kid);
  }

  [[nodiscard]] bool has(const char* name) const { return jwk_.contains(name); }

 private:
  const Json& jwk_;
  std::size_t index_;
};

std::shared_ptr<const VerificationKey> secret_key(const JwkReader& jwk,
                                                  const Algorithm& algorithm) {
  std::string bytes = jwk.bytes("k");
  const std::string expected = expected_instead_of(bytes, algorithm);
  Secret secret(bytes);
  wipe(bytes);
  if (!expected.empty()) {
    jwk.refuse(expected);
  }
  return std::make_shared<VerificationKey>(algorithm, std::move(secret), jwk.kid());
}

PublicKey ec_key(const JwkReader& jwk, const Algorithm& algorithm) {
  const std::string* curve = jwk.text("crv");
  if (curve == nullptr || *curve != algorithm.curve.jose_name) {
    jwk.refuse("the curve " + std::string(algorithm.curve.jose_name) + " for " +
               std::string(algorithm.name));
  }
  return ec_public_key(algorithm.curve, jwk.bytes("x"), jwk.bytes("y"));
}

std::shared_ptr<const VerificationKey> public_key(const JwkReader& jwk,
                                                  const Algorithm& algorithm) {
  if (jwk.has("d")) {
    jwk.refuse("a public key, not a private one,");
  }
  PublicKey key = algorithm.scheme == SignatureScheme::ecdsa
                      ? ec_key(jwk, algorithm)
                      : rsa_public_key(jwk.bytes("n"), jwk.bytes("e"));
  if (key == nullptr) {
    jwk.refuse("the numbers of a public key");
  }
  if (const std::string expected = expected_instead_of(*key, algorithm); !expected.empty()) {
    jwk.refuse(expected);
  }
  return std::make_shared<VerificationKey>(algorithm, std::move(key), jwk.kid());
}

/// Null where the key is not one that verifies signatures.
std::shared_ptr<const VerificationKey> key_of(const JwkReader& jwk) {
  const std::string* kind = jwk.text("kty");
  const std::string* name = jwk.text("alg");
  const Algorithm* algorithm = name == nullptr ? nullptr : find_algorithm(*name);
  if (kind == nullptr) {
    jwk.refuse("\"kty\"");
  }
  if (algorithm == nullptr || !jwk.is_for_verifying()) {
    return nullptr;
  }
  if (*kind != kind_of(algorithm->scheme)) {
    jwk.refuse("\"kty\" " + std::string(kind_of(algorithm->scheme)) + " for " +
               std::string(algorithm->name));
  }
  return algorithm->scheme == SignatureScheme::hmac ? secret_key(jwk, *algorithm)
                                                    : public_key(jwk, *algorithm);
}

/// The parser's own copies of the secrets.
void wipe_secrets(Json& keys) {
  for (Json& jwk : keys) {
    if (const auto secret = jwk.find("k"); secret != jwk.end() && secret->is_string()) {
      wipe(secret->get_ref<std::string&>());
    }
  }
}

KeyRing usable_keys(const Json& keys) {
  KeyRing ring;
  for (std::size_t index = 0; index < keys.size(); ++index) {
    const JwkReader jwk(keys[index], index);
    if (!keys[index].is_object()) {
      jwk.refuse("an object");
    }
    if (auto key = key_of(jwk)) {
      ring.push_back(std::move(key));
    }
  }
  return ring;
}

/// Public keys are meant to be published, so a secret among them is published with them.
void check_not_mixed(const KeyRing& ring) {
  const auto is_secret = [](const auto& key) {
    return key->algorithm().scheme == SignatureScheme::hmac;
  };
  const auto secrets = std::ranges::count_if(ring, is_secret);
  if (secrets != 0 && secrets != std::ranges::ssize(ring)) {
    throw InvalidArgument("jwks", "public keys or secrets, not both in one set");
  }
}

}  // namespace

KeyRing keys_of_jwks(std::string_view text) {
  if (text.size() > largest_set) {
    throw InvalidArgument("jwks", "at most 1048576 bytes");
  }
  JsonReading set = read_json_object(text);
  if (set.fault != JsonFault::none) {
    throw InvalidArgument("jwks",
                          "a JSON Web Key Set; the text " + std::string(to_string(set.fault)));
  }
  const auto keys = set.value.find("keys");
  if (keys == set.value.end() || !keys->is_array()) {
    throw InvalidArgument("jwks", "a JSON Web Key Set with a list of \"keys\"");
  }
  struct Wiper {
    Json& keys;
    ~Wiper() { wipe_secrets(keys); }
  } const wiper{*keys};
  KeyRing ring = usable_keys(*keys);
  if (ring.empty()) {
    throw InvalidArgument("jwks", "at least one key for signatures with an \"alg\" that is known");
  }
  check_not_mixed(ring);
  return ring;
}

}  // namespace accounting::crypto
