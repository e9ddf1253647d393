#include "warm_up.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <semaphore>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

namespace accounting::testing {
namespace {

constexpr std::size_t kCallers = 8;
constexpr std::chrono::milliseconds kHold(150);

constexpr std::array<std::size_t, 2> kTogether = {1, kCallers};

// Before the revocation credits are taken from two allocations, after it from one.
constexpr std::array kSteps = {CallKind::allocate,   CallKind::charge,     CallKind::initialize,
                               CallKind::report,     CallKind::extend,     CallKind::finalize,
                               CallKind::initialize, CallKind::abort,      CallKind::revoke,
                               CallKind::charge,     CallKind::initialize, CallKind::report,
                               CallKind::extend,     CallKind::finalize,   CallKind::initialize,
                               CallKind::abort,      CallKind::transfer,   CallKind::expire};

/// Keeps a connection of the books from everybody else, in a thread of its own.
class HeldConnection {
 public:
  explicit HeldConnection(Accounting& books)
      : thread_([this, &books] {
          const Transaction transaction = books.transaction();
          has_begun_.release();
          may_end_.acquire();
        }) {
    has_begun_.acquire();
  }
  HeldConnection(const HeldConnection&) = delete;
  HeldConnection& operator=(const HeldConnection&) = delete;
  ~HeldConnection() {
    may_end_.release();
    thread_.join();
  }

 private:
  std::binary_semaphore has_begun_{0};
  std::binary_semaphore may_end_{0};
  std::thread thread_;
};

/// Does `work` once for each connection, which then is the only one to be had.
void on_each_connection(Accounting& books, std::int64_t connections,
                        const std::function<void(std::int64_t)>& work) {
  std::vector<std::unique_ptr<HeldConnection>> held;
  for (std::int64_t number = 0; number < connections; ++number) {
    held.push_back(std::make_unique<HeldConnection>(books));
  }
  for (std::int64_t number = 0; number < connections; ++number) {
    auto& own = held.at(static_cast<std::size_t>(number));
    own.reset();
    work(number);
    own = std::make_unique<HeldConnection>(books);
  }
}

/// Makes calls about one account, one after the other.
class Caller {
 public:
  Caller(Accounting& books, const WorkerSettings& settings, std::string name, std::int64_t account)
      : client_(books, settings.log + "/" + name, settings.patience),
        name_(std::move(name)),
        user_(account_name(account % settings.accounts)),
        other_(account_name((account + 1) % settings.accounts)) {}

  void make(CallKind kind) {
    WorkerCall call = next(kind);
    if (kind == CallKind::expire) {
      call.user = "-";
    } else if (kind == CallKind::revoke) {
      call.subject = allocation_;
    } else if (kind == CallKind::transfer) {
      call.subject = other_;
    } else if (kind == CallKind::initialize) {
      session_ = call.id;
    } else if (goes_on_with_session(kind)) {
      call.subject = session_;
    }
    const auto answer = client_.make(call);
    if (kind == CallKind::allocate && answer) {
      std::istringstream words(*answer);
      words >> allocation_ >> allocation_;  // "allocation", then its number
    }
  }

  /// Charges the accounts of several callers in one call.
  void charge(const std::vector<const Caller*>& whom) {
    std::vector<WorkerCall> calls;
    for (const Caller* each : whom) {
      calls.push_back(next(CallKind::charge));
      calls.back().user = each->user_;
    }
    client_.make_together(calls);
  }

  [[nodiscard]] const std::string& user() const { return user_; }
  [[nodiscard]] const Tally& tally() const { return client_.tally(); }

 private:
  WorkerCall next(CallKind kind) {
    return {.kind = kind,
            .id = name_ + "." + std::to_string(++made_),
            .user = user_,
            .amount = kind == CallKind::initialize ? 200 : 20};
  }

  LoggingClient client_;
  std::string name_;
  std::string user_;
  std::string other_;
  std::string session_ = "-";
  std::string allocation_ = "-";
  std::int64_t made_ = 0;
};

/// The callers on one connection, and a stranger: books of their own, as another process has them.
class Warmers {
 public:
  Warmers(Accounting& books, Accounting& others, const WorkerSettings& settings,
          std::int64_t connection)
      : others_(others), settings_(settings) {
    const std::string name = settings.name + ".warm" + std::to_string(connection);
    for (std::size_t number = 0; number < kCallers; ++number) {
      const auto own = static_cast<std::int64_t>(number);
      callers_.push_back(
          std::make_unique<Caller>(books, settings, name + "." + std::to_string(number),
                                   connection * static_cast<std::int64_t>(kCallers) + own));
    }
    stranger_ = std::make_unique<Caller>(others, settings, name + ".stranger", 0);
  }

  Tally run() {
    for (const bool loaded : {false, true}) {
      for (const std::size_t together : kTogether) {
        for (const CallKind kind : kSteps) {
          step(kind, together, loaded);
        }
      }
    }
    meet_held(1);
    meet_held(2);
    meet_without_room();
    Tally all = stranger_->tally();
    for (const auto& caller : callers_) {
      all.add(caller->tally());
    }
    return all;
  }

 private:
  void step(CallKind kind, std::size_t together, bool loaded) {
    if (loaded) {
      // What is remembered of an account that others work on is of no use.
      stranger_->charge(first(together));
    }
    std::vector<std::thread> threads;
    for (std::size_t number = 0; number < together; ++number) {
      threads.emplace_back([this, kind, number] { callers_[number]->make(kind); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }

  /// A batch comes to accounts that another transaction has, and leaves them out: that it has come
  /// by shows in an account that is free.
  void meet_held(std::size_t count) {
    const std::string free = callers_[count]->user();
    const std::int64_t before = credits_of(free);
    std::thread charging;
    {
      const Transaction holding = others_.transaction(users_of(first(count)));
      charging = std::thread([this, count] { callers_.back()->charge(first(count + 2)); });
      while (credits_of(free) == before) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    charging.join();
  }

  /// In a thread of its own: this one may have a transaction open.
  std::int64_t credits_of(const std::string& user) {
    const auto ask = [&] { return others_.credits().balance(user).total_credits; };
    return std::async(std::launch::async, ask).get();
  }

  /// As many as may wait for held accounts do so, and whoever comes then has to look first.
  void meet_without_room() {
    const auto room = static_cast<std::size_t>((settings_.threads - 2) / 2);
    std::vector<std::thread> threads;
    {
      const Transaction holding = others_.transaction(users_of(first(room)));
      for (std::size_t number = 0; number <= room; ++number) {
        threads.emplace_back([this, number, room] {
          callers_[number]->make(number < room ? CallKind::charge : CallKind::allocate);
        });
        std::this_thread::sleep_for(kHold);
      }
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }

  static std::vector<std::string> users_of(const std::vector<const Caller*>& callers) {
    std::vector<std::string> users;
    for (const Caller* each : callers) {
      users.push_back(each->user());
    }
    return users;
  }

  [[nodiscard]] std::vector<const Caller*> first(std::size_t count) const {
    std::vector<const Caller*> chosen;
    for (std::size_t number = 0; number < count; ++number) {
      chosen.push_back(callers_[number].get());
    }
    return chosen;
  }

  Accounting& others_;
  const WorkerSettings& settings_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::unique_ptr<Caller> stranger_;
};

}  // namespace

Tally warm_up(Accounting& books, const WorkerSettings& settings) {
  Accounting others = Accounting::open(options_of(settings));
  Tally all;
  on_each_connection(books, settings.threads, [&](std::int64_t connection) {
    all.add(Warmers(books, others, settings, connection).run());
  });
  return all;
}

Tally show_connections(Accounting& books, const WorkerSettings& settings,
                       const std::string& label) {
  Caller caller(books, settings, settings.name + "." + label, 0);
  on_each_connection(books, settings.threads, [&](std::int64_t) {
    caller.make(CallKind::initialize);
    caller.make(CallKind::abort);
  });
  return caller.tally();
}

}  // namespace accounting::testing
