// The services and the engine over a simulated database: whole histories from a seed, with
// failures, deaths, clock jumps and other callers in between, against the plain reference.
//   ACCOUNTING_SIMULATION_SECONDS=n  how long (a minute; twenty with ACCOUNTING_TEST_LONG=1)
//   ACCOUNTING_TEST_SEED=n           starts with that seed: history i of a run has the seed n + i
#include "simulation/shrink_history.hpp"
#include "simulation/world.hpp"
#include "support/long_run.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <iomanip>
#include <set>
#include <sstream>
#include <string>

namespace accounting::testing {
namespace {

std::chrono::seconds duration() {
  return std::chrono::seconds(setting("ACCOUNTING_SIMULATION_SECONDS",
                                      short_or_long_sequences<std::uint64_t>(60, 20 * 60)));
}

/// What happened, by the point at which it did.
std::string table_of_mishaps(const Tally& tally) {
  std::ostringstream out;
  const auto begin_line = [&](std::string_view first) {
    out << "\n  " << std::left << std::setw(45) << first << std::right;
  };
  begin_line("");
  for (std::size_t point = 0; point < points; ++point) {
    out << std::setw(9) << name_of(static_cast<Point>(point));
  }
  begin_line("come to");
  for (const std::int64_t met : tally.points_met) {
    out << std::setw(9) << met;
  }
  for (std::size_t kind = 0; kind < mishap_kinds; ++kind) {
    begin_line(name_of(static_cast<MishapKind>(kind)));
    for (std::size_t point = 0; point < points; ++point) {
      const bool can = can_happen(static_cast<Point>(point), static_cast<MishapKind>(kind));
      out << std::setw(9) << (can ? std::to_string(tally.mishaps[point][kind]) : "-");
    }
  }
  return out.str();
}

std::string census(const Tally& tally) {
  std::ostringstream out;
  out << table_of_mishaps(tally) << "\n ";
  for (std::size_t index = 0; index < tally.deeds.size(); ++index) {
    out << (index == 0 ? " " : ", ") << name_of_deed(index) << " " << tally.deeds[index];
  }
  out << "\n  acknowledged " << tally.acknowledged << ", refused " << tally.refusals
      << ", in doubt and there " << tally.unknown_applied << ", in doubt and not there "
      << tally.unknown_dropped << ", settled later " << tally.settled_later << ", lock timeouts "
      << tally.lock_timeouts << ", left out " << tally.left_out << ", halved " << tally.halved
      << ", from memory " << tally.from_memory << ", too late " << tally.memory_outdated;
  for (const auto& [code, times] : tally.troubles) {
    out << ", " << to_string(code) << " " << times;
  }
  return out.str();
}

/// What a run of this length cannot have missed, unless it tests nothing.
void check_tally(const Tally& tally) {
  const auto often_enough = [&](std::int64_t times) { return times >= tally.runs / 100 + 1; };
  // Each by itself is rarer, of the rarest one in seventy runs: a short run may miss it.
  const auto often_enough_there = [&](std::int64_t times) {
    return tally.runs < 1'000 || times >= tally.runs / 500 + 1;
  };
  for (std::size_t index = 0; index < points; ++index) {
    const auto point = static_cast<Point>(index);
    INFO(name_of(point), ": ", tally.points_met[index]);
    CHECK(often_enough(tally.points_met[index]));
    for (std::size_t each = 0; each < mishap_kinds; ++each) {
      const auto kind = static_cast<MishapKind>(each);
      const std::int64_t times = tally.mishaps[index][each];
      INFO(name_of(kind), ": ", times);
      CHECK((can_happen(point, kind) ? often_enough_there(times) : times == 0));
    }
  }
  for (std::size_t index = 0; index < tally.deeds.size(); ++index) {
    INFO(name_of_deed(index), ": ", tally.deeds[index]);
    CHECK(often_enough(tally.deeds[index]));
  }
  for (const std::int64_t times :
       {tally.acknowledged, tally.refusals, tally.unknown_applied, tally.unknown_dropped,
        tally.settled_later, tally.lock_timeouts, tally.left_out, tally.halved, tally.from_memory,
        tally.memory_outdated}) {
    CHECK(often_enough(times));
  }
  for (const ErrorCode code :
       {ErrorCode::store_error, ErrorCode::connection_lost, ErrorCode::outcome_unknown}) {
    CHECK(often_enough(tally.troubles.contains(code) ? tally.troubles.at(code) : 0));
  }
  for (std::size_t index = 0; index < tally.census.events.size(); ++index) {
    INFO(name_of(static_cast<Event>(index)), ": ", tally.census.events[index]);
    CHECK(tally.census.events[index] > 0);
  }
}

/// The history that fails first, within so many.
std::optional<History> first_failure(std::uint64_t seed, std::uint64_t count, StoreBug bug,
                                     Tally& tally) {
  for (std::uint64_t each = seed; each != seed + count; ++each) {
    History history = random_history(each);
    if (World(history, tally, bug).play()) {
      return history;
    }
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("nothing is lost in a simulated world in which everything goes wrong") {
  const std::uint64_t seed = first_seed();
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + duration();
  Tally tally;
  std::uint64_t next = seed;
  while (std::chrono::steady_clock::now() < end) {
    const History history = random_history(next);
    if (World(history, tally).play()) {
      FAIL(explain_failure(history, StoreBug::none), "\nfound in step ", tally.steps);
    }
    next += 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  MESSAGE("seeds ", seed, " to ", next - 1, ": ", tally.runs, " runs, ", tally.steps, " steps, ",
          static_cast<std::int64_t>(static_cast<double>(tally.steps) / took.count() * 60.0),
          " steps a minute", census(tally));
  check_tally(tally);
}

TEST_CASE("the same seed is the same history, call by call") {
  const auto played = [](std::uint64_t seed) {
    Tally tally;
    std::string log;
    World(random_history(seed), tally, StoreBug::none, &log).play();
    return log;
  };
  std::set<std::string> logs;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::string once = played(seed);
    CHECK(!once.empty());
    CHECK(once == played(seed));
    logs.insert(once);
  }
  CHECK(logs.size() == 50);
}

TEST_CASE("a store that loses something is found out, and the history shrunk") {
  for (const StoreBug bug :
       {StoreBug::forgets_to_roll_back, StoreBug::takes_twice, StoreBug::ignores_locks,
        StoreBug::loses_commits, StoreBug::shows_uncommitted, StoreBug::forgets_conditions,
        StoreBug::forgets_progress, StoreBug::forgets_rules}) {
    CAPTURE(static_cast<int>(bug));
    Tally tally;
    const std::optional<History> history = first_failure(1, 2'000, bug, tally);
    REQUIRE(history);
    const History smallest = shrink(*history, bug);
    MESSAGE("store bug ", static_cast<int>(bug), ": found after ", tally.runs, " runs, ",
            tally.steps, " steps; ", size_of(history->turns), " events and mishaps shrunk to ",
            size_of(smallest.turns));
    CHECK(size_of(smallest.turns) <= 12);
    Tally again;
    CHECK(World(smallest, again, bug).play().has_value());
    CHECK_FALSE(World(smallest, again).play().has_value());
  }
}

}  // namespace accounting::testing
