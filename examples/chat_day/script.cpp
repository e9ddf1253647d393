#include "script.hpp"

#include "random.hpp"

#include <algorithm>

namespace chat_day {

namespace {

using std::chrono::microseconds;

// Of the clients that hang up, so many of a million do it without a goodbye.
constexpr std::int64_t vanishing_per_million = 50'000;
constexpr std::int64_t tokens_per_report = 150;
constexpr std::int64_t most_reports = 8;
// No answer takes longer: far less than the time after which a session counts as lost.
constexpr microseconds longest_stream = std::chrono::minutes(4);
// Models remember a conversation's beginning in blocks of so many tokens.
constexpr std::int64_t cache_block = 128;

std::size_t draw_model(Random& random) {
  std::int64_t sum = 0;
  for (const Model& model : models) {
    sum += model.popularity;
  }
  std::int64_t rest = random.below(sum);
  std::size_t index = 0;
  while (rest >= models[index].popularity) {
    rest -= models[index].popularity;
    ++index;
  }
  return index;
}

/// Half of the longer contexts continue a conversation that the model remembers in part.
std::int64_t draw_cached(Random& random, std::int64_t context) {
  const bool continues = random.chance(500'000);
  const std::int64_t share = random.between(30, 90);
  if (!continues || context < 8 * cache_block) {
    return 0;
  }
  return context * share / 100 / cache_block * cache_block;
}

Fate draw_fate(Random& random, std::int64_t aborts_per_million) {
  const bool hangs_up = random.chance(aborts_per_million);
  const bool silently = random.chance(vanishing_per_million);
  if (!hangs_up) {
    return Fate::completes;
  }
  return silently ? Fate::vanishes : Fate::aborts;
}

/// Every turn draws in the same order whatever comes of it, so that another abort share changes
/// who hangs up and nothing else.
Turn draw_turn(const Request& request, const Zipf& zipf, std::int64_t aborts_per_million,
               Random random) {
  Turn turn;
  turn.begins = request.time;
  turn.user = zipf.draw(random);
  turn.model = draw_model(random);
  const std::int64_t cached = draw_cached(random, request.context_tokens);
  turn.cached_input = models[turn.model].by_kind ? cached : 0;
  turn.input = request.context_tokens - turn.cached_input;
  turn.first_token = microseconds(random.between(200'000, 900'000));
  const microseconds per_token(random.between(12'000, 35'000));
  turn.fate = draw_fate(random, aborts_per_million);
  const std::int64_t heard = random.between(5, 95);
  turn.delivered = turn.fate == Fate::completes ? request.generated_tokens
                                                : request.generated_tokens * heard / 100;
  turn.streaming = std::min(per_token * turn.delivered, longest_stream);
  turn.reports = std::clamp(turn.delivered / tokens_per_report, std::int64_t{1}, most_reports);
  return turn;
}

}  // namespace

accounting::Tokens Turn::tokens(std::int64_t generated) const {
  if (models[model].by_kind) {
    return accounting::TokenCounts{
        .input = input, .output = generated, .cached_input = cached_input};
  }
  return input + generated;
}

std::int64_t Turn::generated_by(std::int64_t step) const {
  return delivered * step / (reports + 1);
}

accounting::Timestamp Turn::due(std::int64_t step) const {
  return step == 0 ? begins : begins + first_token + streaming * step / (reports + 1);
}

Script write_script(const std::vector<Request>& trace, std::int64_t users,
                    std::int64_t aborts_per_million, std::uint64_t seed) {
  Script script;
  script.users = users;
  script.first = trace.front().time;
  script.last = trace.back().time;
  script.opening = script.first - std::chrono::hours(4);
  const Zipf zipf(users);
  script.turns.reserve(trace.size());
  for (const Request& request : trace) {
    const Random random(seed, script.turns.size());
    script.turns.push_back(draw_turn(request, zipf, aborts_per_million, random));
    script.mean_context += request.context_tokens;
    script.mean_generated += request.generated_tokens;
  }
  script.mean_context /= std::ssize(trace);
  script.mean_generated /= std::ssize(trace);
  return script;
}

}  // namespace chat_day
