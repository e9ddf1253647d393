// Random batches of commands over the ledger, against a reference that shares no code with it.
//   ACCOUNTING_TEST_SEED=n   starts with that seed: sequence i of a run has the seed n + i
//   ACCOUNTING_TEST_LONG=1   plays fifty times as many sequences
#include "property/play.hpp"
#include "support/long_run.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace accounting::testing {
namespace {

void fail_with(const Sequence& sequence, const std::string& problem) {
  Census ignored;
  const Sequence smallest =
      shrink(sequence, [&](const Sequence& tried) { return play(tried, ignored).has_value(); });
  FAIL("ACCOUNTING_TEST_SEED=", sequence.seed, " fails: ", problem, "\n\nThe smallest part of it ",
       "that fails: ", play(smallest, ignored).value_or("nothing"), "\n", text_of(smallest),
       "\nThe whole:\n", text_of(sequence));
}

/// What a run of this length cannot have missed, unless it tests nothing.
void check_census(const Census& census) {
  for (std::size_t index = 0; index < census.events.size(); ++index) {
    INFO(name_of(static_cast<Event>(index)), ": ", census.events[index]);
    CHECK(census.events[index] >= 100);
  }
  std::set<std::size_t> answered;
  std::set<int> codes;
  for (const auto& [reply, times] : census.replies) {
    codes.insert(reply.second);
    if (reply.second < 0) {
      answered.insert(reply.first);
    }
  }
  CHECK(answered.size() == std::variant_size_v<domain::Action>);
  for (const ErrorCode code :
       {ErrorCode::invalid_argument, ErrorCode::not_found, ErrorCode::conflict,
        ErrorCode::insufficient_credits, ErrorCode::price_not_found, ErrorCode::session_closed}) {
    INFO(to_string(code));
    CHECK(codes.contains(static_cast<int>(code)));
  }
}

}  // namespace

TEST_CASE("the ledger does what the reference says, and the books balance after every batch") {
  const std::uint64_t seed = first_seed();
  const std::uint64_t last = seed + short_or_long_sequences(40'000, 2'000'000);
  MESSAGE("ACCOUNTING_TEST_SEED=", seed, ", ", last - seed, " sequences");
  Census census;
  for (std::uint64_t each = seed; each != last; ++each) {
    const Sequence sequence = random_sequence(each);
    if (const auto problem = play(sequence, census)) {
      fail_with(sequence, *problem);
    }
  }
  check_census(census);
}

}  // namespace accounting::testing
