// The end of a session, asked for by 32 threads at once in two ways: one way wins, everybody who
// asked for it hears the same answer, everybody else that the session has ended.
#include "support/books.hpp"
#include "support/long_run.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

namespace accounting::testing {
namespace {

using std::chrono::steady_clock;

constexpr int kThreads = 32;

/// Ways to end a session, all of which cost something else.
enum class Way { finalize_30, finalize_50, abort_10, abort_20, expire };

struct Pair {
  const char* name;
  Way first;
  Way second;
  /// How late one of the ways comes at most, where one has more to do than the other; and up to
  /// sixteen times that, since machines differ.
  std::chrono::microseconds stagger = {};
};

constexpr std::array<Pair, 5> kPairs = {{
    {"finalize twice, alike", Way::finalize_30, Way::finalize_30},
    {"finalize twice, differently", Way::finalize_30, Way::finalize_50},
    {"finalize and abort", Way::finalize_30, Way::abort_10},
    {"abort twice", Way::abort_10, Way::abort_20},
    {"finalize and expire", Way::finalize_30, Way::expire, 3ms},
}};

std::string text_of(const Settlement& settlement) {
  std::ostringstream text;
  text << settlement;
  return text.str();
}

/// Asks for the end; answers what was said about the session.
std::string ask(Books& books, const std::string& session, Way way) {
  Sessions sessions = books.sessions();
  try {
    switch (way) {
      case Way::finalize_30:
        return text_of(sessions.finalize({session, "ada", 30}));
      case Way::finalize_50:
        return text_of(sessions.finalize({session, "ada", 50}));
      case Way::abort_10:
        return text_of(sessions.abort({session, "ada", 10}));
      case Way::abort_20:
        return text_of(sessions.abort({session, "ada", 20}));
      case Way::expire:
        for (const Settlement& settlement : sessions.expire_stale()) {
          return text_of(settlement);
        }
        return "nothing to expire";
    }
  } catch (const AccountingError& error) {
    return describe(error);
  }
  return "";
}

/// What each way was answered, over all threads, and when it was first asked and answered.
struct Answers {
  std::mutex mutex;
  std::array<std::set<std::string>, 2> of_way;
  std::array<steady_clock::time_point, 2> began = {steady_clock::time_point::max(),
                                                   steady_clock::time_point::max()};
  std::array<steady_clock::time_point, 2> ended = began;

  void add(std::size_t way, steady_clock::time_point asked, std::string answer) {
    const auto now = steady_clock::now();
    const std::lock_guard lock(mutex);
    of_way[way].insert(std::move(answer));
    began[way] = std::min(began[way], asked);
    ended[way] = std::min(ended[way], now);
  }
  /// Whether the other way was under way before the winner had its first answer.
  [[nodiscard]] bool contested(std::size_t winner) const {
    return began[1 - winner] < ended[winner];
  }
};

bool is_a_settlement(const std::set<std::string>& answers) {
  return std::any_of(answers.begin(), answers.end(),
                     [](const std::string& answer) { return answer.starts_with("ada/"); });
}

/// How a round begins: who of the threads runs first is not by chance, so that the ways take turns
/// at it, and at being late.
struct Start {
  std::size_t late_way;
  std::chrono::microseconds late_by;
};

struct Result {
  std::size_t winner;
  bool contested;
};

/// One round; answers which way won.
Result play(Books& books, const Pair& pair, const std::string& session, const Start& start) {
  const std::int64_t balance = books.balance("ada");
  books.sessions().initialize({session, "ada", "m", 40});
  books.sessions().report({session, "ada", 20});
  books.advance(2h);
  const std::size_t usage = books.usage().user_stats({"ada"}).total_records;
  Answers answers;
  in_threads(kThreads, [&](int thread) {
    const std::size_t way = (static_cast<std::size_t>(thread) + start.late_way) % 2;
    if (way == start.late_way) {
      std::this_thread::sleep_for(start.late_by);
    }
    const auto asked = steady_clock::now();
    answers.add(way, asked, ask(books, session, way == 0 ? pair.first : pair.second));
  });
  const auto& [first, second] = answers.of_way;
  const bool first_won = is_a_settlement(first);
  CAPTURE(first);
  CAPTURE(second);
  if (pair.first == pair.second) {
    CHECK((first == second && first.size() == 1 && first_won));
  } else {
    const auto& won = first_won ? first : second;
    const auto& lost = first_won ? second : first;
    CHECK(first_won != is_a_settlement(second));
    const bool sweeps = pair.second == Way::expire;
    // A sweep answers a settlement to the one who made it, and to the others nothing.
    const std::set<std::string> nothing = {"nothing to expire"};
    const std::set<std::string> closed = {"session_closed"};
    CHECK(lost == (sweeps && first_won ? nothing : closed));
    CHECK(won.size() == (sweeps && !first_won ? 2 : 1));
  }
  const Settlement settled = [&] {
    const StreamingSession ended = books.sessions().get({session, "ada"});
    return Settlement{.status = ended.status, .actual_credits = ended.used_credits};
  }();
  CHECK(settled.status != SessionStatus::active);
  CHECK(books.usage().user_stats({"ada"}).total_records == static_cast<std::int64_t>(usage) + 1);
  CHECK(books.held("ada") == 0);
  CHECK(books.balance("ada") == balance - settled.actual_credits);
  const std::size_t winner = first_won ? 0 : 1;
  return {.winner = winner, .contested = answers.contested(winner)};
}

}  // namespace

TEST_SUITE("one winner") {
  TEST_CASE("two ways to end a session at once: one of them, once") {
    const int rounds = short_or_long(8, 1'000);
    const Setup setup{.pool_size = 8};
    for_databases({Database::sqlite_file, Database::postgresql}, setup, [&](Books& books) {
      books.price("m", "1000");
      books.account("ada");
      books.credits().allocate(
          {.user_id = "ada", .credits = 1'000'000, .allocated_by = "admin", .never_expires = true});
      for (const Pair& pair : kPairs) {
        std::minstd_rand random;
        std::array<int, 2> won = {0, 0};
        std::array<int, 2> contested = {0, 0};
        for (int round = 0; round < rounds; ++round) {
          CAPTURE(pair.name);
          CAPTURE(round);
          std::uniform_int_distribution<std::int64_t> late(0, pair.stagger.count());
          const Start start{
              .late_way = static_cast<std::size_t>(round % 2),
              .late_by = std::chrono::microseconds(late(random)) * (1 << (round / 2 % 5))};
          const std::string session = std::string(pair.name) + " " + std::to_string(round);
          const Result result = play(books, pair, session, start);
          ++won[result.winner];
          contested[result.winner] += result.contested ? 1 : 0;
        }
        MESSAGE(pair.name << ": " << rounds << " rounds of " << kThreads << " threads, won by the "
                          << "first way " << won[0] << ", by the second " << won[1]
                          << "; while the other was under way " << contested[0] << " and "
                          << contested[1]);
        // A way that never wins against the other was in no race.
        if (is_long_run() && pair.first != pair.second) {
          CAPTURE(pair.name);
          CHECK(contested[0] > 0);
          CHECK(contested[1] > 0);
        }
      }
    });
  }
}

}  // namespace accounting::testing
