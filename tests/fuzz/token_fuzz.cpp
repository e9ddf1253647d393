// Tokens: whatever is accepted is what the key would sign, and both doors of a verifier agree.
#include "accounting/identity.hpp"
#include "crypto/sign.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using accounting::JwtVerifier;
using accounting::TokenInspection;
using accounting::testing::Signer;

constexpr std::chrono::seconds now{1'767'225'600};

const Signer& signer() {
  static const Signer signer = Signer::with_secret(std::string(32, 's'), "HS256");
  return signer;
}

const JwtVerifier& verifier() {
  static const JwtVerifier verifier(
      {.secret = std::string(32, 's'),
       .leeway_seconds = 60,
       .clock = std::make_shared<accounting::ManualClock>(accounting::Timestamp(now))});
  return verifier;
}

void check(std::string_view token) {
  const TokenInspection inspection = verifier().inspect(token);
  bool accepted = false;
  try {
    const accounting::Principal principal = verifier().verify(token);
    accepted = true;
    require(inspection.principal == principal, "verify and inspect answer the same principal");
    require(!principal.user_id.empty() && principal.user_id.size() <= 50, "a valid user_id");
    require(principal.user_id.find('\0') == std::string::npos, "a user_id without NUL");
  } catch (const accounting::Unauthenticated& error) {
    require(inspection.problem == error.reason(), "verify and inspect give the same reason");
  }
  require(inspection.accepted == accepted, "verify and inspect agree");
  if (!accepted) {
    return;
  }
  const std::string signed_bytes(token.substr(0, token.rfind('.')));
  const std::string again =
      signed_bytes + "." + accounting::testing::encode_base64url(signer().signature(signed_bytes));
  require(token == again, "an accepted token is the one that the key signs");
}

/// Changes one character of the token, as the input says.
std::string changed(std::string token, std::string_view where) {
  const std::size_t place = static_cast<unsigned char>(where[0]) * std::size_t{256} +
                            static_cast<unsigned char>(where[1]);
  token[place % token.size()] = where[2];
  return token;
}

}  // namespace

// A random signature is never good, so the first byte chooses: the rest is a token as it stands, or
// header, line end and payload to be signed first, or the same with one character changed after it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.size() < 4 || input[0] == 'r') {
    check(input.substr(input.empty() ? 0 : 1));
    return 0;
  }
  const bool changes = input[0] == 'c';
  const std::string parts(input.substr(changes ? 4 : 1));
  const std::size_t line = parts.find('\n');
  const std::string token = line == std::string::npos
                                ? signer().token(parts)
                                : signer().token(parts.substr(0, line), parts.substr(line + 1));
  check(changes ? changed(token, input.substr(1, 3)) : token);
  return 0;
}
