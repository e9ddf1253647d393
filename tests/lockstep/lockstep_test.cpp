// Sequences of up to 50 operations through the services, on SQLite in memory and on PostgreSQL at
// once, against the plain reference: every reply and every query.
//   ACCOUNTING_TEST_SEED=n        starts with that seed: sequence i of a run has the seed n + i
//   ACCOUNTING_TEST_LONG=1        plays 10,000
//   ACCOUNTING_LOCKSTEP_COUNT=n   plays that many
#include "lockstep/lane.hpp"
#include "lockstep/long_sequence.hpp"
#include "property/play.hpp"
#include "support/books.hpp"
#include "support/databases.hpp"
#include "support/long_run.hpp"

#include <atomic>
#include <mutex>
#include <sstream>
#include <string>

namespace accounting::testing {
namespace {

/// Each plays in a thread and on databases of its own: the commits of some are waited for while
/// others decide.
constexpr int lanes = 4;

/// The sequence that failed first.
struct Failure {
  std::uint64_t seed = 0;
  std::string problem;
};

class Run {
 public:
  Run(std::uint64_t seed, std::uint64_t count) : next_(seed), end_(seed + count) {}

  /// One lane's part.
  void play(const std::string& server_url) {
    const FreshSchema schema(server_url);
    Lane lane(schema.url());
    Played played;
    for (std::uint64_t seed = next_++; seed < end_ && !stop_; seed = next_++) {
      if (const auto problem = lane.play(long_sequence(seed), played)) {
        fail({.seed = seed, .problem = *problem});
      }
    }
    const std::vector<std::string> problems = lane.check_all();
    const std::lock_guard lock(mutex_);
    all_.add(played);
    problems_.insert(problems_.end(), problems.begin(), problems.end());
  }

  [[nodiscard]] const Played& played() const { return all_; }
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  void fail(Failure failure) {
    stop_ = true;
    const std::lock_guard lock(mutex_);
    if (!failure_ || failure.seed < failure_->seed) {
      failure_ = std::move(failure);
    }
  }

  std::atomic<std::uint64_t> next_;
  std::uint64_t end_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  Played all_;
  std::optional<Failure> failure_;
  std::vector<std::string> problems_;
};

/// The failed sequence, made smaller on databases of its own.
std::string explain(const Failure& failure, const std::string& server_url) {
  const FreshSchema schema(server_url);
  Lane lane(schema.url());
  Played ignored;
  const Sequence whole = long_sequence(failure.seed);
  const auto play = [&](const Sequence& tried) { return lane.play(tried, ignored); };
  const Sequence smallest =
      shrink(whole, [&](const Sequence& tried) { return play(tried).has_value(); });
  return "ACCOUNTING_TEST_SEED=" + std::to_string(failure.seed) + " fails: " + failure.problem +
         "\n\nThe smallest part of it that fails, " + std::to_string(size_of(smallest)) + " of " +
         std::to_string(size_of(whole)) +
         " operations: " + play(smallest).value_or("nothing, a second time") + "\n" +
         text_of(smallest);
}

std::string census(const Played& played) {
  std::ostringstream out;
  out << played.sequences << " sequences, " << played.operations << " operations on each database, "
      << played.refused << " of them refused, " << played.queries << " queries, "
      << played.committed << " transactions committed, " << played.rolled_back << " rolled back, "
      << played.swept << " sessions swept";
  for (std::size_t index = 0; index < played.census.events.size(); ++index) {
    out << "\n  " << name_of(static_cast<Event>(index)) << ": " << played.census.events[index];
  }
  return out.str();
}

/// What a run of this length cannot have missed, unless it tests nothing.
void check_census(const Played& played) {
  for (std::size_t index = 0; index < played.census.events.size(); ++index) {
    const auto event = static_cast<Event>(index);
    INFO(name_of(event), ": ", played.census.events[index]);
    // Services do not tell when they load more, and expire what is stale only.
    const bool never = event == Event::loaded_again || event == Event::not_stale;
    CHECK((never || played.census.events[index] > 0));
  }
  CHECK(played.committed > 0);
  CHECK(played.rolled_back > 0);
  CHECK(played.swept > 0);
}

}  // namespace

TEST_CASE("both databases answer as the reference does, operation by operation") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  const std::uint64_t seed = first_seed();
  const std::uint64_t count =
      setting("ACCOUNTING_LOCKSTEP_COUNT", short_or_long_sequences<std::uint64_t>(200, 10'000));
  MESSAGE("ACCOUNTING_TEST_SEED=", seed, ", ", count, " sequences");
  Run run(seed, count);
  in_threads(lanes, [&](int) { run.play(*server); });
  if (run.failure()) {
    FAIL(explain(*run.failure(), *server));
  }
  MESSAGE(census(run.played()));
  for (const std::string& problem : run.problems()) {
    FAIL_CHECK(problem);
  }
  CHECK(run.played().sequences == static_cast<std::int64_t>(count));
  CHECK(run.played().operations > 0);
  CHECK(run.played().queries >= run.played().operations);  // books are asked after each
  if (count >= 100) {
    check_census(run.played());
  }
}

}  // namespace accounting::testing
