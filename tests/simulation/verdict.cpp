// What the caller is to see after failures of the database: the table of docs/architecture.md.
#include "simulation/world.hpp"

namespace accounting::testing {

Verdict verdict_on(const std::vector<Failure>& failures, bool replays, std::int64_t max_attempts,
                   std::chrono::steady_clock::duration connect_timeout) {
  using enum Failure::Kind;
  const auto end_with = [](ErrorCode code, bool retryable, std::size_t reported) {
    return Verdict{Trouble{code, retryable}, reported};
  };
  bool in_doubt = false;
  for (std::size_t index = 0; index < failures.size(); ++index) {
    const auto& [kind, after] = failures[index];
    const std::size_t reported = index + 1;
    if (kind == refused) {
      return end_with(in_doubt ? ErrorCode::outcome_unknown : ErrorCode::store_error, in_doubt,
                      reported);
    }
    in_doubt |= kind == commit_unknown;
    const bool last = static_cast<std::int64_t>(reported) >= max_attempts ||
                      (kind == connection_lost && after > connect_timeout);
    if (in_doubt && (last || !replays)) {
      return end_with(ErrorCode::outcome_unknown, replays, reported);
    }
    if (last) {
      return end_with(kind == connection_lost ? ErrorCode::connection_lost : ErrorCode::store_error,
                      true, reported);
    }
  }
  return {};
}

}  // namespace accounting::testing
