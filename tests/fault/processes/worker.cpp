// A process that the tests of faults start, watch and kill:
//
//   set-up URL --accounts N                  creates the schema, accounts and their first credits
//   play URL --name W --seed N --log DIR …   a mix of all calls, logged, until its time is over,
//                                            its operations are done or SIGTERM comes
//   inherit URL --name W --log DIR …         charges every account, and expires sessions until none
//                                            is active: what others must be able to do after a
//                                            death
//   watch URL --seconds N                    proves over and over that the books balance
//   audit URL --log DIR                      judges the books from all logs
//
// Each prints one line of numbers; the exit code is 0 where all was as it must be.
#include "audit.hpp"
#include "audit_pace.hpp"
#include "player.hpp"
#include "settings.hpp"
#include "sudden_death.hpp"
#include "warm_up.hpp"

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace accounting::testing {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kFirstCredits = 1'000'000'000;
constexpr std::int64_t kSetUpTogether = 100;  // accounts in one transaction
constexpr std::size_t kProblemsShown = 20;

std::atomic<bool> stop_asked = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void ask_to_stop(int) { stop_asked = true; }

std::int64_t milliseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - begin).count();
}

/// Opens the books as a host would that starts while its database does.
Accounting open_books(const WorkerSettings& settings) {
  const auto give_up = SteadyClock::now() + settings.patience;
  while (true) {
    try {
      return Accounting::open(options_of(settings));
    } catch (const StoreError& error) {
      if (!error.retryable() || SteadyClock::now() >= give_up) {
        throw;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

void set_up_account(Transaction& transaction, const std::string& user) {
  transaction.accounts().sync({.user_id = user, .email = user + "@example.org", .username = user});
  transaction.credits().allocate({.user_id = user,
                                  .credits = kFirstCredits,
                                  .allocated_by = kService,
                                  .never_expires = true,
                                  .notes = kFirstAllocation,
                                  .idempotency_key = kFirstAllocation});
}

int set_up(const WorkerSettings& settings) {
  Options options = options_of(settings);
  options.migrate = true;
  Accounting books = Accounting::open(options);
  books.pricing().set({.model_id = kModel,
                       .price_per_1k_tokens = "100",
                       .created_by = kService,
                       .effective_from = Timestamp{}});
  for (std::int64_t first = 0; first < settings.accounts; first += kSetUpTogether) {
    books.transact([&](Transaction& transaction) {
      const std::int64_t end = std::min(first + kSetUpTogether, settings.accounts);
      for (std::int64_t number = first; number < end; ++number) {
        set_up_account(transaction, account_name(number));
      }
    });
  }
  std::cout << "accounts=" << settings.accounts << std::endl;
  return 0;
}

void play_alone(Accounting& books, const WorkerSettings& settings, std::int64_t thread,
                Tally& tally) {
  const std::string name = settings.name + "." + std::to_string(thread);
  LoggingClient client(books, settings.log + "/" + name, settings.patience);
  MixPlayer player(client, name, settings,
                   settings.seed * 1'000 + static_cast<std::uint64_t>(thread));
  const AuditPace pace(settings.pace);
  const auto end = SteadyClock::now() + std::chrono::seconds(settings.seconds);
  for (std::int64_t made = 0; !stop_asked;) {
    if ((settings.operations > 0 && made >= settings.operations) ||
        (settings.seconds > 0 && SteadyClock::now() >= end)) {
      break;
    }
    if (pace.is_behind()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      continue;
    }
    player.play();
    ++made;
  }
  tally = client.tally();
}

int play(const WorkerSettings& settings) {
  if (settings.die_at_write > 0) {
    die_at_write(settings.die_at_write);
  }
  Accounting books = open_books(settings);
  Tally all;
  if (settings.warm_up) {
    all.add(warm_up(books, settings));
    all.add(show_connections(books, settings, "first"));
  }
  std::vector<Tally> tallies(static_cast<std::size_t>(settings.threads));
  std::vector<std::thread> threads;
  for (std::int64_t thread = 0; thread < settings.threads; ++thread) {
    threads.emplace_back([&, thread] {
      play_alone(books, settings, thread, tallies[static_cast<std::size_t>(thread)]);
    });
  }
  for (std::size_t thread = 0; thread < threads.size(); ++thread) {
    threads[thread].join();
    all.add(tallies[thread]);
  }
  if (settings.warm_up) {
    all.add(show_connections(books, settings, "last"));
  }
  const auto end_of_work = SteadyClock::now();
  while (!stop_asked && milliseconds_since(end_of_work) < settings.linger * 1'000) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::cout << "calls=" << all.calls << " acknowledged=" << all.acknowledged
            << " refused=" << all.refused << " failed=" << all.failed << " unknown=" << all.unknown
            << " retries=" << all.retries << " longest_ms=" << all.longest.count() / 1'000
            << std::endl;
  return 0;
}

int inherit(const WorkerSettings& settings) {
  const auto begin = SteadyClock::now();
  Accounting books = open_books(settings);
  LoggingClient client(books, settings.log + "/" + settings.name, settings.patience);
  std::int64_t made = 0;
  const auto next = [&](CallKind kind) {
    return WorkerCall{.kind = kind, .id = settings.name + "." + std::to_string(++made)};
  };
  for (std::int64_t number = 0; number < settings.accounts; ++number) {
    WorkerCall call = next(CallKind::charge);
    call.user = account_name(number);
    call.amount = 1;
    client.make(call);
  }
  const std::int64_t longest = client.tally().longest.count() / 1'000;
  const std::size_t held = books.sessions().all_active().size();
  while (!books.sessions().all_active().empty()) {
    if (milliseconds_since(begin) > settings.patience.count()) {
      throw std::runtime_error("sessions are still active");
    }
    client.make(next(CallKind::expire));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::int64_t held_credits = 0;
  for (std::int64_t number = 0; number < settings.accounts; ++number) {
    held_credits += books.credits().balance(account_name(number)).held_credits;
  }
  const Tally& tally = client.tally();
  std::cout << "charges=" << settings.accounts << " longest_ms=" << longest
            << " released_sessions=" << held << " release_ms=" << milliseconds_since(begin)
            << " held_credits=" << held_credits << " failed=" << tally.failed + tally.unknown
            << std::endl;
  return held_credits == 0 ? 0 : 1;
}

void show(const std::string& problem) { std::cout << "  " << problem << "\n"; }

int watch(const WorkerSettings& settings) {
  Accounting books = open_books(settings);
  const auto begin = SteadyClock::now();
  std::int64_t audits = 0;
  std::int64_t entries = 0;
  do {
    const VerifyReport report = books.verify();
    ++audits;
    if (!settings.pace.empty()) {
      note_audit(settings.pace);
    }
    entries = report.entries;
    if (!report.ok) {
      std::cout << "audits=" << audits << " problems=" << report.problems.size() << std::endl;
      for (const Problem& problem : report.problems) {
        show(problem.invariant + " of " + problem.user_id + ": " + problem.detail);
      }
      return 1;
    }
  } while (!stop_asked && milliseconds_since(begin) < settings.seconds * 1'000);
  std::cout << "audits=" << audits << " milliseconds=" << milliseconds_since(begin)
            << " entries_at_last=" << entries << " problems=0" << std::endl;
  return 0;
}

int audit(const WorkerSettings& settings) {
  WorkerSettings own = settings;
  own.threads = 4;
  Accounting books = open_books(own);
  LogAudit audit(books, read_logs(settings.log));
  audit.run(static_cast<std::size_t>(settings.every));
  std::cout << audit.summary() << std::endl;
  const auto& problems = audit.problems();
  for (std::size_t index = 0; index < std::min(problems.size(), kProblemsShown); ++index) {
    show(problems[index]);
  }
  return problems.empty() ? 0 : 1;
}

int run(int count, char** arguments) {
  const WorkerSettings settings = read_settings(count, arguments);
  if (settings.command == "set-up") {
    return set_up(settings);
  }
  if (settings.command == "play") {
    return play(settings);
  }
  if (settings.command == "inherit") {
    return inherit(settings);
  }
  if (settings.command == "watch") {
    return watch(settings);
  }
  if (settings.command == "audit") {
    return audit(settings);
  }
  throw std::runtime_error("unknown command: " + settings.command);
}

}  // namespace
}  // namespace accounting::testing

int main(int count, char** arguments) {
#ifdef __linux__
  // Whoever started it and died leaves nobody behind.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  std::signal(SIGTERM, accounting::testing::ask_to_stop);
  try {
    return accounting::testing::run(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "accounting_fault_worker: " << error.what() << std::endl;
    return 2;
  }
}
