// Project Wycheproof's vectors: signatures as they are labelled, but for eight odd labels.
#include "accounting/error.hpp"
#include "accounting/identity.hpp"
#include "crypto/jwks.hpp"
#include "crypto/jwt.hpp"
#include "crypto/refusal.hpp"
#include "support/books.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <set>
#include <string>

namespace accounting::testing {
namespace {

using Json = nlohmann::json;

/// Tests of json_web_signature_test whose label a strict reader does not follow.
const std::map<int, std::string> odd_labels = {
    {346, "labelled valid; the header says PS384, the key PS256"},
    {347, "labelled valid; the key's alg is the misspelt ES521"},
    {350, "labelled valid; the header says PS384, the key PS256"},
    {351, "labelled valid; the key's alg is the misspelt ES521"},
    {367, "labelled invalid; byte for byte the valid test 357"},
    {370, "labelled invalid; byte for byte the valid test 357"},
    {372, "labelled valid; has a character that base64url has not"},
    {373, "labelled valid; has a character that base64url has not"},
};

Json read(const std::string& directory, const std::string& name) {
  std::ifstream file(directory + "/vectors/wycheproof/" + name);
  REQUIRE(file);
  return Json::parse(file);
}

/// The group's keys as a set of those that verify: no private parts.
Json keys_of(const Json& group) {
  Json keys = group.contains("public") ? group.at("public") : group.at("private");
  Json list = keys.contains("keys") ? keys.at("keys") : Json::array({keys});
  for (Json& key : list) {
    for (const char* name : {"d", "p", "q", "dp", "dq", "qi"}) {
      key.erase(name);
    }
  }
  return {{"keys", list}};
}

/// A few are in JSON serialisation, which is no form that is taken.
std::string token_of(const Json& test) {
  const Json& token = test.at("jws");
  return token.is_string() ? token.get<std::string>() : token.dump();
}

bool is_accepted(const std::string& token, const crypto::KeyRing& keys) {
  try {
    crypto::verified_payload(token, keys);
    return true;
  } catch (const crypto::Refusal&) {
    return false;
  }
}

bool is_accepted(const std::string& token, const Json& keys) {
  try {
    return is_accepted(token, crypto::keys_of_jwks(keys.dump()));
  } catch (const InvalidArgument&) {
    return false;
  }
}

struct Counts {
  int valid = 0;
  int invalid = 0;
  int odd = 0;
};

/// Runs the groups that hold signatures.
Counts run(const Json& file, const std::map<int, std::string>& odd) {
  Counts counts;
  for (const Json& group : file.at("testGroups")) {
    const Json keys = keys_of(group);
    for (const Json& test : group.at("tests")) {
      if (!test.contains("jws")) {
        continue;
      }
      const int id = test.at("tcId").get<int>();
      CAPTURE(id);
      CAPTURE(test.at("comment").get<std::string>());
      const bool valid = test.at("result") == "valid";
      const bool accepted = is_accepted(token_of(test), keys);
      if (const auto reason = odd.find(id); reason != odd.end()) {
        CAPTURE(reason->second);
        CHECK(accepted != valid);
        ++counts.odd;
      } else {
        CHECK(accepted == valid);
        ++(valid ? counts.valid : counts.invalid);
      }
    }
  }
  return counts;
}

std::string bytes_of_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace

TEST_CASE("Wycheproof: json_web_signature_test") {
  if (const auto shared = shared_directory_or_skip()) {
    const Counts counts = run(read(*shared, "json_web_signature_test.json"), odd_labels);
    MESSAGE("json_web_signature_test: " << counts.valid << " valid accepted, " << counts.invalid
                                        << " invalid refused, " << counts.odd << " odd labels");
    CHECK(counts.valid + counts.invalid == 393);
    CHECK(counts.odd == 8);
  }
}

TEST_CASE("Wycheproof: json_web_crypto_test") {
  if (const auto shared = shared_directory_or_skip()) {
    const Counts counts = run(read(*shared, "json_web_crypto_test.json"), {});
    MESSAGE("json_web_crypto_test: " << counts.valid << " valid accepted, " << counts.invalid
                                     << " invalid refused; encryption left out");
    CHECK(counts.valid + counts.invalid == 49);
  }
}

TEST_CASE("Wycheproof: no token of a public key passes for one of a secret") {
  const auto shared = shared_directory_or_skip();
  if (!shared) {
    return;
  }
  int refused = 0;
  const Json file = read(*shared, "json_web_signature_test.json");
  for (const Json& group : file.at("testGroups")) {
    const Json key = keys_of(group).at("keys").at(0);
    if (key.at("kty") == "oct") {
      continue;
    }
    // The public key's own bytes as the secret, which is what an attacker would know.
    const std::string known = key.at(key.at("kty") == "RSA" ? "n" : "x").get<std::string>();
    const Json keys = {{"keys", Json::array({{{"kty", "oct"}, {"alg", "HS256"}, {"k", known}}})}};
    const crypto::KeyRing ring = crypto::keys_of_jwks(keys.dump());
    for (const Json& test : group.at("tests")) {
      CAPTURE(test.at("tcId").get<int>());
      const bool accepted = is_accepted(token_of(test), ring);
      CHECK_FALSE(accepted);
      refused += accepted ? 0 : 1;
    }
  }
  MESSAGE("an HS256 verifier refused " << refused << " tokens of RSA and EC keys");
  CHECK(refused == 361);
}

TEST_CASE("Wycheproof: hmac_sha256_test") {
  const auto shared = shared_directory_or_skip();
  if (!shared) {
    return;
  }
  int labelled = 0;
  int truncated = 0;
  int short_keys = 0;
  const auto& hs256 = *crypto::find_algorithm("HS256");
  const Json file = read(*shared, "hmac_sha256_test.json");
  for (const Json& group : file.at("testGroups")) {
    for (const Json& test : group.at("tests")) {
      CAPTURE(test.at("tcId").get<int>());
      const std::string secret = bytes_of_hex(test.at("key").get<std::string>());
      if (secret.size() < 32) {
        CHECK_THROWS_AS(JwtKey::from_secret(secret, "HS256"), InvalidArgument);
        ++short_keys;
        continue;
      }
      const crypto::VerificationKey key(hs256, crypto::Secret(secret), std::nullopt);
      const bool verified = key.verifies(bytes_of_hex(test.at("msg").get<std::string>()),
                                         bytes_of_hex(test.at("tag").get<std::string>()));
      // JOSE cuts no MAC short.
      const bool whole = group.at("tagSize") == 256;
      CHECK(verified == (whole && test.at("result") == "valid"));
      ++(whole ? labelled : truncated);
    }
  }
  MESSAGE("hmac_sha256_test: " << labelled << " as labelled, " << truncated
                               << " truncated ones refused, " << short_keys
                               << " with keys too short refused");
  CHECK(labelled + truncated + short_keys == 174);
}

}  // namespace accounting::testing
