#include "crypto/claims.hpp"

#include "crypto/claim_times.hpp"
#include "crypto/json.hpp"
#include "crypto/refusal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace accounting::crypto {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_user_id = 50;
constexpr std::size_t longest_username = 100;
constexpr std::size_t longest_email = 255;

[[noreturn]] void refuse(TokenProblem problem, const std::string& explanation) {
  throw Refusal(problem, explanation);
}

/// The claims of one token, by name.
class Claims {
 public:
  explicit Claims(std::string_view payload) {
    JsonReading reading = read_json_object(payload);
    if (reading.fault != JsonFault::none) {
      refuse(reading.fault == JsonFault::duplicate_member ? TokenProblem::duplicate_member
                                                          : TokenProblem::malformed,
             "the payload " + std::string(to_string(reading.fault)));
    }
    claims_ = std::move(reading.value);
  }

  [[nodiscard]] bool has(const char* name) const { return claims_.contains(name); }

  [[nodiscard]] const Json& required(const char* name) const {
    const auto claim = claims_.find(name);
    if (claim == claims_.end()) {
      refuse(TokenProblem::missing_claim, std::string("the claim ") + name + " is missing");
    }
    return *claim;
  }

  [[nodiscard]] const Json& number(const char* name) const {
    const Json& claim = required(name);
    if (!claim.is_number()) {
      refuse(TokenProblem::invalid_claim, std::string(name) + " is not a number");
    }
    return claim;
  }

  [[nodiscard]] const std::string& text(const char* name) const {
    const Json& claim = required(name);
    if (!claim.is_string()) {
      refuse(TokenProblem::invalid_claim, std::string(name) + " is not text");
    }
    return claim.get_ref<const std::string&>();
  }

  /// Text that an account can have; that it is UTF-8 without NUL, its reader has seen to.
  [[nodiscard]] const std::string& name_of_account(const char* name, std::size_t longest) const {
    const std::string& value = text(name);
    if (value.empty() || value.size() > longest) {
      refuse(TokenProblem::invalid_claim,
             std::string(name) + " has " + std::to_string(value.size()) +
                 " bytes, an account takes 1 to " + std::to_string(longest));
    }
    return value;
  }

 private:
  Json claims_;
};

std::string moment_text(const char* name, const Json& claim, Timestamp now) {
  const Timestamp instant = instant_of(claim);
  return std::string(name) + (instant <= now ? " was " : " is ") + instant_text(claim) + ", " +
         distance_text(instant, now);
}

void check_expiry(const Claims& claims, const ClaimRules& rules, Timestamp now) {
  const Json& expiry = claims.number("exp");
  if (now >= instant_of(expiry) + rules.leeway) {
    refuse(TokenProblem::expired, moment_text("exp", expiry, now));
  }
}

void check_begun(const Claims& claims, const char* name, const ClaimRules& rules, Timestamp now) {
  const Json& begin = claims.number(name);
  if (instant_of(begin) - rules.leeway > now) {
    refuse(TokenProblem::not_yet_valid, moment_text(name, begin, now));
  }
}

void check_type(const Claims& claims) {
  const std::string& type = claims.text("type");
  if (type != "access") {
    refuse(TokenProblem::wrong_type, "type is " + in_quotes(type) + ", not \"access\"");
  }
}

void check_issuer(const Claims& claims, const std::string& expected) {
  const std::string& issuer = claims.text("iss");
  if (issuer != expected) {
    refuse(TokenProblem::wrong_issuer,
           "iss is " + in_quotes(issuer) + ", not " + in_quotes(expected));
  }
}

void check_audience(const Claims& claims, const std::string& expected) {
  const Json& audience = claims.required("aud");
  const bool is_list = audience.is_array() && std::ranges::all_of(audience, &Json::is_string);
  if (!is_list && !audience.is_string()) {
    refuse(TokenProblem::invalid_claim, "aud is neither text nor a list of texts");
  }
  const Json us = expected;
  if (is_list ? std::ranges::find(audience, us) == audience.end() : audience != us) {
    refuse(TokenProblem::wrong_audience, "aud does not have " + in_quotes(expected));
  }
}

Role role_of(const Claims& claims) {
  const std::string& word = claims.text("role");
  for (const Role role : {Role::user, Role::supervisor, Role::admin}) {
    if (word == to_string(role)) {
      return role;
    }
  }
  refuse(TokenProblem::invalid_claim,
         "role is " + in_quotes(word) + ", not \"user\", \"supervisor\" or \"admin\"");
}

}  // namespace

Principal principal_of(std::string_view payload, const ClaimRules& rules, Timestamp now) {
  const Claims claims(payload);
  check_expiry(claims, rules, now);
  check_begun(claims, "iat", rules, now);
  if (claims.has("nbf")) {
    check_begun(claims, "nbf", rules, now);
  }
  check_type(claims);
  if (rules.issuer) {
    check_issuer(claims, *rules.issuer);
  }
  if (rules.audience) {
    check_audience(claims, *rules.audience);
  }
  return {.user_id = claims.name_of_account("sub", longest_user_id),
          .username = claims.name_of_account("username", longest_username),
          .email = claims.name_of_account("email", longest_email),
          .role = role_of(claims)};
}

}  // namespace accounting::crypto
