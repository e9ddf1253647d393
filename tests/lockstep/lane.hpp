// Lane: SQLite in memory and PostgreSQL side by side, under one clock. Sequences are played on it
// one after another, each under names of its own, against the reference.
#pragma once

#include "property/reference_books.hpp"
#include "property/requests.hpp"
#include "property/sequence.hpp"
#include "services/context.hpp"
#include "store/store.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

/// What was played.
struct Played {
  std::int64_t sequences = 0;
  std::int64_t operations = 0;  ///< on each database
  std::int64_t refused = 0;     ///< of these
  std::int64_t queries = 0;     ///< on each database
  std::int64_t committed = 0;   ///< transactions of several operations
  std::int64_t rolled_back = 0;
  std::int64_t swept = 0;  ///< sessions that a sweep ended
  Census census;

  void add(const Played& other);
};

/// One database, opened once. Its services take the policies of each sequence, which books opened
/// by a host have from their options.
class Side {
 public:
  Side(std::string name, const std::string& url, std::shared_ptr<ManualClock> clock);

  /// The services' books under a policy.
  [[nodiscard]] std::shared_ptr<services::Books> books(const Policy& policy) const;
  [[nodiscard]] SharedContext context(const Policy& policy) const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  Options options_;
  std::shared_ptr<store::Store> store_;
};

using Sides = std::array<Side, 2>;

class Lane {
 public:
  /// On an empty schema of PostgreSQL's.
  explicit Lane(const std::string& postgresql_url);

  /// What went wrong first: a reply or a query that the other database or the reference does not
  /// give.
  std::optional<std::string> play(const Sequence& sequence, Played& played);

  /// Whether the books of both balance, and what everybody used is what the reference says.
  std::vector<std::string> check_all();

 private:
  /// Ends what a sequence that failed has left active.
  void tidy_up();
  std::vector<std::string> check_statistics();

  std::shared_ptr<ManualClock> clock_;
  Sides sides_;
  std::int64_t number_ = 0;
  std::vector<UsageRecord> used_;  ///< by all sequences, as the reference has it
};

}  // namespace accounting::testing
