// Queries: what both databases and the reference answer to the same question.
#pragma once

#include "lockstep/lane.hpp"
#include "property/random.hpp"
#include "store/store.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

/// No tokens, in the form of others.
inline Tokens no_tokens_like(const Tokens& tokens) {
  return tokens.by_kind() ? Tokens(TokenCounts{}) : Tokens(0);
}

/// None where its sum has no 64 bits.
std::optional<SystemStats> system_stats_of(const std::vector<UsageRecord>& used,
                                           const store::TimeRange& range);

/// Asks one thing after another, of an account or of all, at instants and with limits by chance.
class Inquirer {
 public:
  Inquirer(const Sequence& sequence, const ReferenceBooks& reference, Random& random,
           std::int64_t& asked)
      : sequence_(sequence), reference_(reference), random_(random), asked_(asked) {}

  /// Through which the next questions are asked, in the order of the sides; and under which policy
  /// and when.
  void ask_through(std::array<SharedContext, 2> contexts, const Policy& policy, Timestamp now);

  /// Each answers what is wrong, if anything is.
  std::optional<std::string> ask_anything();
  std::optional<std::string> ask_everything();

 private:
  static constexpr std::int64_t kinds = 11;

  std::optional<std::string> ask(std::int64_t kind, const std::string& user_id);
  std::optional<std::string> ask_credits(std::int64_t kind, const std::string& user_id);
  std::optional<std::string> ask_usage(std::int64_t kind, const std::string& user_id);
  std::optional<std::string> ask_sessions(std::int64_t kind, const std::string& user_id);
  std::optional<std::string> ask_session(const std::string& user_id, const std::string& session_id);
  std::optional<std::string> ask_prices(std::int64_t kind);
  std::optional<std::string> ask_all_active();

  template <class Ask, class Expect>
  std::optional<std::string> compare(const std::string& question, Ask ask, Expect expect);
  template <class Ask, class Expect>
  std::optional<std::string> compare_account(const std::string& question,
                                             const std::string& user_id, Ask ask, Expect expect);

  std::string any_user();
  Timestamp any_instant();
  store::TimeRange any_range();
  [[nodiscard]] const PricingRule* rule_at(const std::string& model_id, Timestamp at) const;
  [[nodiscard]] std::int64_t price_of(const std::string& model_id, const Tokens& tokens,
                                      Timestamp at) const;

  const Sequence& sequence_;
  const ReferenceBooks& reference_;
  Random& random_;
  std::int64_t& asked_;
  std::array<SharedContext, 2> contexts_;
  const Policy* policy_ = nullptr;
  Timestamp now_;
};

}  // namespace accounting::testing
