#include "crypto/tokens.hpp"

#include <algorithm>

namespace accounting::testing {

std::string from_now(std::int64_t seconds) { return std::to_string(now_seconds + seconds); }

Signer secret_signer() { return Signer::with_secret(shared_secret, "HS256"); }

ClaimsText::ClaimsText()
    : members_{
          {"sub", R"("ada")"},         {"username", R"("Ada")"}, {"email", R"("ada@example.org")"},
          {"role", R"("supervisor")"}, {"type", R"("access")"},  {"iat", from_now(0)},
          {"exp", from_now(900)}} {}

ClaimsText& ClaimsText::with(const std::string& name, const std::string& json) {
  const auto member =
      std::ranges::find(members_, name, [](const auto& pair) { return pair.first; });
  if (member == members_.end()) {
    return twice(name, json);
  }
  member->second = json;
  return *this;
}

ClaimsText& ClaimsText::without(const std::string& name) {
  std::erase_if(members_, [&](const auto& member) { return member.first == name; });
  return *this;
}

ClaimsText& ClaimsText::twice(const std::string& name, const std::string& json) {
  members_.emplace_back(name, json);
  return *this;
}

ClaimsText::operator std::string() const {
  std::string text;
  for (const auto& [name, json] : members_) {
    text += (text.empty() ? "{\"" : ",\"") + name + "\":" + json;
  }
  return text + "}";
}

Principal ada() {
  return {
      .user_id = "ada", .username = "Ada", .email = "ada@example.org", .role = Role::supervisor};
}

JwtOptions at_now(JwtOptions options) {
  options.clock = std::make_shared<ManualClock>(now_instant);
  return options;
}

JwtVerifier verifier_of(JwtOptions options) { return JwtVerifier(at_now(std::move(options))); }

std::string outcome(const JwtVerifier& verifier, std::string_view token) {
  const TokenInspection inspection = verifier.inspect(token);
  CHECK_FALSE(inspection.explanation.empty());
  CHECK(inspection.accepted == !inspection.problem.has_value());
  CHECK(inspection.accepted == inspection.principal.has_value());
  try {
    const Principal principal = verifier.verify(token);
    CHECK(inspection.principal == principal);
    return "ok";
  } catch (const Unauthenticated& error) {
    CHECK(error.code() == ErrorCode::unauthenticated);
    CHECK_FALSE(error.retryable());
    CHECK(std::string(error.what()) == "the token was refused");
    CHECK(inspection.problem == error.reason());
    return std::string(to_string(error.reason()));
  }
}

std::string refused_argument(const std::function<void()>& make) {
  try {
    make();
    return "ok";
  } catch (const InvalidArgument& error) {
    CHECK_FALSE(error.expected().empty());
    return error.argument();
  }
}

}  // namespace accounting::testing
