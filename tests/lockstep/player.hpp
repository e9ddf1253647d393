// Player: one sequence, played on both databases and on the reference.
#pragma once

#include "lockstep/lane.hpp"
#include "lockstep/queries.hpp"
#include "property/random.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

class Player {
 public:
  Player(const Sequence& sequence, const Sides& sides, ManualClock& clock, Played& played);

  /// What went wrong first, if anything did.
  std::optional<std::string> play();

  void add_usage_to(std::vector<UsageRecord>& used) const;

 private:
  using Contexts = std::array<SharedContext, 2>;
  using Problem = std::optional<std::string>;

  Problem set_up();
  Problem set_price(const PricingRule& rule);
  Problem play_step(const Step& step);
  Problem play_in_transaction(const Step& step);
  Problem play_commands(const Step& step, const Contexts& contexts);
  Problem perform_on_both(const domain::Command& command, const Contexts& contexts,
                          const Policy& policy);
  Problem sweep(std::int64_t limit, const Contexts& contexts, const Policy& policy);
  Problem end_what_is_active();
  [[nodiscard]] std::vector<StreamingSession> active() const;
  [[nodiscard]] Contexts contexts(const Policy& policy) const;
  void note(const domain::Command& command, const domain::Result& result);
  /// What is asked next depends on the occasion only, so that it is asked in a shrunk sequence too.
  void choose_questions(Timestamp now, const std::string& occasion);

  const Sequence& sequence_;
  const Sides& sides_;
  ManualClock& clock_;
  Played& played_;
  ReferenceBooks reference_;
  Random random_;
  Inquirer inquirer_;
};

}  // namespace accounting::testing
