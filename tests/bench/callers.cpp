#include "callers.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <vector>

namespace accounting::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

// So many mean that the case does not work, and that its figures are of no interest.
constexpr std::int64_t most_failures = 1'000;

struct Window {
  Clock::time_point begin;
  Clock::time_point end;
};

/// What one thread has to tell.
struct Told {
  std::vector<double> times;
  Clock::time_point last_end;
  std::int64_t failures = 0;
  std::string failure;
};

/// Counts the calls that end within the window; where there is none, the one that is under way.
void call_until_closed(const Call& call, const Window& window, Told& told) {
  Clock::time_point begin = Clock::now();
  Clock::time_point end = begin;
  while (end < window.end && told.failures < most_failures) {
    try {
      call();
    } catch (const std::exception& error) {
      told.failure = ++told.failures == 1 ? error.what() : told.failure;
    }
    end = Clock::now();
    if (end >= window.begin && (end < window.end || told.times.empty())) {
      told.times.push_back(Microseconds(end - begin).count());
      told.last_end = end;
    }
    begin = end;
  }
}

double percentile(std::vector<double>& times, double part) {
  if (times.empty()) {
    return 0;
  }
  const auto place = static_cast<std::ptrdiff_t>(part * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), times.begin() + place, times.end());
  return times[static_cast<std::size_t>(place)];
}

Figures add_up(const std::vector<Told>& all, const Window& window, std::int64_t operations) {
  Figures figures;
  std::vector<double> times;
  Clock::time_point end = window.end;
  for (const Told& told : all) {
    times.insert(times.end(), told.times.begin(), told.times.end());
    end = std::max(end, told.last_end);
    if (figures.failures == 0) {
      figures.failure = told.failure;
    }
    figures.failures += told.failures;
  }
  figures.operations = static_cast<std::int64_t>(times.size()) * operations;
  figures.seconds = std::chrono::duration<double>(end - window.begin).count();
  figures.p50 = percentile(times, 0.5);
  figures.p99 = percentile(times, 0.99);
  return figures;
}

}  // namespace

Figures measure(const Settings& settings, const std::function<Call(std::int64_t)>& make_call,
                std::int64_t operations) {
  const auto length = [](double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  std::vector<Call> calls;
  for (std::int64_t caller = 0; caller < settings.callers; ++caller) {
    calls.push_back(make_call(caller));
  }
  const auto begin = Clock::now() + length(settings.warm_up);
  const Window window{begin, begin + length(settings.seconds)};
  std::vector<Told> all(calls.size());
  std::vector<std::thread> threads;
  for (std::size_t caller = 1; caller < calls.size(); ++caller) {
    threads.emplace_back([&, caller] { call_until_closed(calls[caller], window, all[caller]); });
  }
  call_until_closed(calls[0], window, all[0]);
  for (std::thread& thread : threads) {
    thread.join();
  }
  return add_up(all, window, operations);
}

std::string to_json(const Figures& figures) {
  return nlohmann::json{
      {"operations", figures.operations},
      {"seconds", figures.seconds},
      {"p50", figures.p50},
      {"p99", figures.p99},
      {"failures", figures.failures},
      {"failure", figures.failure},
  }
      .dump();
}

}  // namespace accounting::bench
