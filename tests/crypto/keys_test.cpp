// Keys: which are taken, which argument a refusal names, and that none is ever quoted.
#include "crypto/tokens.hpp"

namespace accounting::testing {
namespace {

struct Row {
  std::string what;
  std::function<void()> make;
  std::string outcome;
};

void check_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(refused_argument(row.make) == row.outcome);
  }
}

std::string jwks(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }

const Signer& rsa() {
  static const Signer signer = Signer::with_new_pair("RS256");
  return signer;
}
const Signer& p256() {
  static const Signer signer = Signer::with_new_pair("ES256");
  return signer;
}

}  // namespace

TEST_CASE("secrets") {
  const auto secret = [](const std::string& bytes, const std::string& algorithm) {
    return [=] { JwtKey::from_secret(bytes, algorithm); };
  };
  check_all({
      {"HS256, as long as the hash", secret(std::string(32, 'x'), "HS256"), "ok"},
      {"a byte less", secret(std::string(31, 'x'), "HS256"), "secret"},
      {"HS384", secret(std::string(48, 'x'), "HS384"), "ok"},
      {"HS384, a byte less", secret(std::string(47, 'x'), "HS384"), "secret"},
      {"HS512", secret(std::string(64, 'x'), "HS512"), "ok"},
      {"HS512, a byte less", secret(std::string(63, 'x'), "HS512"), "secret"},
      {"bytes that are no text", secret(std::string(32, '\0'), "HS256"), "ok"},
      {"empty", secret("", "HS256"), "secret"},
      {"a public key", secret(rsa().public_pem(), "HS256"), "secret"},
      {"a public key after a line", secret("\n" + rsa().public_pem(), "HS256"), "secret"},
      {"a private key", secret(p256().private_pem(), "HS256"), "secret"},
      {"an algorithm for public keys", secret(std::string(64, 'x'), "RS256"), "algorithm"},
      {"none", secret(std::string(64, 'x'), "none"), "algorithm"},
      {"no algorithm", secret(std::string(64, 'x'), ""), "algorithm"},
      {"another spelling", secret(std::string(64, 'x'), "hs256"), "algorithm"},
      {"an empty kid", [] { JwtKey::from_secret(std::string(32, 'x'), "HS256", ""); }, "kid"},
  });
}

TEST_CASE("public keys in PEM") {
  const auto pem = [](const std::string& text, const std::string& algorithm) {
    return [=] { JwtKey::from_pem(text, algorithm); };
  };
  const std::string rsa_pem = rsa().public_pem();
  const std::string p256_pem = p256().public_pem();
  std::string broken = rsa_pem;
  broken[100] = '!';
  check_all({
      {"RS256", pem(rsa_pem, "RS256"), "ok"},
      {"PS512 with the same key", pem(rsa_pem, "PS512"), "ok"},
      {"ES256", pem(p256_pem, "ES256"), "ok"},
      {"with a line before", pem("# of 2026\n" + rsa_pem, "RS256"), "ok"},
      {"an empty kid", [&] { JwtKey::from_pem(rsa_pem, "RS256", ""); }, "kid"},
      {"an algorithm for secrets", pem(rsa_pem, "HS256"), "algorithm"},
      {"an unknown algorithm", pem(rsa_pem, "RS1"), "algorithm"},
      {"EdDSA, which is not supported", pem(p256_pem, "EdDSA"), "algorithm"},
      {"another curve", pem(p256_pem, "ES384"), "pem"},
      {"the largest curve's algorithm", pem(p256_pem, "ES512"), "pem"},
      {"a curve written out", pem(p256().public_pem_with_curve_written_out(), "ES256"), "pem"},
      {"an EC key for RSA", pem(p256_pem, "RS256"), "pem"},
      {"an RSA key for EC", pem(rsa_pem, "ES256"), "pem"},
      {"RSA of 1024 bits", pem(Signer::with_new_pair("RS256", 1024).public_pem(), "RS256"), "pem"},
      {"a private RSA key", pem(rsa().private_pem(), "RS256"), "pem"},
      {"a private EC key", pem(p256().private_pem(), "ES256"), "pem"},
      {"a private key behind a public one", pem(p256_pem + p256().private_pem(), "ES256"), "pem"},
      {"two keys", pem(rsa_pem + rsa_pem, "RS256"), "pem"},
      {"a broken one", pem(broken, "RS256"), "pem"},
      {"cut off", pem(rsa_pem.substr(0, 200), "RS256"), "pem"},
      {"nothing", pem("", "RS256"), "pem"},
      {"a certificate's name on it",
       pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "RS256"), "pem"},
  });
}

TEST_CASE("whoever hands in a private key is told so") {
  try {
    JwtKey::from_pem(rsa().private_pem(), "RS256");
    FAIL_CHECK("taken");
  } catch (const InvalidArgument& error) {
    CHECK(error.expected() == "a public key, not a private one: a verifier needs none");
  }
}

TEST_CASE("key sets") {
  const auto set = [](const std::string& text) { return [=] { verifier_of({.jwks = text}); }; };
  const auto one = [&](const std::string& members) { return set(jwks("{" + members + "}")); };
  const std::string rsa_key = rsa().jwk_members();
  const std::string p256_key = p256().jwk_members();
  const std::string oct = secret_signer().jwk_members();
  const std::string good = "{" + rsa_key + R"(,"alg":"RS256","kid":"a"})";
  const std::string encryption = "{" + rsa_key + R"(,"alg":"RSA-OAEP","use":"enc"})";
  check_all({
      {"RSA", one(rsa_key + R"(,"alg":"RS256")"), "ok"},
      {"RSA for PSS", one(rsa_key + R"(,"alg":"PS384","use":"sig")"), "ok"},
      {"EC", one(p256_key + R"(,"alg":"ES256","key_ops":["verify"])"), "ok"},
      {"a secret", one(oct + R"(,"alg":"HS256")"), "ok"},
      {"members that nobody knows", one(rsa_key + R"(,"alg":"RS256","x5t":"AA","x":[1])"), "ok"},
      {"a key to encrypt with beside it", set(jwks(good + "," + encryption)), "ok"},
      {"a key of an unknown kind beside it",
       set(jwks(R"({"kty":"OKP","crv":"Ed25519","x":"AA","alg":"EdDSA"},)" + good)), "ok"},
      {"a key without alg beside it", set(jwks("{" + p256_key + "}," + good)), "ok"},

      {"no set", set(""), "jwks"},
      {"a PEM", set(rsa().public_pem()), "jwks"},
      {"a list", set("[]"), "jwks"},
      {"one key alone", set(good), "jwks"},
      {"no keys", set(jwks("")), "jwks"},
      {"keys that are no list", set(R"({"keys":{}})"), "jwks"},
      {"a key that is no object", set(jwks("1")), "jwks"},
      {"something after it", set(jwks(good) + "x"), "jwks"},
      {"a duplicate member", set(jwks("{" + rsa_key + R"(,"alg":"RS256","alg":"RS256"})")), "jwks"},
      {"more than a mebibyte", set(jwks(good) + std::string(1'048'576, ' ')), "jwks"},
      {"only keys to encrypt with", set(jwks(encryption)), "jwks"},
      {"only keys for another use", one(rsa_key + R"(,"alg":"RS256","use":"enc")"), "jwks"},
      {"only keys that sign", one(rsa_key + R"(,"alg":"RS256","key_ops":["sign"])"), "jwks"},
      {"only keys without alg", one(rsa_key), "jwks"},
      {"an alg misspelt", one(p256_key + R"(,"alg":"ES521")"), "jwks"},
      {"no kty", one(R"("alg":"RS256","n":"AQAB","e":"AQAB")"), "jwks"},
      {"alg as a number", one(rsa_key + R"(,"alg":256)"), "jwks"},
      {"key_ops as text", one(rsa_key + R"(,"alg":"RS256","key_ops":"verify")"), "jwks"},
      {"kid as a number", one(rsa_key + R"(,"alg":"RS256","kid":1)"), "jwks"},
      {"an empty kid", one(rsa_key + R"(,"alg":"RS256","kid":"")"), "jwks"},
      {"an EC key for RSA", one(p256_key + R"(,"alg":"RS256")"), "jwks"},
      {"an RSA key as a secret", one(rsa_key + R"(,"alg":"HS256")"), "jwks"},
      {"another curve", one(p256_key + R"(,"alg":"ES384")"), "jwks"},
      {"a point that is not on the curve",
       one(R"("kty":"EC","alg":"ES256","crv":"P-256","x":")" +
           encode_base64url(std::string(32, '\1')) + R"(","y":")" +
           encode_base64url(std::string(32, '\1')) + '"'),
       "jwks"},
      {"a coordinate too short", one(R"("kty":"EC","alg":"ES256","crv":"P-256","x":"AQ","y":"AQ")"),
       "jwks"},
      {"RSA of 1024 bits",
       one(Signer::with_new_pair("RS256", 1024).jwk_members() + R"(,"alg":"RS256")"), "jwks"},
      {"an exponent of 1",
       one(rsa_key.substr(0, rsa_key.find(",\"e\"")) + R"(,"e":"AQ","alg":"RS256")"), "jwks"},
      {"no modulus", one(R"("kty":"RSA","alg":"RS256","e":"AQAB")"), "jwks"},
      {"a modulus in plain base64", one(R"("kty":"RSA","alg":"RS256","n":"+/==","e":"AQAB")"),
       "jwks"},
      {"a private key", one(rsa_key + R"(,"alg":"RS256","d":"AQAB")"), "jwks"},
      {"a secret too short", one(R"("kty":"oct","alg":"HS256","k":"AAAA")"), "jwks"},
      {"no secret", one(R"("kty":"oct","alg":"HS256")"), "jwks"},
      {"a secret among public keys", set(jwks(good + ",{" + oct + R"(,"alg":"HS256"})")), "jwks"},
      {"the same kid twice", set(jwks(good + ",{" + p256_key + R"(,"alg":"ES256","kid":"a"})")),
       "jwks"},
  });
}

TEST_CASE("options") {
  const auto options = [](JwtOptions given) { return [=] { JwtVerifier verifier(given); }; };
  const auto key = [](const char* kid) { return JwtKey::from_secret(shared_secret, "HS256", kid); };
  const auto nameless = JwtKey::from_secret(shared_secret, "HS256");
  const std::string set = jwks("{" + rsa().jwk_members() + R"(,"alg":"RS256","kid":"a"})");
  check_all({
      {"a secret", options({.secret = shared_secret}), "ok"},
      {"all three", options({.secret = shared_secret, .keys = {key("b")}, .jwks = set}), "ok"},
      {"several keys without kid", options({.keys = {nameless, nameless}}), "ok"},
      {"no key at all", options({}), "secret"},
      {"a secret too short", options({.secret = "short"}), "secret"},
      {"an empty secret", options({.secret = ""}), "secret"},
      {"a PEM as secret", options({.secret = rsa().public_pem()}), "secret"},
      {"the same kid twice", options({.keys = {key("a"), key("a")}}), "keys[1]"},
      {"the same kid in keys and jwks", options({.keys = {key("a")}, .jwks = set}), "jwks"},
      {"an empty jwks beside a secret", options({.secret = shared_secret, .jwks = ""}), "jwks"},
      {"leeway 60", options({.secret = shared_secret, .leeway_seconds = 60}), "ok"},
      {"leeway 61", options({.secret = shared_secret, .leeway_seconds = 61}), "leeway_seconds"},
      {"leeway -1", options({.secret = shared_secret, .leeway_seconds = -1}), "leeway_seconds"},
      {"an empty issuer", options({.secret = shared_secret, .issuer = ""}), "issuer"},
      {"an empty audience", options({.secret = shared_secret, .audience = ""}), "audience"},
  });
}

TEST_CASE("keys of a set verify") {
  const JwtVerifier verifier =
      verifier_of({.jwks = jwks("{" + rsa().jwk_members() + R"(,"alg":"RS256","kid":"r"},{)" +
                                p256().jwk_members() + R"(,"alg":"ES256","kid":"e"})")});
  CHECK(outcome(verifier, rsa().token(R"({"alg":"RS256","kid":"r"})", ClaimsText())) == "ok");
  CHECK(outcome(verifier, p256().token(R"({"alg":"ES256","kid":"e"})", ClaimsText())) == "ok");
  CHECK(outcome(verifier, p256().token(ClaimsText())) == "ok");
  CHECK(outcome(verifier, rsa().token(R"({"alg":"RS256","kid":"e"})", ClaimsText())) ==
        "wrong_algorithm");
  CHECK(outcome(verifier, Signer::with_new_pair("ES256").token(ClaimsText())) == "bad_signature");
}

TEST_CASE("refusals quote no key") {
  const std::string secret = "not-long-enough-and-secret";
  const std::string digits = encode_base64url(secret);
  const std::vector<std::function<void()>> attempts = {
      [&] { JwtKey::from_secret(secret, "HS256"); },
      [&] { JwtKey::from_secret("-----BEGIN " + secret + secret, "HS256"); },
      [&] { JwtKey::from_pem(secret, "RS256"); },
      [&] { verifier_of({.secret = secret}); },
      [&] { verifier_of({.jwks = secret}); },
      [&] { verifier_of({.jwks = jwks(R"({"kty":"oct","alg":"HS256","k":")" + digits + "\"}")}); },
      [&] { verifier_of({.jwks = jwks(R"({"kty":"oct","alg":"HS256","k":")" + secret + "!\"}")}); },
  };
  for (const auto& attempt : attempts) {
    try {
      attempt();
      FAIL_CHECK("taken");
    } catch (const InvalidArgument& error) {
      CHECK(std::string(error.what()).find(secret) == std::string::npos);
      CHECK(std::string(error.what()).find(digits) == std::string::npos);
    }
  }
}

}  // namespace accounting::testing
