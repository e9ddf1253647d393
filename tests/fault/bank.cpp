#include "fault/bank.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <thread>

namespace accounting::testing {

using std::chrono::steady_clock;

Policy bank_policy() {
  Policy policy;
  policy.session_ttl = std::chrono::seconds(20);
  return policy;
}

/// One worker: its random choices, its names, the sessions that it has open.
class Teller {
 public:
  Teller(Bank& bank, int number)
      : bank_(bank),
        random_(bank.seed_ * 1'000 + static_cast<std::uint64_t>(number)),
        client_(bank.counts_, random_.next()),
        number_(number) {}

  void act() {
    bank_.books_.advance(std::chrono::milliseconds(random_.between(0, 20)));
    name_ = "w" + std::to_string(number_) + "-" + std::to_string(++calls_) + ".";
    std::int64_t choice = random_.between(1, kWeights);
    for (const Act& each : kActs) {
      choice -= each.weight;
      if (choice <= 0) {
        (this->*each.act)();
        return;
      }
    }
  }

 private:
  struct Session {
    std::string user_id;
    std::string session_id;
  };

  void charge() {
    const auto reply = client_([&, user = any_user(), credits = random_.between(1, 20)] {
      return bank_.books_.credits().charge({.user_id = user,
                                            .service = "bank",
                                            .operation = "m",
                                            .credits = credits,
                                            .metadata = R"({"call":")" + name_ + R"("})",
                                            .idempotency_key = name_});
    });
    note(reply, [&](const Charge& charge) { bank_.log_.charged(charge); });
  }

  void grant() {
    AllocateRequest request{.user_id = any_user(),
                            .credits = random_.between(10, 80),
                            .allocated_by = "bank",
                            .notes = name_,
                            .idempotency_key = name_};
    if (random_.chance(50)) {
      // One instant for every attempt: a key stands for one request, word by word.
      request.expires_at = bank_.books_.now() + std::chrono::seconds(random_.between(100, 200));
    } else {
      request.never_expires = true;
    }
    const auto reply = client_([&] { return bank_.books_.credits().allocate(request); });
    note(reply, [&](const CreditAllocation& allocation) {
      bank_.log_.granted(allocation);
      granted_.push_back(allocation);
    });
  }

  void revoke() {
    if (granted_.empty()) {
      return grant();
    }
    const CreditAllocation allocation = random_.pick(granted_);
    const auto reply = client_([&] {
      return bank_.books_.credits().revoke(
          {.allocation_id = allocation.id, .user_id = allocation.user_id, .revoked_by = "bank"});
    });
    note(reply, [&](const CreditAllocation&) {});
  }

  /// Moves credits between two accounts. Unnamed ones are locked as they are written to, so those
  /// go up only: what happens crosswise is another test's.
  void transfer() {
    const std::int64_t from = random_.between(0, bank_.accounts_ - 1);
    const std::int64_t to = random_.between(0, bank_.accounts_ - 1);
    const std::string payer = bank_.user(from);
    const std::string payee = bank_.user(to);
    const std::int64_t credits = random_.between(1, 30);
    const bool named = payer > payee || random_.chance(60);
    const std::vector<std::string> users =
        named ? std::vector{payer, payee} : std::vector<std::string>{};
    const auto reply = client_(
        [&] {
          return bank_.books_.accounting().transact(
              [&](Transaction& transaction) {
                transaction.credits().deduct({payer, credits, name_ + "out"});
                return transaction.credits().allocate({.user_id = payee,
                                                       .credits = credits,
                                                       .allocated_by = payer,
                                                       .never_expires = true,
                                                       .notes = "transfer " + name_,
                                                       .idempotency_key = name_ + "in"});
              },
              users);
        },
        Repeat::after_unknown_too);
    note(reply, [&](const CreditAllocation& moved) { bank_.log_.transferred(payer, moved); });
  }

  void begin_session() {
    const auto reply = client_([&, user = any_user(), tokens = random_.between(1, 30)] {
      return bank_.books_.sessions().initialize(
          {.session_id = name_, .user_id = user, .model_id = "m", .estimated_tokens = tokens});
    });
    note(reply, [&](const StreamingSession& session) {
      bank_.log_.began(session);
      open_.push_back({session.user_id, session.session_id});
    });
  }

  void report() {
    if (open_.empty()) {
      return begin_session();
    }
    const Session session = random_.pick(open_);
    client_([&, tokens = random_.between(0, 40)] {
      return bank_.books_.sessions().report(
          {.session_id = session.session_id, .user_id = session.user_id, .tokens_so_far = tokens});
    });
  }

  void extend() {
    if (open_.empty()) {
      return begin_session();
    }
    const Session session = random_.pick(open_);
    client_([&, tokens = random_.between(1, 20)] {
      return bank_.books_.sessions().extend({.session_id = session.session_id,
                                             .user_id = session.user_id,
                                             .additional_tokens = tokens,
                                             .idempotency_key = name_});
    });
  }

  void finalize() {
    end_session([&](const Session& session, std::int64_t tokens) {
      return bank_.books_.sessions().finalize({.session_id = session.session_id,
                                               .user_id = session.user_id,
                                               .actual_tokens = tokens,
                                               .success = tokens % 5 != 0});
    });
  }

  void abort() {
    end_session([&](const Session& session, std::int64_t tokens) {
      return bank_.books_.sessions().abort({.session_id = session.session_id,
                                            .user_id = session.user_id,
                                            .tokens_generated = tokens});
    });
  }

  template <class End>
  void end_session(End end) {
    if (open_.empty()) {
      return begin_session();
    }
    std::swap(random_.pick(open_), open_.back());
    const Session session = open_.back();
    open_.pop_back();
    name_ = session.session_id;
    const auto reply =
        client_([&, tokens = random_.between(0, 40)] { return end(session, tokens); });
    note(reply, [&](const Settlement& settlement) { bank_.log_.ended(settlement); });
  }

  /// A sweep, after a step of the clock that lets sessions go stale and credits expire.
  void expire_stale() {
    bank_.books_.advance(std::chrono::seconds(2));
    const auto reply = client_([&] { return bank_.books_.sessions().expire_stale(); });
    if (reply.answer) {
      for (const Settlement& settlement : *reply.answer) {
        bank_.log_.ended(settlement);
      }
    }
  }

  template <class Answer, class Use>
  void note(const Reply<Answer>& reply, Use use) {
    if (reply.answer) {
      use(*reply.answer);
    } else if (reply.in_doubt) {
      bank_.log_.in_doubt(name_);
    }
  }

  std::string any_user() { return bank_.user(random_.between(0, bank_.accounts_ - 1)); }

  struct Act {
    std::int64_t weight;
    void (Teller::*act)();
  };
  static const std::array<Act, 10> kActs;
  static const std::int64_t kWeights;

  Bank& bank_;
  Random random_;
  RetryingClient client_;
  int number_;
  int calls_ = 0;
  std::string name_;
  std::vector<Session> open_;
  std::vector<CreditAllocation> granted_;
};

const std::array<Teller::Act, 10> Teller::kActs = {{{30, &Teller::charge},
                                                    {12, &Teller::begin_session},
                                                    {8, &Teller::report},
                                                    {6, &Teller::extend},
                                                    {8, &Teller::finalize},
                                                    {4, &Teller::abort},
                                                    {14, &Teller::grant},
                                                    {2, &Teller::revoke},
                                                    {14, &Teller::transfer},
                                                    {2, &Teller::expire_stale}}};
const std::int64_t Teller::kWeights =
    std::accumulate(kActs.begin(), kActs.end(), std::int64_t{0},
                    [](std::int64_t sum, const Act& act) { return sum + act.weight; });

Bank::Bank(Books& books, int accounts, std::uint64_t seed)
    : books_(books), accounts_(accounts), seed_(seed) {
  books_.price("m", "1000");
  std::vector<AllocateRequest> requests;
  // One transaction, since a thousand commits take their time.
  books_.accounting().transact([&](Transaction& transaction) {
    for (int number = 0; number < accounts_; ++number) {
      transaction.accounts().sync({user(number), "e@example.org", user(number)});
    }
  });
  for (int number = 0; number < accounts_; ++number) {
    requests.push_back({.user_id = user(number),
                        .credits = 500,
                        .allocated_by = "bank",
                        .never_expires = true,
                        .notes = "opened"});
  }
  for (const CreditAllocation& allocation : books_.credits().allocate_many(requests)) {
    log_.granted(allocation);
  }
}

void AuditPace::keep_to(steady_clock::time_point end) {
  const auto began = steady_clock::now();
  while (is_behind() && steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  waited_ms_ +=
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began).count();
}

void Bank::work(int workers, std::chrono::milliseconds time, const std::vector<Beside>& beside,
                AuditPace* pace) {
  const auto end = steady_clock::now() + time;
  if (pace != nullptr) {
    pace->begin();
  }
  in_threads(workers + static_cast<int>(beside.size()), [&](int thread) {
    if (thread >= workers) {
      const Beside& other = beside[static_cast<std::size_t>(thread - workers)];
      do {
        other.task();
        std::this_thread::sleep_for(other.pause);
      } while (steady_clock::now() < end);
      return;
    }
    Teller teller(*this, thread);
    do {
      if (pace != nullptr) {
        pace->keep_to(end);
      }
      teller.act();
    } while (steady_clock::now() < end);
  });
}

std::string Bank::sql_of_what_is_missing() {
  return "SELECT (SELECT sum(remaining_credits + held_credits + revoked_credits) "
         "FROM credit_allocations) "
         "+ (SELECT coalesce(sum(collected_credits), 0) FROM usage_records) "
         "- (SELECT sum(total_credits) FROM credit_allocations WHERE notes NOT LIKE 'transfer%')";
}

}  // namespace accounting::testing
