// Composer: commands, prices and policies made from a seed, such that they have to do with each
// other.
#pragma once

#include "property/random.hpp"
#include "property/sequence.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

/// Remembers what it asked for, so that it can ask again, and the instants at which something ends,
/// so that it can stop the clock there.
class Composer {
 public:
  explicit Composer(std::uint64_t seed) : random_(seed) { sequence_.seed = seed; }

  Sequence compose();

  /// Accounts, prices and policies of a sequence that has no steps yet.
  Sequence compose_world();
  domain::Command command(const Policy& policy);
  /// Forwards, not at all, back, or to the very instant at which something ends, or just before.
  Timestamp next_instant();
  void set_now(Timestamp now) { now_ = now; }
  [[nodiscard]] Timestamp now() const { return now_; }

 private:
  void compose_rules();
  std::optional<Price> own_price();
  Policy policy();
  void compose_step();
  domain::Action action(const Policy& policy);
  domain::Action session_action(std::int64_t kind, const Policy& policy);
  domain::Allocate allocate(const Policy& policy);
  std::int64_t credits() { return random_.between(1, random_.chance(40) ? 8 : 60); }
  domain::UsageDetails usage();
  std::int64_t number();
  Tokens tokens(bool by_kind);

  Random random_;
  Sequence sequence_;
  Timestamp now_ = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
  std::vector<Timestamp> instants_;
  std::vector<domain::Command> issued_;
  std::vector<std::string> begun_;
  std::int64_t allocated_ = 0;
};

}  // namespace accounting::testing
