// Signs tokens, well and badly formed alike: the library itself only verifies.
#pragma once

#include <memory>
#include <string>
#include <string_view>

using EVP_PKEY = struct evp_pkey_st;

namespace accounting::testing {

std::string encode_base64url(const std::string& bytes);

/// A key that signs for one algorithm, of which it is a JOSE word.
class Signer {
 public:
  static Signer with_secret(std::string secret, std::string algorithm);
  /// A new pair of keys for an RS, PS or ES algorithm.
  static Signer with_new_pair(const std::string& algorithm, int rsa_bits = 2048);
  /// The same pair for another algorithm of its kind.
  [[nodiscard]] Signer for_algorithm(std::string algorithm) const;

  [[nodiscard]] const std::string& algorithm() const { return algorithm_; }
  /// The signature as JOSE writes it, not encoded.
  [[nodiscard]] std::string signature(std::string_view bytes) const;
  /// A whole token; header and payload are taken as they are.
  [[nodiscard]] std::string token(const std::string& header, const std::string& payload) const;
  /// With the plain header {"alg":…}.
  [[nodiscard]] std::string token(const std::string& payload) const;

  [[nodiscard]] std::string public_pem() const;
  /// With the numbers of its curve instead of the curve's name.
  [[nodiscard]] std::string public_pem_with_curve_written_out() const;
  [[nodiscard]] std::string private_pem() const;
  /// The public key's members of a JWK, or the secret's: `"kty":"RSA","n":…`.
  [[nodiscard]] std::string jwk_members() const;

 private:
  Signer(std::string algorithm, std::string secret, std::shared_ptr<EVP_PKEY> pair);

  std::string algorithm_;
  std::string secret_;
  std::shared_ptr<EVP_PKEY> pair_;
};

}  // namespace accounting::testing
