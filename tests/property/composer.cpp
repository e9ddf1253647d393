#include "property/composer.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <utility>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::microseconds;

constexpr Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
constexpr std::array<const char*, 3> users{"ada", "bob", "cy"};
constexpr std::array<const char*, 5> sessions{"s-0", "s-1", "s-2", "s-3", "s-4"};
constexpr std::array<const char*, 5> keys{"k-0", "k-1", "k-2", "k-3", "k-4"};
constexpr std::array<const char*, 3> models{"ruled", "listed", "other"};
constexpr std::array<const char*, 4> services{"chat", "chat-batch", "images", "chatter"};
constexpr std::array<const char*, 16> prices{"1",
                                             "1",
                                             "1",
                                             "1.1",
                                             "1.1",
                                             "0.5",
                                             "0.5",
                                             "0.07",
                                             "2.2",
                                             "3",
                                             "3.3333333333",
                                             "0.25",
                                             "0.0000000001",
                                             "0",
                                             "9999.9999999999",
                                             "1000000000000000"};

}  // namespace

Sequence Composer::compose_world() {
  const auto accounts = static_cast<std::size_t>(random_.chance(60) ? 1 : random_.between(2, 3));
  sequence_.users.assign(users.begin(), users.begin() + static_cast<std::ptrdiff_t>(accounts));
  compose_rules();
  for (std::int64_t left = random_.between(1, 2); left > 0; --left) {
    sequence_.policies.push_back(policy());
  }
  return sequence_;
}

Sequence Composer::compose() {
  compose_world();
  // Short ones mostly: what goes wrong goes wrong early, and more of them can be tried.
  const std::int64_t steps = random_.chance(90) ? random_.between(1, 3) : random_.between(4, 12);
  for (std::int64_t left = steps; left > 0; --left) {
    compose_step();
  }
  return std::move(sequence_);
}

void Composer::compose_rules() {
  const bool ends = random_.chance(30);
  PricingRule rule{.id = 1,
                   .model_id = models[0],
                   .price_per_1k_tokens = random_.pick(prices),
                   .input = own_price(),
                   .output = own_price(),
                   .cached_input = own_price(),
                   .effective_from = start,
                   .effective_to = {},
                   .created_by = "admin"};
  if (ends) {
    rule.effective_to = start + random_.between(1, 40) * 1h;
    instants_.push_back(*rule.effective_to);
  }
  sequence_.rules.push_back(rule);
  if (ends && random_.chance(50)) {
    rule.id = 2;
    rule.price_per_1k_tokens = random_.pick(prices);
    rule.effective_from = *rule.effective_to;
    rule.effective_to.reset();
    sequence_.rules.push_back(rule);
  }
}

std::optional<Price> Composer::own_price() {
  return random_.chance(30) ? std::optional(Price(random_.pick(prices))) : std::nullopt;
}

Policy Composer::policy() {
  static constexpr std::array<std::int64_t, 7> buffers{2'000, 2'000, 2'000, 0, 1, 3'333, 1'000'000};
  static constexpr std::array<std::int64_t, 4> lives{1, 2, 30, 1'000'000};
  static constexpr std::array<microseconds, 3> ttls{1h, 1us, 36h};
  Policy policy;
  policy.buffer = random_.pick(buffers);
  policy.allocation_expiry_days = random_.pick(lives);
  policy.refund = random_.chance(60) ? RefundPolicy::to_source : RefundPolicy::new_allocation;
  policy.refund_expiry_days = random_.pick(lives);
  policy.overage = random_.chance(60) ? OveragePolicy::charge : OveragePolicy::absorb;
  policy.session_ttl = random_.pick(ttls);
  policy.default_prices = {{models[1], Price(random_.pick(prices))}};
  if (random_.chance(60)) {
    policy.fallback_price = Price(random_.pick(prices));
  }
  return policy;
}

void Composer::compose_step() {
  Step step;
  step.now = sequence_.steps.empty() ? start : next_instant();
  now_ = step.now;
  step.policy = static_cast<std::size_t>(random_.next() % sequence_.policies.size());
  step.prefix = random_.between(1, 3);
  const auto count = random_.chance(50) ? random_.between(1, 2) : random_.between(3, 8);
  for (std::int64_t left = count; left > 0; --left) {
    step.commands.push_back(command(sequence_.policies[step.policy]));
  }
  sequence_.steps.push_back(std::move(step));
}

Timestamp Composer::next_instant() {
  const std::int64_t kind = random_.between(1, 100);
  if (kind <= 25) {
    return now_;
  }
  if (kind <= 60 && !instants_.empty()) {
    const std::int64_t offset = random_.between(-1, 4);
    return random_.pick(instants_) + microseconds(offset > 1 ? 0 : offset);
  }
  if (kind <= 92) {
    return now_ + (random_.chance(20) ? microseconds(1) : random_.between(1, 40) * 1h);
  }
  return now_ - random_.between(1, 30) * 1h;
}

domain::Command Composer::command(const Policy& policy) {
  if (!issued_.empty() && random_.chance(12)) {
    return random_.pick(issued_);
  }
  domain::Command made;
  made.user_id = random_.chance(2)    ? "nobody"
                 : random_.chance(70) ? sequence_.users.front()
                                      : random_.pick(sequence_.users);
  made.actor = random_.chance(80) ? "host" : "admin";
  made.action = action(policy);
  const bool takes_key =
      made.action.index() <= 3 || std::holds_alternative<domain::Extend>(made.action);
  if (takes_key && random_.chance(20)) {
    made.key = {.key = random_.pick(keys), .fingerprint = text_of(made.action)};
  }
  issued_.push_back(made);
  return made;
}

domain::Action Composer::action(const Policy& policy) {
  const std::int64_t kind = issued_.empty() ? 1 : random_.between(1, 100);
  if (kind <= 22) {
    allocated_ += 1;
    return allocate(policy);
  }
  if (kind <= 32) {
    return domain::Deduct{.credits = credits()};
  }
  if (kind <= 39) {
    return domain::ChargeUsage{.usage = usage()};
  }
  if (kind <= 42) {
    return domain::RecordUsage{.usage = usage()};
  }
  if (kind <= 48) {
    return domain::Revoke{.allocation_id = random_.between(1, allocated_ + 1),
                          .revoked_by = random_.chance(80) ? "admin" : "root"};
  }
  return session_action(kind, policy);
}

domain::Action Composer::session_action(std::int64_t kind, const Policy& policy) {
  const bool begins = kind <= 64 || begun_.empty();
  const std::string session_id =
      begins || random_.chance(5) ? random_.pick(sessions) : random_.pick(begun_);
  const bool by_kind = (session_id.back() % 2 == 1) != random_.chance(3);
  if (begins) {
    begun_.push_back(session_id);
    instants_.push_back(now_ + policy.session_ttl);
    return domain::Initialize{session_id, random_.pick(models), tokens(by_kind)};
  }
  if (kind <= 71) {
    instants_.push_back(now_ + policy.session_ttl);
    return domain::Report{session_id, tokens(by_kind)};
  }
  if (kind <= 78) {
    instants_.push_back(now_ + policy.session_ttl);
    return domain::Extend{session_id, tokens(by_kind)};
  }
  if (kind <= 88) {
    return domain::Finalize{session_id, tokens(by_kind), random_.chance(80)};
  }
  if (kind <= 93) {
    return domain::Abort{session_id, tokens(by_kind)};
  }
  return domain::Expire{session_id};
}

domain::Allocate Composer::allocate(const Policy& policy) {
  domain::Allocate request{.credits = random_.chance(3) ? 1'000'000'000'000'000 : credits(),
                           .allocated_by = "admin",
                           .expiry_days = {},
                           .expires_at = {},
                           .never_expires = false,
                           .effective_at = {},
                           .notes = random_.chance(10) ? "a gift" : ""};
  if (random_.chance(15)) {
    request.effective_at = now_ + random_.between(-30, 30) * 1h;
    instants_.push_back(*request.effective_at);
  }
  switch (random_.between(1, 4)) {
    case 1:
      request.expiry_days = random_.between(1, 3);
      instants_.push_back(now_ + days(*request.expiry_days));
      break;
    case 2:
      request.expires_at = now_ + random_.between(-1, 30) * 1h;
      instants_.push_back(*request.expires_at);
      break;
    case 3:
      request.never_expires = true;
      break;
    default:
      if (policy.allocation_expiry_days < 100) {
        instants_.push_back(now_ + days(policy.allocation_expiry_days));
      }
  }
  return request;
}

domain::UsageDetails Composer::usage() {
  return {.service = random_.pick(services),
          .operation = random_.chance(70) ? "m" : "n",
          .credits = credits(),
          .metadata = random_.chance(20) ? std::optional<std::string>(R"({"n":1})") : std::nullopt};
}

std::int64_t Composer::number() {
  const std::int64_t kind = random_.between(1, 100);
  if (kind <= 10) {
    return 0;
  }
  if (kind <= 30) {
    return random_.between(1, 12) * 1'000;
  }
  return kind <= 96 ? random_.between(1, 12'000) : random_.between(1, 1'000'000'000'000);
}

Tokens Composer::tokens(bool by_kind) {
  if (by_kind) {
    return TokenCounts{.input = number(), .output = number(), .cached_input = number()};
  }
  return number();
}

Sequence random_sequence(std::uint64_t seed) { return Composer(seed).compose(); }

}  // namespace accounting::testing
