#include "lockstep/lane.hpp"

#include "lockstep/long_sequence.hpp"
#include "lockstep/player.hpp"
#include "lockstep/queries.hpp"
#include "property/random.hpp"
#include "services/verify.hpp"
#include "sql/sql_store.hpp"
#include "support/books.hpp"

#include <exception>
#include <utility>

namespace accounting::testing {
namespace {

/// An end that costs nothing is never refused.
void end_all_active(const Side& side) {
  const SharedContext context = side.context({});
  for (const StreamingSession& session : Sessions(context).all_active()) {
    Sessions(context).finalize({.session_id = session.session_id,
                                .user_id = session.user_id,
                                .actual_tokens = no_tokens_like(session.estimated_tokens)});
  }
}

}  // namespace

void Played::add(const Played& other) {
  sequences += other.sequences;
  operations += other.operations;
  refused += other.refused;
  queries += other.queries;
  committed += other.committed;
  rolled_back += other.rolled_back;
  swept += other.swept;
  for (std::size_t index = 0; index < census.events.size(); ++index) {
    census.events[index] += other.census.events[index];
  }
  for (const auto& [reply, times] : other.census.replies) {
    census.replies[reply] += times;
  }
}

Side::Side(std::string name, const std::string& url, std::shared_ptr<ManualClock> clock)
    : name_(std::move(name)) {
  options_.database = url;
  options_.clock = std::move(clock);
  store_ = sql::open_store(options_);
  store_->migrate(options_.clock->now());
}

std::shared_ptr<services::Books> Side::books(const Policy& policy) const {
  Options options = options_;
  options.policy = policy;
  auto books = std::make_shared<services::Books>(store_, std::move(options));
  books->schema_is_ready();
  return books;
}

SharedContext Side::context(const Policy& policy) const {
  return std::make_shared<const services::Context>(books(policy));
}

Lane::Lane(const std::string& postgresql_url)
    : clock_(std::make_shared<ManualClock>(kStart)),
      sides_{Side("SQLite", "sqlite://", clock_), Side("PostgreSQL", postgresql_url, clock_)} {}

std::optional<std::string> Lane::play(const Sequence& sequence, Played& played) {
  number_ += 1;
  const Sequence own = with_own_names(sequence, "." + std::to_string(number_));
  std::optional<std::string> problem;
  try {
    Player player(own, sides_, *clock_, played);
    problem = player.play();
    if (!problem) {
      player.add_usage_to(used_);
    }
  } catch (const std::exception& error) {
    problem = std::string("thrown: ") + error.what();
  }
  if (problem) {
    tidy_up();
  }
  return problem;
}

void Lane::tidy_up() {
  for (const Side& side : sides_) {
    try {
      end_all_active(side);
    } catch (const std::exception&) {
      // Something is wrong already, and this may be it.
    }
  }
}

std::vector<std::string> Lane::check_all() {
  std::vector<std::string> problems = check_statistics();
  std::vector<VerifyReport> reports;
  for (const Side& side : sides_) {
    reports.push_back(services::verify(*side.context({})));
    for (const Problem& found : reports.back().problems) {
      problems.push_back(side.name() + ": " + found.invariant + " of " + found.user_id + ": " +
                         found.detail);
    }
  }
  if (reports.front() != reports.back()) {
    problems.emplace_back("verify does not look at the same on both");
  }
  return problems;
}

std::vector<std::string> Lane::check_statistics() {
  std::vector<std::string> problems;
  Random random(static_cast<std::uint64_t>(number_));
  const auto instant = [&] {
    return kStart + random.between(0, 72) * 1h + std::chrono::microseconds(random.between(0, 1));
  };
  for (int tried = 0; tried < 12; ++tried) {
    const Timestamp start = instant();
    const store::TimeRange range{.start = start, .end = start + random.between(0, 72) * 1h};
    const std::optional<SystemStats> expected = system_stats_of(used_, range);
    for (const Side& side : sides_) {
      if (!expected) {
        continue;  // more than 2^63 credits, which is refused
      }
      const SystemStats found =
          Usage(side.context({})).system_stats({.start = range.start, .end = range.end});
      if (found != *expected) {
        problems.push_back(side.name() + ": system_stats from " + since(range.start) + " to " +
                           since(range.end) + ": " + std::to_string(found.total_records) +
                           " records, " + std::to_string(found.total_credits) +
                           " credits; expected " + std::to_string(expected->total_records) + ", " +
                           std::to_string(expected->total_credits));
      }
    }
  }
  return problems;
}

}  // namespace accounting::testing
