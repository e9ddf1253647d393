// Claims: which tokens with a good signature are accepted, and the reason where one is not.
#include "crypto/tokens.hpp"

namespace accounting::testing {
namespace {

struct Row {
  std::string what;
  std::string payload;
  std::string outcome;
};

void check_all(const JwtVerifier& verifier, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CAPTURE(row.payload);
    CHECK(outcome(verifier, secret_signer().token(row.payload)) == row.outcome);
  }
}

ClaimsText claims() { return {}; }
std::string text(std::size_t length) { return '"' + std::string(length, 'x') + '"'; }

}  // namespace

TEST_CASE("claims become a principal") {
  const JwtVerifier verifier = verifier_of({.secret = shared_secret});
  CHECK(verifier.verify(secret_signer().token(claims())) == ada());
}

TEST_CASE("claims of an account") {
  check_all(verifier_of({.secret = shared_secret}),
            {
                {"as they should be", claims(), "ok"},
                {"with one that nobody asked for", claims().with("jti", "[1,{}]"), "ok"},
                {"role user", claims().with("role", R"("user")"), "ok"},
                {"role admin", claims().with("role", R"("admin")"), "ok"},
                {"a longest sub", claims().with("sub", text(50)), "ok"},
                {"a longest username", claims().with("username", text(100)), "ok"},
                {"a longest email", claims().with("email", text(255)), "ok"},
                {"UTF-8", claims().with("username", "\"Zoë 😀\""), "ok"},
                {"an escape", claims().with("sub", R"("\u0061da")"), "ok"},

                {"no sub", claims().without("sub"), "missing_claim"},
                {"no username", claims().without("username"), "missing_claim"},
                {"no email", claims().without("email"), "missing_claim"},
                {"no role", claims().without("role"), "missing_claim"},
                {"no claims at all", "{}", "missing_claim"},

                {"an empty sub", claims().with("sub", R"("")"), "invalid_claim"},
                {"a number as sub", claims().with("sub", "7"), "invalid_claim"},
                {"null as sub", claims().with("sub", "null"), "invalid_claim"},
                {"a list as sub", claims().with("sub", R"(["ada"])"), "invalid_claim"},
                {"a sub too long", claims().with("sub", text(51)), "invalid_claim"},
                {"a sub too long in bytes only",
                 claims().with("sub", '"' + std::string(48, 'x') + "€\""), "invalid_claim"},
                {"an empty username", claims().with("username", R"("")"), "invalid_claim"},
                {"a username too long", claims().with("username", text(101)), "invalid_claim"},
                {"true as username", claims().with("username", "true"), "invalid_claim"},
                {"an empty email", claims().with("email", R"("")"), "invalid_claim"},
                {"an email too long", claims().with("email", text(256)), "invalid_claim"},
                {"an object as email", claims().with("email", "{}"), "invalid_claim"},
                {"a role in capitals", claims().with("role", R"("ADMIN")"), "invalid_claim"},
                {"a role with a blank", claims().with("role", R"("admin ")"), "invalid_claim"},
                {"an unknown role", claims().with("role", R"("root")"), "invalid_claim"},
                {"an empty role", claims().with("role", R"("")"), "invalid_claim"},
                {"a list of roles", claims().with("role", R"(["admin"])"), "invalid_claim"},
                {"a number as role", claims().with("role", "2"), "invalid_claim"},

                {"no type", claims().without("type"), "missing_claim"},
                {"a refresh token", claims().with("type", R"("refresh")"), "wrong_type"},
                {"another spelling", claims().with("type", R"("Access")"), "wrong_type"},
                {"an empty type", claims().with("type", R"("")"), "wrong_type"},
                {"a list as type", claims().with("type", R"(["access"])"), "invalid_claim"},
            });
}

TEST_CASE("claims of time, without leeway") {
  check_all(
      verifier_of({.secret = shared_secret}),
      {
          {"exp a second ahead", claims().with("exp", from_now(1)), "ok"},
          {"exp now", claims().with("exp", from_now(0)), "expired"},
          {"exp a second ago", claims().with("exp", from_now(-1)), "expired"},
          {"exp a fraction ahead", claims().with("exp", from_now(0) + ".000001"), "ok"},
          {"exp half a second ago", claims().with("exp", from_now(-1) + ".5"), "expired"},
          {"exp 0", claims().with("exp", "0"), "expired"},
          {"exp negative", claims().with("exp", "-1"), "expired"},
          {"exp with an exponent", claims().with("exp", "2e9"), "ok"},
          {"exp beyond the microseconds of 64 bits", claims().with("exp", "9223372036854775807"),
           "ok"},
          {"exp of 64 bits unsigned", claims().with("exp", "18446744073709551615"), "ok"},
          {"exp beyond 64 bits", claims().with("exp", "99999999999999999999999"), "ok"},
          {"exp the largest number", claims().with("exp", "1.7976931348623157e308"), "ok"},
          {"exp no finite number", claims().with("exp", "1e309"), "malformed"},
          {"exp far in the past", claims().with("exp", "-1e308"), "expired"},
          {"exp the least of 64 bits", claims().with("exp", "-9223372036854775808"), "expired"},
          {"exp so low that its microseconds would turn positive",
           claims().with("exp", "-9223372036855"), "expired"},
          {"exp in milliseconds by mistake", claims().with("exp", from_now(1) + "000"), "ok"},
          {"no exp", claims().without("exp"), "missing_claim"},
          {"exp as text", claims().with("exp", '"' + from_now(900) + '"'), "invalid_claim"},
          {"exp null", claims().with("exp", "null"), "invalid_claim"},
          {"exp true", claims().with("exp", "true"), "invalid_claim"},
          {"exp a list", claims().with("exp", "[" + from_now(900) + "]"), "invalid_claim"},
          {"exp NaN", claims().with("exp", "NaN"), "malformed"},
          {"exp with a leading zero", claims().with("exp", "0" + from_now(900)), "malformed"},
          {"exp in another member's clothes", claims().without("exp").with("Exp", "2e9"),
           "missing_claim"},

          {"no iat", claims().without("iat"), "missing_claim"},
          {"iat now", claims().with("iat", from_now(0)), "ok"},
          {"iat a microsecond ahead", claims().with("iat", from_now(0) + ".000001"),
           "not_yet_valid"},
          {"iat a second ahead", claims().with("iat", from_now(1)), "not_yet_valid"},
          {"iat long ago", claims().with("iat", "-1e300"), "ok"},
          {"iat as text", claims().with("iat", R"("0")"), "invalid_claim"},
          {"iat huge", claims().with("iat", "1e300"), "not_yet_valid"},

          {"nbf now", claims().with("nbf", from_now(0)), "ok"},
          {"nbf a second ahead", claims().with("nbf", from_now(1)), "not_yet_valid"},
          {"nbf a fraction ahead", claims().with("nbf", from_now(0) + ".5"), "not_yet_valid"},
          {"nbf huge", claims().with("nbf", "18446744073709551615"), "not_yet_valid"},
          {"nbf null", claims().with("nbf", "null"), "invalid_claim"},
          {"nbf as text", claims().with("nbf", R"("0")"), "invalid_claim"},
      });
}

TEST_CASE("claims of time, with a leeway of 60 seconds") {
  check_all(
      verifier_of({.secret = shared_secret, .leeway_seconds = 60}),
      {
          {"exp 59 seconds ago", claims().with("exp", from_now(-59)), "ok"},
          {"exp a fraction less than 60 ago", claims().with("exp", from_now(-60) + ".001"), "ok"},
          {"exp 60 seconds ago", claims().with("exp", from_now(-60)), "expired"},
          {"exp 61 seconds ago", claims().with("exp", from_now(-61)), "expired"},
          {"iat 60 seconds ahead", claims().with("iat", from_now(60)), "ok"},
          {"iat 61 seconds ahead", claims().with("iat", from_now(61)), "not_yet_valid"},
          {"nbf 60 seconds ahead", claims().with("nbf", from_now(60)), "ok"},
          {"nbf a fraction more ahead", claims().with("nbf", from_now(60) + ".001"),
           "not_yet_valid"},
          {"nbf 61 seconds ahead", claims().with("nbf", from_now(61)), "not_yet_valid"},
          {"exp huge", claims().with("exp", "9223372036854775807"), "ok"},
          {"nbf least", claims().with("nbf", "-9223372036854775808"), "ok"},
      });
}

TEST_CASE("issuer and audience, where the options name them") {
  const ClaimsText both = claims().with("iss", R"("https://a")").with("aud", R"("accounting")");
  const auto with_issuer = [&](const std::string& json) {
    return ClaimsText(both).with("iss", json);
  };
  const auto with_audience = [&](const std::string& json) {
    return ClaimsText(both).with("aud", json);
  };
  check_all(verifier_of({.secret = shared_secret, .issuer = "https://a", .audience = "accounting"}),
            {
                {"both right", both, "ok"},
                {"a list that has it", with_audience(R"(["other","accounting"])"), "ok"},
                {"no iss", ClaimsText(both).without("iss"), "missing_claim"},
                {"another iss", with_issuer(R"("https://b")"), "wrong_issuer"},
                {"iss with a slash more", with_issuer(R"("https://a/")"), "wrong_issuer"},
                {"iss in capitals", with_issuer(R"("HTTPS://A")"), "wrong_issuer"},
                {"a list of iss", with_issuer(R"(["https://a"])"), "invalid_claim"},
                {"no aud", ClaimsText(both).without("aud"), "missing_claim"},
                {"another aud", with_audience(R"("shop")"), "wrong_audience"},
                {"aud that begins like it", with_audience(R"("accounting2")"), "wrong_audience"},
                {"an empty list", with_audience("[]"), "wrong_audience"},
                {"a list without it", with_audience(R"(["a","b"])"), "wrong_audience"},
                {"a list with a number too", with_audience(R"(["accounting",1])"), "invalid_claim"},
                {"a number", with_audience("1"), "invalid_claim"},
                {"an object with it", with_audience(R"({"a":"accounting"})"), "invalid_claim"},
            });
  check_all(verifier_of({.secret = shared_secret}),
            {{"neither asked for: any is taken",
              ClaimsText(both).with("iss", "1").with("aud", R"("shop")"), "ok"}});
}

TEST_CASE("the payload is one strict JSON object") {
  const std::string plain = claims();
  const auto nested = [](std::size_t levels) {
    return std::string(
        ClaimsText().with("extra", std::string(levels - 1, '[') + std::string(levels - 1, ']')));
  };
  check_all(verifier_of({.secret = shared_secret}),
            {
                {"blanks around", " \r\n\t" + plain + "\n", "ok"},
                {"8 levels", nested(8), "ok"},
                {"9 levels", nested(9), "malformed"},
                {"thousands of levels", nested(2'000), "malformed"},
                {"exp twice", claims().twice("exp", from_now(1'000)), "duplicate_member"},
                {"sub twice, the same", claims().twice("sub", R"("ada")"), "duplicate_member"},
                {"role twice, once escaped", claims().twice(R"(r\u006fle)", R"("admin")"),
                 "duplicate_member"},
                {"twice deeper inside", claims().with("x", R"([{"a":{"b":1,"b":1}}])"),
                 "duplicate_member"},
                {"the same name in two objects", claims().with("x", R"([{"a":1},{"a":1}])"), "ok"},
                {"nothing", "", "malformed"},
                {"a list", "[" + plain + "]", "malformed"},
                {"text", R"("ada")", "malformed"},
                {"null", "null", "malformed"},
                {"cut off", plain.substr(0, plain.size() - 1), "malformed"},
                {"something after it", plain + "x", "malformed"},
                {"a second object after it", plain + plain, "malformed"},
                {"NUL after it", plain + std::string(1, '\0'), "malformed"},
                {"NUL and more after it", plain + std::string("\0,x", 3), "malformed"},
                {"a byte order mark before it", "\xEF\xBB\xBF" + plain, "malformed"},
                {"an escaped NUL in a value", claims().with("sub", R"("a\u0000")"), "malformed"},
                {"an escaped NUL in a name", claims().with(R"(a\u0000)", "1"), "malformed"},
                {"not UTF-8", claims().with("username", "\"\xC3(\""), "malformed"},
                {"half a surrogate pair", claims().with("username", R"("\ud800")"), "malformed"},
                {"a comment", "/**/" + plain, "malformed"},
                {"a comma at the end", plain.substr(0, plain.size() - 1) + ",}", "malformed"},
                {"a number not finite, anywhere", claims().with("x", "1e999"), "malformed"},
            });
}

}  // namespace accounting::testing
