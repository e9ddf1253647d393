// Identity: who calls, as a signed token (JWT) of the authentication service says it.
#pragma once

#include <accounting/accounts.hpp>
#include <accounting/clock.hpp>
#include <accounting/error.hpp>
#include <accounting/export.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accounting {

namespace crypto {
class VerificationKey;
}

/// Who calls. Every value that a verifier answers makes a valid account.
struct Principal {
  std::string user_id;
  std::string username;
  std::string email;
  Role role = Role::user;

  friend bool operator==(const Principal&, const Principal&) = default;
};

/// A key that verifies tokens of one algorithm: "HS256", "HS384", "HS512", "RS…", "PS…" or "ES…".
/// A cheap handle on a value that never changes; a secret is wiped with its last copy.
class ACCOUNTING_EXPORT JwtKey {
 public:
  /// A shared secret, as bytes, for HS256, HS384 or HS512: at least as long as the hash. `kid` is
  /// the name by which a token's header may select the key.
  /// Errors: InvalidArgument (`secret`, `algorithm`, `kid`); none quotes the secret.
  static JwtKey from_secret(std::string_view secret, std::string_view algorithm,
                            std::optional<std::string> kid = std::nullopt);

  /// One public key in PEM for an RS, PS or ES algorithm: RSA of at least 2048 bits, or the curve
  /// that the algorithm names. Private keys and certificates are refused.
  /// Errors: InvalidArgument (`pem`, `algorithm`, `kid`); none quotes the key.
  static JwtKey from_pem(std::string_view pem, std::string_view algorithm,
                         std::optional<std::string> kid = std::nullopt);

  // Copies only, so that no key is ever empty.
  JwtKey(const JwtKey&) = default;
  JwtKey& operator=(const JwtKey&) = default;
  ~JwtKey();

 private:
  friend class JwtVerifier;
  explicit JwtKey(std::shared_ptr<const crypto::VerificationKey> key);

  std::shared_ptr<const crypto::VerificationKey> key_;
};

/// Which tokens are accepted. At least one key must come of `secret`, `keys` and `jwks` together;
/// all of them verify, so that keys can be rotated.
struct JwtOptions {
  /// The shared secret of HS256, without a `kid`: at least 32 bytes.
  std::optional<std::string> secret = std::nullopt;
  std::vector<JwtKey> keys = {};
  /// A JSON Web Key Set, as text: nothing is fetched.
  std::optional<std::string> jwks = std::nullopt;
  /// Given: `iss` must be exactly this.
  std::optional<std::string> issuer = std::nullopt;
  /// Given: `aud` must be this, or a list that has it.
  std::optional<std::string> audience = std::nullopt;
  /// How far the clocks of issuer and host may be apart: 0 … 60.
  std::int64_t leeway_seconds = 0;
  /// None: the machine's clock.
  std::shared_ptr<const Clock> clock = nullptr;
};

/// What a token says and why it is accepted or refused, in words for an administrator. It holds no
/// signature and no key. Not for whoever sent the token.
struct TokenInspection {
  bool accepted = false;
  std::optional<TokenProblem> problem;  ///< none where the token is accepted
  std::string explanation;  ///< for example "exp was 2026-01-01T00:00:00Z, 63 seconds ago"
  std::optional<std::string> header;  ///< JSON text as received; none where it is no JSON
  /// The same for the claims. They are proved only where the token is accepted, or refused by a
  /// check that comes after the signature's.
  std::optional<std::string> claims;
  std::optional<Principal> principal;  ///< where the token is accepted

  friend bool operator==(const TokenInspection&, const TokenInspection&) = default;
};

/// Verifies access tokens in JWS compact form. Thread-safe; a cheap handle that may be copied.
class ACCOUNTING_EXPORT JwtVerifier {
 public:
  /// Errors: InvalidArgument, which names the option (`keys[1]`) and quotes no key.
  explicit JwtVerifier(const JwtOptions& options);
  // Copies only, so that no verifier is ever without its state.
  JwtVerifier(const JwtVerifier&) = default;
  JwtVerifier& operator=(const JwtVerifier&) = default;
  ~JwtVerifier();

  /// Who holds the token. Errors: Unauthenticated.
  [[nodiscard]] Principal verify(std::string_view token) const;

  /// The same checks, explained. Throws nothing but std::bad_alloc, and what the clock throws.
  [[nodiscard]] TokenInspection inspect(std::string_view token) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace accounting
