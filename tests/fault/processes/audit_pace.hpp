// Audit pace: players wait for auditors of other processes where the machine is too slow for both.
// How far those have come shows in a file that grows by a byte with each audit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace accounting::testing {

void note_audit(const std::string& file);

class AuditPace {
 public:
  /// Without a file nobody waits.
  explicit AuditPace(std::string file);

  /// True where there have been fewer audits since the beginning than there should have been.
  [[nodiscard]] bool is_behind() const;

 private:
  [[nodiscard]] std::int64_t audits() const;

  std::string file_;
  std::chrono::steady_clock::time_point began_;
  std::int64_t audits_at_first_;
};

}  // namespace accounting::testing
