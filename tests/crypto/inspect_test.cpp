// Inspection: what an administrator is told, and what nobody is.
#include "crypto/tokens.hpp"

namespace accounting::testing {
namespace {

std::string explanation(const ClaimsText& claims, JwtOptions options = {}) {
  options.secret = shared_secret;
  return verifier_of(options).inspect(secret_signer().token(claims)).explanation;
}

}  // namespace

TEST_CASE("an inspection explains precisely") {
  CHECK(explanation(ClaimsText()) == "the token is accepted");
  CHECK(explanation(ClaimsText().with("exp", from_now(-63))) ==
        "exp was 2025-12-31T23:58:57Z, 63 seconds ago");
  CHECK(explanation(ClaimsText().with("exp", from_now(-1))) ==
        "exp was 2025-12-31T23:59:59Z, 1 second ago");
  CHECK(explanation(ClaimsText().with("exp", from_now(0))) == "exp was 2026-01-01T00:00:00Z, now");
  CHECK(explanation(ClaimsText().with("nbf", from_now(90)), {.leeway_seconds = 60}) ==
        "nbf is 2026-01-01T00:01:30Z, in 90 seconds");
  CHECK(explanation(ClaimsText().with("nbf", "1e300")) ==
        "nbf is 1e+300, in 8998232774400 seconds");
  CHECK(explanation(ClaimsText().with("type", R"("refresh")")) ==
        R"(type is "refresh", not "access")");
  CHECK(explanation(ClaimsText().with("role", R"("\u001b[2Jroot")")) ==
        R"(role is "\u001b[2Jroot", not "user", "supervisor" or "admin")");
  CHECK(explanation(ClaimsText().with("sub", R"("")")) ==
        "sub has 0 bytes, an account takes 1 to 50");
  CHECK(explanation(ClaimsText().with("iss", R"("b")"), {.issuer = "a"}) ==
        R"(iss is "b", not "a")");
  CHECK(explanation(ClaimsText().twice("sub", "1")) == "the payload has a member twice");

  const JwtVerifier verifier =
      verifier_of({.keys = {JwtKey::from_secret(shared_secret, "HS256", "a")}});
  CHECK(verifier.inspect(secret_signer().token(R"({"alg":"RS256"})", "{}")).explanation ==
        R"(header alg is "RS256", the key's is HS256)");
  CHECK(verifier.inspect(secret_signer().token(R"({"alg":"HS256","kid":"b"})", "{}")).explanation ==
        R"(header kid is "b", which no key has)");
  CHECK(verifier.inspect("a.b").explanation == "a token has three parts, this has 2");
  CHECK(verifier.inspect(std::string(9'000, 'x')).explanation ==
        "the token has 9000 bytes; at most 8192 are read");
}

TEST_CASE("header and claims are shown where they can be read") {
  const JwtVerifier verifier = verifier_of({.secret = shared_secret});
  const std::string claims = ClaimsText().with("exp", "0");
  const TokenInspection expired = verifier.inspect(secret_signer().token(claims));
  CHECK(expired.problem == TokenProblem::expired);
  CHECK(expired.header == R"({"alg":"HS256"})");
  CHECK(expired.claims == claims);

  // A stranger's too: to see who made it is why an administrator asks.
  const Signer stranger = Signer::with_secret(std::string(32, 's'), "HS256");
  CHECK(verifier.inspect(stranger.token(claims)).claims == claims);

  const TokenInspection odd = verifier.inspect(secret_signer().token("\x1B[2J", "no JSON"));
  CHECK(odd.problem == TokenProblem::malformed);
  CHECK_FALSE(odd.header.has_value());
  CHECK_FALSE(odd.claims.has_value());
  CHECK_FALSE(verifier.inspect(std::string(9'000, '.')).header.has_value());
}

TEST_CASE("no signature and no key is shown") {
  const JwtVerifier verifier = verifier_of({.secret = shared_secret});
  for (const std::string& payload : {std::string(ClaimsText()), std::string("{}")}) {
    const std::string token = secret_signer().token(payload);
    const TokenInspection inspection = verifier.inspect(token);
    const std::string all =
        inspection.explanation + inspection.header.value_or("") + inspection.claims.value_or("");
    CHECK(all.find(token.substr(token.rfind('.') + 1)) == std::string::npos);
    CHECK(all.find(shared_secret) == std::string::npos);
  }
}

TEST_CASE("every reason has a word of its own") {
  std::string words;
  for (int value = 0; value <= static_cast<int>(TokenProblem::wrong_audience); ++value) {
    const std::string word(to_string(static_cast<TokenProblem>(value)));
    CHECK(word != "unknown");
    CHECK(words.find(" " + word + " ") == std::string::npos);
    words += " " + word + " ";
  }
  CHECK(InvalidApiKey().code() == ErrorCode::invalid_api_key);
  CHECK_FALSE(InvalidApiKey().retryable());
  CHECK(Forbidden("m").code() == ErrorCode::forbidden);
  CHECK_FALSE(Forbidden("m").retryable());
  CHECK(std::string(Forbidden("not yours").what()) == "not yours");
}

}  // namespace accounting::testing
