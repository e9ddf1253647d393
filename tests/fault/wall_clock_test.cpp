// The machine's own clock is set an hour ahead or back while calls wait, for each other and for the
// database: each waits as long as it may, no shorter and no longer.
#include "fault/timed.hpp"
#include "support/books.hpp"
#include "support/databases.hpp"
#include "support/tcp_proxy.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <mutex>
#include <thread>

namespace accounting::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

/// How far this program's wall clock is ahead of the machine's.
std::atomic<std::int64_t> seconds_ahead = 0;

/// Sets the wall clock, and sets it right again at the end.
class WallClock {
 public:
  WallClock() = default;
  WallClock(const WallClock&) = delete;
  WallClock& operator=(const WallClock&) = delete;
  ~WallClock() { set_right(); }

  void jump(std::chrono::hours hours) { seconds_ahead = std::chrono::seconds(hours).count(); }
  void set_right() { seconds_ahead = 0; }
};

timespec machine_time(clockid_t clock) {
  timespec now{};
  syscall(SYS_clock_gettime, clock, &now);
  return now;
}

timespec wall_time() {
  timespec now = machine_time(CLOCK_REALTIME);
  now.tv_sec += seconds_ahead;
  return now;
}

bool has_come(const timespec& until) {
  const timespec now = wall_time();
  return now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec);
}

/// As the system waits for an instant of the wall clock: a clock that is set ahead meanwhile ends
/// the wait, one that is set back prolongs it.
int wait_by_wall_clock(pthread_cond_t* called, pthread_mutex_t* mutex, const timespec& until) {
  constexpr long slice = 5'000'000;
  constexpr long second = 1'000'000'000;
  if (has_come(until)) {
    return ETIMEDOUT;
  }
  timespec next = machine_time(CLOCK_MONOTONIC);
  next.tv_nsec += slice;
  if (next.tv_nsec >= second) {
    next.tv_nsec -= second;
    ++next.tv_sec;
  }
  const int answer = pthread_cond_clockwait(called, mutex, CLOCK_MONOTONIC, &next);
  // Between slices nobody waits, and a call would be lost: whoever waits looks again.
  return answer == ETIMEDOUT && !has_come(until) ? 0 : answer;
}

constexpr milliseconds kLimit = 500ms;
constexpr milliseconds kControl = 1s;  // of a wait by the wall clock
/// When the clock is set, from when on all have begun to wait.
constexpr milliseconds kAllWait = 200ms;

/// A call that waits until `limit`, and how that ended.
struct Wait {
  std::string what;
  milliseconds limit;
  std::function<void()> call;
  Timed ended = {};
};

/// Lets all wait at once, and the wall clock jump while they do. It is set right at `latest`, so
/// that who waits for an hour of it fails the test instead of stopping it.
void wait_while_clock_jumps(std::vector<Wait>& waits, std::chrono::hours hours,
                            milliseconds latest = 5s) {
  WallClock clock;
  std::atomic<std::size_t> begun = 0;
  std::atomic<std::size_t> ended = 0;
  std::vector<std::jthread> threads;
  for (Wait& wait : waits) {
    threads.emplace_back([&] {
      ++begun;
      wait.ended = timed(wait.call);
      ++ended;
    });
  }
  while (begun < waits.size()) {
    std::this_thread::sleep_for(1ms);
  }
  const auto began = steady_clock::now();
  std::this_thread::sleep_for(kAllWait);
  clock.jump(hours);
  while (ended < waits.size() && steady_clock::now() - began < latest) {
    std::this_thread::sleep_for(10ms);
  }
  clock.set_right();
}

ChargeRequest charge() { return {"ada", "chat", "m", 1}; }

/// Books over the wall clock that try once, and whose waits are all short.
Accounting open_hasty(const Books& books, std::int64_t pool_size) {
  Options options = books.options();
  options.clock = nullptr;
  options.pool_size = pool_size;
  options.pool_timeout = kLimit;
  options.lock_timeout = kLimit;
  options.max_attempts = 1;
  return Accounting::open(options);
}

/// Books over the wall clock that wait for anything until their calls' deadline.
Accounting open_patient(const Books& books, const std::string& url) {
  Options options = patient(books.options());
  options.database = url;
  options.clock = nullptr;
  return Accounting::open(options);
}

/// All the waits there are while `holder` has its only connection and ada's account.
void check_waits(Books& books, std::chrono::hours hours) {
  Accounting narrow = open_hasty(books, 1);
  Accounting beside = open_hasty(books, 4);
  Accounting queue = open_hasty(books, 4);
  Accounting unhurried = open_patient(books, books.options().database);
  // SQLite waits for another process in whole seconds, and each `Accounting` is one to the others.
  const milliseconds lock = books.on_postgresql() ? kLimit : 1s;
  std::vector<Wait> waits = {
      {"a connection", kLimit, [&] { static_cast<void>(narrow.credits().balance("ada")); }},
      {"an account's turn", kLimit,
       [&] {
         narrow.credits().allocate_many({{.user_id = "ada", .credits = 1, .allocated_by = "host"}});
       }},
      {"a batch's turn", kLimit, [&] { narrow.credits().charge(charge()); }},
      {"a lock in a transaction", lock, [&] { beside.transaction({"ada"}).commit(); }},
      {"a lock in a batch", lock, [&] { queue.credits().charge(charge()); }},
      {"a lock until the deadline", kCallTimeout, [&] { unhurried.credits().charge(charge()); }},
  };
  std::optional<TcpProxy> proxy;
  std::optional<Accounting> quiet;
  if (books.on_postgresql()) {
    proxy.emplace(books.options().database);
    quiet = open_patient(books, proxy->url());
    static_cast<void>(quiet->credits().balance("ada"));
    proxy->fall_silent();
    waits.push_back({"a silent server", kCallTimeout,
                     [&] { static_cast<void>(quiet->credits().balance("ada")); }});
  }
  for (Accounting* each : {&narrow, &beside, &queue, &unhurried}) {
    static_cast<void>(each->credits().balance("ada"));  // connects
  }
  Transaction holder = narrow.transaction({"ada"});
  holder.credits().deduct({"ada", 1});
  wait_while_clock_jumps(waits, hours);
  holder.commit();

  std::string said;
  for (const Wait& wait : waits) {
    CAPTURE(wait.what);
    said += (said.empty() ? "" : ", ") + wait.what + ' ' + std::to_string(wait.ended.time.count());
    CHECK(wait.ended.outcome ==
          (wait.what == "a silent server" ? "connection_lost" : "store_error"));
    CHECK(wait.ended.time >= wait.limit - 100ms);
    CHECK(wait.ended.time < wait.limit + 1'500ms);
  }
  MESSAGE(to_string(books.database())
          << ", the wall clock set by " << hours.count() << " h; milliseconds waited for " << said);
}

/// How long one waits who was told an instant of the wall clock.
milliseconds wait_of_wall_clock(std::chrono::hours hours) {
  std::vector<Wait> waits = {{"an instant", kControl, [] {
                                std::mutex mutex;
                                std::condition_variable called;
                                std::unique_lock lock(mutex);
                                called.wait_until(lock, system_clock::now() + kControl,
                                                  [] { return false; });
                              }}};
  wait_while_clock_jumps(waits, hours, 2 * kControl);
  return waits.front().ended.time;
}

}  // namespace
}  // namespace accounting::testing

// In place of the C library's, for every library of this program.
extern "C" {
int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const auto answer = static_cast<int>(syscall(SYS_clock_gettime, clock, now));
  if (answer == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    now->tv_sec += accounting::testing::seconds_ahead;
  }
  return answer;
}
int gettimeofday(timeval* __restrict now, void* __restrict) noexcept {
  const timespec time = accounting::testing::wall_time();
  now->tv_sec = time.tv_sec;
  now->tv_usec = time.tv_nsec / 1'000;
  return 0;
}
time_t time(time_t* now) noexcept {
  const time_t seconds = accounting::testing::wall_time().tv_sec;
  if (now != nullptr) {
    *now = seconds;
  }
  return seconds;
}
int pthread_cond_timedwait(pthread_cond_t* __restrict called, pthread_mutex_t* __restrict mutex,
                           const timespec* __restrict until) {
  return accounting::testing::wait_by_wall_clock(called, mutex, *until);
}
}

namespace accounting::testing {

TEST_SUITE("wall clock") {
  TEST_CASE("every wait is as long as it may be, whatever the wall clock is set to meanwhile") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada");
      books.credits().allocate(
          {.user_id = "ada", .credits = 100, .allocated_by = "admin", .never_expires = true});
      for (const std::chrono::hours hours : {1h, -1h}) {
        check_waits(books, hours);
      }
      CHECK(books.balance("ada") == 98);
    });
  }

  TEST_CASE("the wall clock can be set here, and disturbs whoever waits by it") {
    const auto sqlite_now = [] {
      return std::stoll(run_on("sqlite:///:memory:", "SELECT unixepoch()"));
    };
    const std::int64_t before = machine_time(CLOCK_REALTIME).tv_sec;
    {
      WallClock clock;
      clock.jump(1h);
      timeval of_day{};
      gettimeofday(&of_day, nullptr);
      for (const std::int64_t now :
           {static_cast<std::int64_t>(system_clock::to_time_t(system_clock::now())),
            static_cast<std::int64_t>(time(nullptr)), static_cast<std::int64_t>(of_day.tv_sec),
            static_cast<std::int64_t>(sqlite_now())}) {
        CHECK(now >= before + 3'600);
        CHECK(now < before + 3'700);
      }
    }
    const milliseconds ahead = wait_of_wall_clock(1h);
    const milliseconds back = wait_of_wall_clock(-1h);
    MESSAGE("a wait of " << kControl.count() << " ms by the wall clock: " << ahead.count()
                         << " ms where it is set ahead, " << back.count() << " ms where back");
    CHECK(ahead < kLimit);
    CHECK(back > kLimit + kAllWait);
  }
}

}  // namespace accounting::testing
