#include "accounting/identity.hpp"

#include "crypto/claims.hpp"
#include "crypto/jwks.hpp"
#include "crypto/jwt.hpp"
#include "crypto/public_key.hpp"
#include "crypto/refusal.hpp"
#include "crypto/verification_key.hpp"

#include <set>
#include <utility>

namespace accounting {
namespace {

using crypto::Algorithm;
using crypto::KeyRing;
using crypto::VerificationKey;

constexpr std::int64_t most_leeway_seconds = 60;

const Algorithm& algorithm_named(std::string_view name) {
  const Algorithm* algorithm = crypto::find_algorithm(name);
  if (algorithm == nullptr) {
    throw InvalidArgument("algorithm",
                          "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, "
                          "ES384 or ES512");
  }
  return *algorithm;
}

void check_not_empty(const char* argument, const std::optional<std::string>& text) {
  if (text && text->empty()) {
    throw InvalidArgument(argument, "text that is not empty");
  }
}

/// Throws where a check answered what was expected instead.
void require(const char* argument, const std::string& expected) {
  if (!expected.empty()) {
    throw InvalidArgument(argument, expected);
  }
}

/// Adds keys, each of which must be known by a name of its own.
class KeyCollector {
 public:
  void add(const std::shared_ptr<const VerificationKey>& key, const std::string& argument) {
    if (key->kid() && !kids_.insert(*key->kid()).second) {
      throw InvalidArgument(argument, "a kid that no other key has");
    }
    keys_.push_back(key);
  }
  KeyRing take() { return std::move(keys_); }

 private:
  KeyRing keys_;
  std::set<std::string> kids_;
};

crypto::ClaimRules rules_of(const JwtOptions& options) {
  check_not_empty("issuer", options.issuer);
  check_not_empty("audience", options.audience);
  if (options.leeway_seconds < 0 || options.leeway_seconds > most_leeway_seconds) {
    throw InvalidArgument("leeway_seconds",
                          "a number from 0 to 60, not " + std::to_string(options.leeway_seconds));
  }
  return {.issuer = options.issuer,
          .audience = options.audience,
          .leeway = std::chrono::seconds(options.leeway_seconds)};
}

}  // namespace

struct JwtVerifier::State {
  KeyRing keys;
  crypto::ClaimRules rules;
  std::shared_ptr<const Clock> clock;

  /// Throws crypto::Refusal.
  [[nodiscard]] Principal principal_of(std::string_view token) const {
    const std::string payload = crypto::verified_payload(token, keys);
    return crypto::principal_of(payload, rules, clock->now());
  }
};

JwtKey::JwtKey(std::shared_ptr<const VerificationKey> key) : key_(std::move(key)) {}
JwtKey::~JwtKey() = default;

JwtKey JwtKey::from_secret(std::string_view secret, std::string_view algorithm,
                           std::optional<std::string> kid) {
  const Algorithm& known = algorithm_named(algorithm);
  if (known.scheme != crypto::SignatureScheme::hmac) {
    throw InvalidArgument("algorithm", "HS256, HS384 or HS512 for a shared secret");
  }
  require("secret", crypto::expected_instead_of(secret, known));
  check_not_empty("kid", kid);
  return JwtKey(std::make_shared<VerificationKey>(known, crypto::Secret(secret), std::move(kid)));
}

JwtKey JwtKey::from_pem(std::string_view pem, std::string_view algorithm,
                        std::optional<std::string> kid) {
  const Algorithm& known = algorithm_named(algorithm);
  if (known.scheme == crypto::SignatureScheme::hmac) {
    throw InvalidArgument("algorithm", "an RS, PS or ES algorithm for a public key");
  }
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos) {
    throw InvalidArgument("pem", "a public key, not a private one: a verifier needs none");
  }
  crypto::PublicKey key = crypto::public_key_from_pem(pem);
  if (key == nullptr) {
    throw InvalidArgument("pem", "one public key in PEM (\"-----BEGIN PUBLIC KEY-----\")");
  }
  require("pem", crypto::expected_instead_of(*key, known));
  check_not_empty("kid", kid);
  return JwtKey(std::make_shared<VerificationKey>(known, std::move(key), std::move(kid)));
}

JwtVerifier::JwtVerifier(const JwtOptions& options) {
  KeyCollector collector;
  if (options.secret) {
    collector.add(JwtKey::from_secret(*options.secret, "HS256").key_, "secret");
  }
  for (std::size_t index = 0; index < options.keys.size(); ++index) {
    collector.add(options.keys[index].key_, "keys[" + std::to_string(index) + "]");
  }
  if (options.jwks) {
    for (const auto& key : crypto::keys_of_jwks(*options.jwks)) {
      collector.add(key, "jwks");
    }
  }
  auto state = std::make_shared<State>();
  state->keys = collector.take();
  if (state->keys.empty()) {
    throw InvalidArgument("secret", "at least one key, in secret, keys or jwks");
  }
  state->rules = rules_of(options);
  state->clock = options.clock ? options.clock : std::make_shared<const SystemClock>();
  state_ = std::move(state);
}

JwtVerifier::~JwtVerifier() = default;

Principal JwtVerifier::verify(std::string_view token) const {
  try {
    return state_->principal_of(token);
  } catch (const crypto::Refusal& refusal) {
    throw Unauthenticated(refusal.problem());
  }
}

TokenInspection JwtVerifier::inspect(std::string_view token) const {
  TokenInspection inspection;
  crypto::UnverifiedToken parts = crypto::read_unverified(token);
  inspection.header = std::move(parts.header);
  inspection.claims = std::move(parts.payload);
  try {
    inspection.principal = state_->principal_of(token);
    inspection.accepted = true;
    inspection.explanation = "the token is accepted";
  } catch (const crypto::Refusal& refusal) {
    inspection.problem = refusal.problem();
    inspection.explanation = refusal.what();
  }
  return inspection;
}

}  // namespace accounting
