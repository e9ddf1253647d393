// Signatures: of each algorithm, under another's name, and of lengths that they do not have.
#include "crypto/tokens.hpp"

#include <openssl/err.h>

namespace accounting::testing {

TEST_CASE("every algorithm verifies its own signatures and no other's") {
  const Signer rsa = Signer::with_new_pair("RS256");
  const std::vector<Signer> signers = {
      Signer::with_secret(std::string(64, 'k'), "HS256"),
      Signer::with_secret(std::string(64, 'k'), "HS384"),
      Signer::with_secret(std::string(64, 'k'), "HS512"),
      rsa,
      rsa.for_algorithm("RS384"),
      rsa.for_algorithm("RS512"),
      rsa.for_algorithm("PS256"),
      rsa.for_algorithm("PS384"),
      rsa.for_algorithm("PS512"),
      Signer::with_new_pair("ES256"),
      Signer::with_new_pair("ES384"),
      Signer::with_new_pair("ES512"),
  };
  const auto key_of = [](const Signer& signer) {
    return signer.algorithm().starts_with("HS")
               ? JwtKey::from_secret(std::string(64, 'k'), signer.algorithm())
               : JwtKey::from_pem(signer.public_pem(), signer.algorithm());
  };
  for (const Signer& key : signers) {
    const JwtVerifier verifier = verifier_of({.keys = {key_of(key)}});
    for (const Signer& signer : signers) {
      CAPTURE(key.algorithm());
      CAPTURE(signer.algorithm());
      const bool same = key.algorithm() == signer.algorithm();
      CHECK(outcome(verifier, signer.token(ClaimsText())) == (same ? "ok" : "wrong_algorithm"));
      // The same signature under the name that the key asks for.
      const std::string header = R"({"alg":")" + key.algorithm() + R"("})";
      CHECK(outcome(verifier, signer.token(header, ClaimsText())) ==
            (same ? "ok" : "bad_signature"));
    }
  }
}

TEST_CASE("a public key is no shared secret") {
  const Signer rsa = Signer::with_new_pair("RS256");
  const std::string pem = rsa.public_pem();
  const JwtVerifier verifier = verifier_of({.keys = {JwtKey::from_pem(pem, "RS256")}});
  for (const char* algorithm : {"HS256", "HS384", "HS512"}) {
    const Signer forger = Signer::with_secret(pem, algorithm);
    CHECK(outcome(verifier, forger.token(ClaimsText())) == "wrong_algorithm");
    CHECK(outcome(verifier, forger.token(R"({"alg":"RS256"})", ClaimsText())) == "bad_signature");
  }
}

TEST_CASE("refusals leave OpenSSL's queue of errors to the host") {
  ERR_clear_error();
  const Signer rsa = Signer::with_new_pair("RS256");
  const JwtVerifier verifier = verifier_of({.keys = {JwtKey::from_pem(rsa.public_pem(), "RS256")}});
  CHECK(outcome(verifier, rsa.token(ClaimsText()) + "AAAA") == "bad_signature");
  CHECK(refused_argument([] { JwtKey::from_pem("-----BEGIN PUBLIC KEY-----", "RS256"); }) == "pem");
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a signature has one length and one form") {
  const std::vector<Signer> signers = {
      secret_signer(), Signer::with_new_pair("RS256"), Signer::with_new_pair("PS256"),
      Signer::with_new_pair("ES256"), Signer::with_new_pair("ES512")};
  for (const Signer& signer : signers) {
    CAPTURE(signer.algorithm());
    const JwtVerifier verifier =
        verifier_of({.keys = {signer.algorithm() == "HS256"
                                  ? JwtKey::from_secret(shared_secret, "HS256")
                                  : JwtKey::from_pem(signer.public_pem(), signer.algorithm())}});
    const std::string header = R"({"alg":")" + signer.algorithm() + R"("})";
    const std::string bytes = encode_base64url(header) + "." + encode_base64url(ClaimsText());
    const std::string good = signer.signature(bytes);
    const std::size_t half = good.size() / 2;
    const auto with = [&](const std::string& signature) {
      return outcome(verifier, bytes + "." + encode_base64url(signature));
    };
    const std::string zero(1, '\0');
    CHECK(with(good) == "ok");
    CHECK(with(good + zero) == "bad_signature");
    CHECK(with(good + good) == "bad_signature");
    CHECK(with(zero + good) == "bad_signature");
    CHECK(with(zero + good.substr(0, half) + zero + good.substr(half)) == "bad_signature");
    CHECK(with(good.substr(0, good.size() - 1)) == "bad_signature");
    CHECK(with(good.substr(0, half)) == "bad_signature");
    CHECK(with("") == "bad_signature");
    CHECK(with(std::string(good.size(), '\0')) == "bad_signature");
    CHECK(with(std::string(good.size(), '\xFF')) == "bad_signature");
    std::string one_bit = good;
    one_bit.back() = static_cast<char>(one_bit.back() ^ 1);
    CHECK(with(one_bit) == "bad_signature");
  }
}

}  // namespace accounting::testing
