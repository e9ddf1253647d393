// Failures that the database itself calls passing: serialization, deadlocks, locks and statements
// that ran into their timeouts, raised while writing and at COMMIT, more and less often than the
// library tries. Either a call comes through with one effect, or a typed error says that it may
// be repeated and nothing was changed.
#include "fault/retrying_client.hpp"
#include "support/injection.hpp"
#include "support/long_run.hpp"
#include "support/proxied_books.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <vector>

namespace accounting::testing {
namespace {

using std::chrono::steady_clock;

/// A call that writes one usage record and takes ten credits.
struct TakingCall {
  const char* name;
  std::function<void(Accounting&, const std::string& key)> make;
  bool replays;
};

const std::vector<TakingCall> kCalls = {
    {"charge",
     [](Accounting& books, const std::string&) {
       books.credits().charge({"ada", "chat", "m", 10});
     },
     false},
    {"charge with a key",
     [](Accounting& books, const std::string& key) {
       books.credits().charge({"ada", "chat", "m", 10, {}, key});
     },
     true},
    {"finalize",
     [](Accounting& books, const std::string& key) {
       books.sessions().initialize({key, "ada", "m", 50});
       books.sessions().finalize({key, "ada", 10});
     },
     true},
    {"transact",
     [](Accounting& books, const std::string&) {
       books.transact([](Transaction& transaction) {
         transaction.credits().deduct({"ada", 4});
         transaction.credits().charge({"ada", "chat", "m", 6});
       });
     },
     false},
};

/// What is tried again however often it fails, up to `max_attempts`.
bool asks_for_another_try(const std::string& state) { return state == "40001" || state == "40P01"; }

/// A clock that measures pauses: from the library's word that it tries again until the next try
/// asks for the time.
class PauseMeter final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override {
    if (since_) {
      sum_ += steady_clock::now() - *std::exchange(since_, std::nullopt);
      ++pauses_;
    }
    return SystemClock().now();
  }
  void start() { since_ = steady_clock::now(); }
  void reset() {
    sum_ = {};
    pauses_ = 0;
  }
  [[nodiscard]] steady_clock::duration sum() const { return sum_; }
  [[nodiscard]] std::int64_t pauses() const { return pauses_; }

 private:
  mutable std::optional<steady_clock::time_point> since_;
  mutable steady_clock::duration sum_{};
  mutable std::int64_t pauses_ = 0;
};

std::int64_t in_milliseconds(steady_clock::duration time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).count();
}

struct Census {
  int ok = 0;
  int errors = 0;
  std::int64_t attempts = 0;
  std::int64_t injected = 0;
};

/// What the account owns, with what sessions hold.
std::int64_t owned(Accounting& books) {
  const Balance balance = books.credits().balance("ada");
  return balance.total_credits + balance.held_credits;
}

/// One call under one injection.
void play(ProxiedBooks& books, const TakingCall& call, const std::string& state, Moment moment,
          std::int64_t times, const std::string& key, Census& census) {
  const std::int64_t most = Options{}.max_attempts;
  const std::int64_t before = owned(books.direct);
  {
    const Injection injection(books.url(), state, times, moment);
    std::string said = "ok";
    try {
      call.make(books.proxied, key);
      ++census.ok;
    } catch (const StoreError& error) {
      said = describe(error);
      CHECK(error.retryable());
      ++census.errors;
    }
    CAPTURE(said);
    const std::int64_t attempts = injection.attempts();
    const bool ok = said == "ok";
    CHECK((ok || said == "store_error"));
    CHECK(owned(books.direct) == before - (ok ? 10 : 0));
    CHECK(attempts >= 1);
    CHECK((!ok || attempts == times + 1));
    if (asks_for_another_try(state)) {
      CHECK(ok == (times < most));
      CHECK(attempts == std::min(times + 1, most));
    }
    census.attempts += attempts;
    census.injected += std::min(attempts, times);
  }
  if (call.replays) {
    call.make(books.direct, key);
    CHECK(owned(books.direct) == before - 10);
  }
}

}  // namespace

TEST_SUITE("injected failures") {
  TEST_CASE("every failure, while writing and at COMMIT, below and above the limit of tries") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    books.direct.credits().allocate(
        {.user_id = "ada", .credits = 1'000'000, .allocated_by = "admin", .never_expires = true});
    // A round plays every second call, so two of them play all.
    const int rounds = short_or_long(1, 20);
    std::size_t calls = 0;
    for (const char* state : {"40001", "40P01", "55P03", "57014"}) {
      Census census;
      for (const Moment moment : {Moment::insert, Moment::commit}) {
        for (const std::int64_t times : {std::int64_t{3}, std::int64_t{1'000'000}}) {
          for (int round = 0; round < rounds; ++round) {
            for (std::size_t number = 0; number < 2; ++number) {
              const TakingCall& call = kCalls[++calls % kCalls.size()];
              CAPTURE(state);
              CAPTURE(static_cast<int>(moment));
              CAPTURE(times);
              CAPTURE(call.name);
              play(books, call, state, moment, times, "k" + std::to_string(calls), census);
            }
          }
        }
      }
      MESSAGE(state << ": " << census.injected << " injected in " << census.attempts
                    << " tries: " << census.ok << " calls succeeded, " << census.errors
                    << " ended in a retryable error");
      CHECK(census.injected > 0);
    }
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("the pauses between tries are scattered") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    const auto meter = std::make_shared<PauseMeter>();
    Accounting metered =
        Accounting::open({.database = books.url(),
                          .clock = meter,
                          .pool_size = 1,
                          .log = [&](LogLevel, std::string_view) { meter->start(); }});
    const Injection injection(books.url(), "40001", 1'000'000);
    // Seven pauses of at most 2, 4 … 128 ms, scattered evenly: 127 ms a run, give or take 43. Half
    // of that, or twice as much, is not what chance makes of so many runs on average.
    constexpr std::chrono::milliseconds kLongest(2 + 4 + 8 + 16 + 32 + 64 + 128);
    const int runs = short_or_long(12, 100);
    std::vector<steady_clock::duration> sums;
    std::string said;
    while (std::ssize(sums) < runs) {
      meter->reset();
      CHECK_THROWS_AS(metered.credits().charge({"ada", "chat", "m", 10}), StoreError);
      CHECK(meter->pauses() == Options{}.max_attempts - 1);
      sums.push_back(meter->sum());
      said += ' ' + std::to_string(in_milliseconds(meter->sum()));
    }
    const auto mean = std::accumulate(sums.begin(), sums.end(), steady_clock::duration()) / runs;
    const auto [shortest, longest] = std::ranges::minmax(sums);
    MESSAGE("milliseconds paused in " << Options{}.max_attempts << " tries, by run:" << said
                                      << "; on average " << in_milliseconds(mean));
    CHECK(injection.attempts() == Options{}.max_attempts * runs);
    CHECK(mean > kLongest / 4);
    CHECK(shortest < kLongest);  // a busy machine only prolongs
    CHECK(longest - shortest > kLongest / 8);
  }

  TEST_CASE("an account that is held longer than lock_timeout: one effect in the end") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    std::atomic<int> retries = 0;
    Accounting impatient =
        Accounting::open({.database = books.url(),
                          .pool_size = 4,
                          .lock_timeout = 100ms,
                          .log = [&](LogLevel, std::string_view) { ++retries; }});
    CallCounts counts;
    constexpr int kCallers = 4;
    std::atomic<int> charged = 0;
    std::atomic<bool> held = false;
    in_threads(kCallers + 1, [&](int thread) {
      if (thread == kCallers) {
        Transaction holder = books.direct.transaction({"ada"});
        held = true;
        const auto until = steady_clock::now() + 10s;
        // Until somebody ran into the timeout.
        while (counts.totals().repeats + retries < kCallers && steady_clock::now() < until) {
          std::this_thread::sleep_for(10ms);
        }
        return;
      }
      for (const auto until = steady_clock::now() + 10s; !held && steady_clock::now() < until;) {
        std::this_thread::sleep_for(1ms);
      }
      RetryingClient client(counts, static_cast<std::uint64_t>(thread));
      const std::string key = "k" + std::to_string(thread);
      const auto reply = client([&] {
        return impatient.credits().charge({"ada", "chat", "m", 10, {}, key});
      });
      charged += reply.answer ? 1 : 0;
    });
    MESSAGE(to_string(counts.totals()) << "; " << retries.load() << " tries by the library");
    CHECK(counts.totals().repeats + retries >= kCallers);
    CHECK(counts.totals().unexpected.empty());
    CHECK(charged.load() == kCallers);
    CHECK(owned(books.direct) == 1'000 - 10 * kCallers);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("statements that run longer than statement_timeout: one effect in the end") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    Accounting impatient =
        Accounting::open({.database = books.url(), .pool_size = 1, .statement_timeout = 100ms});
    // While writing only: a server lets no COMMIT run into its statement_timeout.
    constexpr std::int64_t kTimes = 3;
    const Injection injection(books.url(), "slow", kTimes);
    CallCounts counts;
    RetryingClient client(counts, 1);
    const auto reply = client([&] {
      return impatient.credits().charge({"ada", "chat", "m", 10, {}, "k"});
    });
    MESSAGE(injection.attempts() << " tries; " << to_string(counts.totals()));
    CHECK(reply.answer.has_value());
    // A busy machine may add slow tries of its own.
    CHECK(injection.attempts() >= kTimes + 1);
    CHECK(owned(books.direct) == 990);
    CHECK(books.direct.verify().ok);
  }
}

}  // namespace accounting::testing
