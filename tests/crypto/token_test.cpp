// Tokens: their form, their header, and which key may prove them.
#include "crypto/tokens.hpp"

namespace accounting::testing {
namespace {

const std::string plain_header = R"({"alg":"HS256"})";

/// With a good signature over whatever the parts are.
std::string signed_parts(const std::string& header_part, const std::string& payload_part) {
  const std::string bytes = header_part + "." + payload_part;
  return bytes + "." + encode_base64url(secret_signer().signature(bytes));
}

std::string with_header(const std::string& header) {
  return secret_signer().token(header, ClaimsText());
}

/// A token of exactly so many bytes.
std::string token_of_size(std::size_t size) {
  for (std::size_t filling = size / 2; filling < size; ++filling) {
    std::string token =
        secret_signer().token(ClaimsText().with("x", '"' + std::string(filling, 'x') + '"'));
    if (token.size() == size) {
      return token;
    }
  }
  FAIL("no token of this size");
  return {};
}

}  // namespace

TEST_CASE("the form of a token") {
  const std::string good = with_header(plain_header);
  const std::string header = encode_base64url(plain_header);
  const std::string payload = encode_base64url(ClaimsText());
  const std::size_t last_dot = good.rfind('.');
  std::string other_bit = good;
  other_bit[last_dot + 5] = other_bit[last_dot + 5] == 'A' ? 'B' : 'A';
  // 32 bytes leave two bits of the last digit unused.
  std::string other_spelling = good;
  ++other_spelling.back();

  struct Row {
    std::string what;
    std::string token;
    std::string outcome;
  };
  const std::vector<Row> rows = {
      {"as it should be", good, "ok"},
      {"nothing", "", "malformed"},
      {"one part", header, "malformed"},
      {"two parts", header + "." + payload, "malformed"},
      {"four parts", good + ".", "malformed"},
      {"five parts, as of an encrypted token", "a.b.c.d.e", "malformed"},
      {"dots only", "..", "malformed"},
      {"JSON serialisation", R"({"payload":"e30","signature":"e30"})", "malformed"},
      {"no signature", good.substr(0, last_dot + 1), "bad_signature"},
      {"a signature cut off", good.substr(0, good.size() - 4), "bad_signature"},
      {"a signature of one byte more", good + "AA", "malformed"},
      {"a signature of three bytes more", good.substr(0, good.size() - 1) + "AAAAA",
       "bad_signature"},
      {"another bit in the signature", other_bit, "bad_signature"},
      {"another spelling of the same signature", other_spelling, "malformed"},
      {"padding", good + "=", "malformed"},
      {"a blank before", " " + good, "malformed"},
      {"a line end after", good + "\n", "malformed"},
      {"NUL after", good + std::string(1, '\0'), "malformed"},
      {"the scheme's word before", "Bearer " + good, "malformed"},
      {"padding inside, signed", signed_parts(header, payload + "="), "malformed"},
      {"a blank inside, signed", signed_parts(header + " ", payload), "malformed"},
      {"8 KiB", token_of_size(8'192), "ok"},
      {"a byte more", token_of_size(8'193), "too_large"},
      {"9 KiB of nothing", std::string(9'216, 'x'), "too_large"},
  };
  const JwtVerifier verifier = verifier_of({.secret = shared_secret});
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(outcome(verifier, row.token) == row.outcome);
  }
}

TEST_CASE("the header") {
  struct Row {
    std::string header;
    std::string outcome;
  };
  const std::vector<Row> rows = {
      {R"({"alg":"HS256","typ":"JWT"})", "ok"},
      {R"({"alg":"HS256","kid":"any: the key has none"})", "ok"},
      {R"({"alg":"HS256","jku":"https://evil.example"})", "ok"},
      {R"({"alg":"HS256","x5u":"https://evil.example","x5c":["AA"]})", "ok"},
      {R"({"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}})", "ok"},
      {R"( {"alg":"HS256"} )", "ok"},
      {R"({"\u0061lg":"HS256"})", "ok"},
      {R"({})", "wrong_algorithm"},
      {R"({"alg":"none"})", "wrong_algorithm"},
      {R"({"alg":"None"})", "wrong_algorithm"},
      {R"({"alg":"NONE"})", "wrong_algorithm"},
      {R"({"alg":"nOnE"})", "wrong_algorithm"},
      {R"({"alg":""})", "wrong_algorithm"},
      {R"({"alg":"hs256"})", "wrong_algorithm"},
      {R"({"alg":"HS256 "})", "wrong_algorithm"},
      {R"({"alg":"HS25"})", "wrong_algorithm"},
      {R"({"alg":"HS2566"})", "wrong_algorithm"},
      {R"({"alg":"HS384"})", "wrong_algorithm"},
      {R"({"alg":"RS256"})", "wrong_algorithm"},
      {R"({"alg":null})", "wrong_algorithm"},
      {R"({"alg":["HS256"]})", "wrong_algorithm"},
      {R"({"ALG":"HS256"})", "wrong_algorithm"},
      {R"({"alg":"HS256","alg":"HS256"})", "duplicate_member"},
      {R"({"alg":"none","alg":"HS256"})", "duplicate_member"},
      {R"({"alg":"HS256","x":{"a":1,"a":1}})", "duplicate_member"},
      {R"({"alg":"HS256","crit":["exp"],"exp":1})", "unsupported_header"},
      {R"({"alg":"HS256","crit":[]})", "unsupported_header"},
      {R"({"alg":"HS256","b64":false})", "unsupported_header"},
      {R"({"alg":"HS256","b64":true})", "unsupported_header"},
      {R"({"alg":"HS256","zip":"DEF"})", "unsupported_header"},
      {R"({"alg":"HS256","kid":7})", "unsupported_header"},
      {R"({"alg":"HS256","kid":null})", "unsupported_header"},
      {R"({"alg":"HS256"} x)", "malformed"},
      {R"(["HS256"])", "malformed"},
      {R"({"alg":"HS256","x":[[[[[[[1]]]]]]]})", "ok"},
      {R"({"alg":"HS256","x":[[[[[[[[1]]]]]]]]})", "malformed"},
      {R"({"alg":"HS256\u0000"})", "malformed"},
      {"", "malformed"},
  };
  const JwtVerifier verifier = verifier_of({.secret = shared_secret});
  for (const Row& row : rows) {
    CAPTURE(row.header);
    CHECK(outcome(verifier, with_header(row.header)) == row.outcome);
    // Without a signature, none of them is let in.
    const std::string bytes = encode_base64url(row.header) + "." + encode_base64url(ClaimsText());
    CHECK(outcome(verifier, bytes + ".") != "ok");
  }
}

TEST_CASE("the signature is checked before the claims are read") {
  const JwtVerifier verifier = verifier_of({.secret = shared_secret});
  const Signer stranger = Signer::with_secret(std::string(32, 's'), "HS256");
  CHECK(outcome(verifier, stranger.token(ClaimsText().with("exp", "0"))) == "bad_signature");
  CHECK(outcome(verifier, stranger.token("no JSON")) == "bad_signature");
  CHECK(outcome(verifier, secret_signer().token("no JSON")) == "malformed");
}

TEST_CASE("kid selects among the keys, and keys rotate") {
  const std::string old_secret(32, 'o');
  const std::string new_secret(32, 'n');
  const auto token = [](const std::string& secret, const std::string& kid) {
    const std::string member = kid.empty() ? "" : R"(,"kid":")" + kid + '"';
    return Signer::with_secret(secret, "HS256")
        .token(R"({"alg":"HS256")" + member + "}", ClaimsText());
  };
  const JwtVerifier both =
      verifier_of({.keys = {JwtKey::from_secret(old_secret, "HS256", "2025"),
                            JwtKey::from_secret(new_secret, "HS256", "2026")}});
  CHECK(outcome(both, token(old_secret, "2025")) == "ok");
  CHECK(outcome(both, token(new_secret, "2026")) == "ok");
  CHECK(outcome(both, token(old_secret, "")) == "ok");
  CHECK(outcome(both, token(new_secret, "")) == "ok");
  CHECK(outcome(both, token(new_secret, "2025")) == "bad_signature");
  CHECK(outcome(both, token(new_secret, "2027")) == "unknown_key");
  CHECK(outcome(both, token(new_secret, "../../dev/null")) == "unknown_key");
  CHECK(outcome(both, token(std::string(32, 'x'), "")) == "bad_signature");

  const JwtVerifier after =
      verifier_of({.keys = {JwtKey::from_secret(new_secret, "HS256", "2026")}});
  CHECK(outcome(after, token(old_secret, "2025")) == "unknown_key");
  CHECK(outcome(after, token(old_secret, "")) == "bad_signature");

  // From a secret without a name to keys with one: both verify, whatever kid the token has.
  const JwtVerifier joined = verifier_of(
      {.secret = old_secret, .keys = {JwtKey::from_secret(new_secret, "HS256", "2026")}});
  CHECK(outcome(joined, token(old_secret, "2025")) == "ok");
  CHECK(outcome(joined, token(old_secret, "2026")) == "ok");
  CHECK(outcome(joined, token(new_secret, "2026")) == "ok");
  CHECK(outcome(joined, token(new_secret, "2025")) == "bad_signature");
}

TEST_CASE("RFC 7515, appendix A.1") {
  const std::string token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
      ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
      "VlfQ"
      ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const std::string jwks =
      R"({"keys":[{"kty":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0)"
      R"(gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]})";
  const auto clock = std::make_shared<ManualClock>(Timestamp{std::chrono::seconds{1'300'819'379}});
  const JwtVerifier verifier({.jwks = jwks, .clock = clock});
  // A good signature in good time, by which nobody is named: it comes as far as its iat.
  CHECK(outcome(verifier, token) == "missing_claim");
  CHECK(verifier.inspect(token).explanation == "the claim iat is missing");
  clock->advance(std::chrono::seconds(1));
  CHECK(outcome(verifier, token) == "expired");
}

}  // namespace accounting::testing
