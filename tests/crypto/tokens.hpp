// Tokens of a day in 2026, and what a verifier makes of them in one word.
#pragma once

#include "accounting/identity.hpp"
#include "crypto/sign.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace accounting::testing {

/// 2026-01-01T00:00:00Z, as a claim writes it.
inline constexpr std::int64_t now_seconds = 1'767'225'600;
inline constexpr Timestamp now_instant{std::chrono::seconds{now_seconds}};

/// The time `seconds` from now as a claim.
std::string from_now(std::int64_t seconds);

inline const std::string shared_secret = "a secret of the tests: 32 bytes!";
Signer secret_signer();

/// Claims as JSON text, each value written as it stands, so that they may be wrong in any way.
class ClaimsText {
 public:
  /// Those of Ada, valid for 15 minutes.
  ClaimsText();
  ClaimsText& with(const std::string& name, const std::string& json);
  ClaimsText& without(const std::string& name);
  /// Once more, at the end.
  ClaimsText& twice(const std::string& name, const std::string& json);
  operator std::string() const;  // NOLINT: a conversion

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

Principal ada();

/// The options with the clock standing at now.
JwtOptions at_now(JwtOptions options);
JwtVerifier verifier_of(JwtOptions options);

/// "ok", or the reason of the refusal. Checks on the way that `inspect` says the same, and that the
/// error tells the caller nothing.
std::string outcome(const JwtVerifier& verifier, std::string_view token);

/// "ok", or the argument that was refused.
std::string refused_argument(const std::function<void()>& make);

}  // namespace accounting::testing
