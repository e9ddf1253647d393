// VerificationKey: a key, the one algorithm that it is for, and the name that selects it.
#pragma once

#include "crypto/algorithm.hpp"
#include "crypto/openssl.hpp"
#include "crypto/secret.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace accounting::crypto {

/// Never changes after it was made, so threads may share it.
class VerificationKey {
 public:
  /// The secret must be fit for HMAC: see `expected_instead_of`.
  VerificationKey(const Algorithm& algorithm, Secret secret, std::optional<std::string> kid);
  /// The key must be fit for the algorithm: see public_key.hpp.
  VerificationKey(const Algorithm& algorithm, PublicKey key, std::optional<std::string> kid);

  [[nodiscard]] const Algorithm& algorithm() const noexcept { return algorithm_; }
  [[nodiscard]] const std::optional<std::string>& kid() const noexcept { return kid_; }

  /// True where `signature` is this key's for exactly these bytes.
  [[nodiscard]] bool verifies(std::string_view bytes, std::string_view signature) const;

 private:
  const Algorithm& algorithm_;
  std::variant<Secret, PublicKey> material_;
  std::optional<std::string> kid_;
};

using KeyRing = std::vector<std::shared_ptr<const VerificationKey>>;

/// What was expected where the secret is not fit for the algorithm; empty where it is.
std::string expected_instead_of(std::string_view secret, const Algorithm& algorithm);

}  // namespace accounting::crypto
