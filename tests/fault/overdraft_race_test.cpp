// The overdraft race: many threads, and credits for only some of their calls. Exactly as many
// succeed as there are credits, whoever they are.
#include "property/random.hpp"
#include "support/books.hpp"
#include "support/long_run.hpp"

#include <atomic>

namespace accounting::testing {
namespace {

constexpr int kThreads = 64;

/// Everything costs one credit: no buffer, and one credit for a token.
Policy without_buffer() {
  Policy policy;
  policy.buffer = 0;
  return policy;
}

struct Race {
  std::string user_id;
  std::int64_t credits = 0;
  int tries_each = 0;
  std::atomic<int> charged = 0;
  std::atomic<int> deducted = 0;
  std::atomic<int> held = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> failed = 0;
  std::atomic<int> looks = 0;
  std::atomic<int> wrong_looks = 0;
  std::atomic<bool> over = false;
};

/// Gives the credits in a few allocations of different sizes and lives.
void give_in_parts(Books& books, Race& race, Random& random) {
  books.account(race.user_id);
  for (std::int64_t left = race.credits; left > 0;) {
    const std::int64_t part = std::min(left, random.between(1, race.credits / 2));
    books.give(race.user_id, part, random.between(1, 60));
    left -= part;
  }
}

void try_once(Books& books, Race& race, Random& random, const std::string& name) {
  try {
    switch (random.between(0, 2)) {
      case 0:
        books.credits().charge({race.user_id, "chat", "m", 1});
        ++race.charged;
        break;
      case 1:
        books.credits().deduct({race.user_id, 1});
        ++race.deducted;
        break;
      default:
        books.sessions().initialize({name, race.user_id, "m", 1});
        ++race.held;
    }
  } catch (const InsufficientCredits& error) {
    ++race.refused;
    race.wrong_looks += error.required() == 1 && error.available() == 0 ? 0 : 1;
  } catch (const AccountingError&) {
    ++race.failed;
  }
}

/// What somebody who looks on sees: never below zero, and never more than before.
void look_on(Books& books, Race& race) {
  std::int64_t before = race.credits;
  while (!race.over) {
    const std::int64_t now = books.balance(race.user_id);
    race.wrong_looks += now >= 0 && now <= before ? 0 : 1;
    before = now;
    ++race.looks;
  }
}

void run(Books& books, Race& race, std::uint64_t seed) {
  std::atomic<int> at_work = kThreads;
  in_threads(kThreads + 1, [&](int thread) {
    if (thread == kThreads) {
      look_on(books, race);
      return;
    }
    Random random(seed * 1'000 + static_cast<std::uint64_t>(thread));
    for (int time = 0; time < race.tries_each; ++time) {
      const std::string name = std::to_string(thread) + "-" + std::to_string(time);
      try_once(books, race, random, name);
    }
    race.over = --at_work == 0;
  });
}

void check(Books& books, const Race& race, std::uint64_t seed) {
  MESSAGE("seed " << seed << ": " << kThreads * race.tries_each << " tries for " << race.credits
                  << " credits: " << race.charged.load() << " charged, " << race.deducted.load()
                  << " deducted, " << race.held.load() << " held, " << race.refused.load()
                  << " refused, " << race.failed.load() << " failed, " << race.looks.load()
                  << " looks");
  CHECK(race.charged + race.deducted + race.held == race.credits);
  CHECK(race.refused.load() == kThreads * race.tries_each - race.credits);
  CHECK(race.failed.load() == 0);
  CHECK(race.wrong_looks.load() == 0);
  CHECK(race.looks.load() > 0);
  CHECK(books.balance(race.user_id) == 0);
  CHECK(books.held(race.user_id) == race.held.load());
  CHECK(books.usage().user_stats({race.user_id}).total_records == race.charged.load());
}

}  // namespace

TEST_SUITE("overdraft race") {
  TEST_CASE("of more calls than credits exactly as many succeed as there are credits") {
    const std::uint64_t seeds = short_or_long(2, 20);
    const int tries_each = short_or_long(8, 160);
    const Setup setup{.policy = without_buffer(), .pool_size = 8};
    for_databases({Database::sqlite_file, Database::postgresql}, setup, [&](Books& books) {
      books.price("m", "1000");
      for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        Race race;
        race.user_id = "u" + std::to_string(seed);
        race.tries_each = tries_each;
        const std::int64_t tries = std::int64_t{kThreads} * tries_each;
        race.credits = random.between(tries / 10, tries / 2);
        give_in_parts(books, race, random);
        run(books, race, seed);
        check(books, race, seed);
      }
    });
  }
}

}  // namespace accounting::testing
