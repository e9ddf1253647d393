// The answer to a COMMIT gets lost: what replays is done once and answered as if nothing had been,
// everything else ends in doubt, done at most once. Every call that writes, many times.
#include "support/books.hpp"
#include "support/long_run.hpp"
#include "support/proxied_books.hpp"

#include <functional>
#include <memory>
#include <sstream>

namespace accounting::testing {
namespace {

// --- answers as text, to be compared -------------------------------------------------------------

template <class Answer>
std::string said(const Answer& answer) {
  std::ostringstream text;
  text << answer;
  return text.str();
}

std::string said(const Deduction& deduction) {
  std::string text = std::to_string(deduction.credits) + " from";
  for (const Slice& slice : deduction.slices) {
    text += ' ' + said(slice);
  }
  return text;
}

std::string said(const Charge& charge) {
  return said(charge.usage_record) + ", " + said(charge.deduction);
}

std::string said(const PricingRule& rule) {
  return rule.model_id + ' ' + std::to_string(rule.id) + ' ' + rule.price_per_1k_tokens.to_string();
}

std::string said(const ApiKey& key) {
  return std::to_string(key.id) + ' ' + key.name + (key.is_active ? " active " : " ended ") +
         doctest::toString(key.revoked_at).c_str();
}

std::string said(const UserAccount& account) {
  return account.user_id + ' ' + account.email + ' ' +
         doctest::toString(account.created_at).c_str();
}

// --- the calls -----------------------------------------------------------------------------------

/// What a call is about: a name that it has alone, and the number of what was prepared for it.
struct Subject {
  std::string name;
  std::int64_t id = 0;
};

struct Call {
  const char* name;
  std::function<std::string(Accounting&, const Subject&)> make;
  std::function<std::int64_t(Accounting&, const std::string&)> prepare = nullptr;
};

std::int64_t begin_session(Accounting& books, const std::string& name) {
  books.sessions().initialize(
      {.session_id = name, .user_id = "ada", .model_id = "m", .estimated_tokens = 10});
  return 0;
}

std::int64_t give_two(Accounting& books, const std::string&) {
  return books.credits().allocate({.user_id = "ada", .credits = 2, .allocated_by = "admin"}).id;
}

std::int64_t create_key(Accounting& books, const std::string& name) {
  return books.api_keys().create({.user_id = "ada", .name = name}).api_key.id;
}

const std::vector<Call> kReplaying = {
    {"charge",
     [](Accounting& books, const Subject& it) {
       return said(books.credits().charge({"ada", "chat", "m", 3, R"({"a":1})", it.name}));
     }},
    {"charge_many",
     [](Accounting& books, const Subject& it) {
       const ChargeRequest one{"ada", "chat", "m", 3, {}, it.name + " 1"};
       const ChargeRequest two{"bob", "chat", "m", 4, {}, it.name + " 2"};
       const auto outcomes = books.credits().charge_many({one, two});
       return said(outcomes.at(0).value()) + ", " + said(outcomes.at(1).value());
     }},
    {"deduct",
     [](Accounting& books, const Subject& it) {
       return said(books.credits().deduct({"ada", 3, it.name}));
     }},
    {"allocate",
     [](Accounting& books, const Subject& it) {
       return said(books.credits().allocate(
           {.user_id = "ada", .credits = 2, .allocated_by = "admin", .idempotency_key = it.name}));
     }},
    {"revoke",
     [](Accounting& books, const Subject& it) {
       return said(books.credits().revoke({it.id, "ada", "admin"}));
     },
     give_two},
    {"record",
     [](Accounting& books, const Subject& it) {
       return said(books.usage().record({"ada", "chat", "m", 3, {}, it.name}));
     }},
    {"initialize",
     [](Accounting& books, const Subject& it) {
       return said(books.sessions().initialize({it.name, "ada", "m", 10}));
     }},
    {"report",
     [](Accounting& books, const Subject& it) {
       return said(books.sessions().report({it.name, "ada", 5}).reported_tokens.value());
     },
     begin_session},
    {"extend",
     [](Accounting& books, const Subject& it) {
       return said(books.sessions().extend({it.name, "ada", 5, it.name}));
     },
     begin_session},
    {"finalize",
     [](Accounting& books, const Subject& it) {
       return said(books.sessions().finalize({it.name, "ada", 7}));
     },
     begin_session},
    {"abort",
     [](Accounting& books, const Subject& it) {
       return said(books.sessions().abort({it.name, "ada", 4}));
     },
     begin_session},
    {"sync",
     [](Accounting& books, const Subject& it) {
       return said(books.accounts().sync({it.name, "e@example.org", "n"}).account);
     }},
    {"pricing.set",
     [](Accounting& books, const Subject& it) {
       return said(books.pricing().set({.model_id = it.name,
                                        .price_per_1k_tokens = 5,
                                        .created_by = "admin",
                                        .effective_from = kStart}));
     }},
    {"api_keys.update",
     [](Accounting& books, const Subject& it) {
       return said(books.api_keys().update(
           {.key_id = it.id, .user_id = "ada", .name = it.name + " renamed"}));
     },
     create_key},
    {"api_keys.revoke",
     [](Accounting& books, const Subject& it) {
       return said(books.api_keys().revoke({it.id, "ada"}));
     },
     create_key},
};

const std::vector<Call> kOnce = {
    {"charge without a key",
     [](Accounting& books, const Subject&) {
       return said(books.credits().charge({"ada", "chat", "m", 3}));
     }},
    {"deduct without a key",
     [](Accounting& books, const Subject&) {
       return said(books.credits().deduct({"ada", 3}));
     }},
    {"allocate without a key",
     [](Accounting& books, const Subject&) {
       return said(
           books.credits().allocate({.user_id = "ada", .credits = 2, .allocated_by = "admin"}));
     }},
    {"allocate_many, one without a key",
     [](Accounting& books, const Subject& it) {
       const AllocateRequest keyed{
           .user_id = "ada", .credits = 2, .allocated_by = "admin", .idempotency_key = it.name};
       const AllocateRequest plain{.user_id = "bob", .credits = 2, .allocated_by = "admin"};
       return said(books.credits().allocate_many({keyed, plain}).at(0));
     }},
    {"record_many",
     [](Accounting& books, const Subject&) {
       return std::to_string(books.usage().record_many({{"ada", "chat", "m", 3}}));
     }},
    {"extend without a key",
     [](Accounting& books, const Subject& it) {
       return said(books.sessions().extend({it.name, "ada", 5}));
     },
     begin_session},
    {"api_keys.create",
     [](Accounting& books, const Subject& it) {
       return books.api_keys().create({.user_id = "ada", .name = it.name}).key;
     }},
    {"api_keys.rotate",
     [](Accounting& books, const Subject& it) {
       return books.api_keys().rotate({it.id, "ada"}).key;
     },
     create_key},
    {"transact, though its steps have keys",
     [](Accounting& books, const Subject& it) {
       books.transact([&](Transaction& transaction) {
         transaction.credits().deduct({"ada", 3, it.name + " out"});
         transaction.credits().allocate({.user_id = "bob",
                                         .credits = 3,
                                         .allocated_by = "ada",
                                         .idempotency_key = it.name + " in"});
       });
       return std::string();
     }},
};

// --- the harness ---------------------------------------------------------------------------------

/// What the books hold, in numbers that every effect changes.
std::vector<std::int64_t> holdings(const ProxiedBooks& books) {
  std::istringstream text(
      books.sql("SELECT concat_ws(' ', (SELECT count(*) FROM credit_entries), "
                "(SELECT count(*) FROM usage_records), (SELECT count(*) FROM credit_allocations), "
                "(SELECT sum(remaining_credits) FROM credit_allocations), "
                "(SELECT sum(held_credits) FROM credit_allocations), "
                "(SELECT count(*) FROM streaming_sessions), "
                "(SELECT count(*) FROM streaming_sessions WHERE status = 'active'), "
                "(SELECT count(reported_tokens) FROM streaming_sessions), "
                "(SELECT coalesce(sum(records), 0) FROM usage_rollups), "
                "(SELECT count(*) FROM idempotency_keys), (SELECT count(*) FROM pricing_rules), "
                "(SELECT count(*) FROM user_accounts), (SELECT count(*) FROM api_keys), "
                "(SELECT count(*) FROM audit_entries))"));
  std::vector<std::int64_t> numbers;
  for (std::int64_t number = 0; text >> number;) {
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::int64_t> difference(const std::vector<std::int64_t>& before,
                                     std::vector<std::int64_t> after) {
  for (std::size_t index = 0; index < after.size(); ++index) {
    after[index] -= before.at(index);
  }
  return after;
}

struct Counted {
  int lost = 0;
  int answered_by_the_library = 0;
  int answered_on_repeating = 0;
  int in_doubt_and_done = 0;
  int in_doubt_and_not_done = 0;
};

class LossyBooks {
 public:
  explicit LossyBooks(const std::string& server_url)
      : books_(server_url),
        hasty_(Accounting::open(
            {.database = books_.proxy().url(), .pool_size = 1, .max_attempts = 1})) {
    books_.direct.accounts().sync({"bob", "bob@example.org", "Bob"});
    for (const char* user_id : {"ada", "bob"}) {
      // The first to expire, so that every call takes from it alone and its effect is always one.
      books_.direct.credits().allocate({.user_id = user_id,
                                        .credits = 1'000'000'000,
                                        .allocated_by = "admin",
                                        .expiry_days = 1});
    }
    static_cast<void>(hasty_.credits().balance("ada"));
  }

  /// What one call does, made without a fault.
  std::vector<std::int64_t> effect_of(const Call& call) {
    const Subject subject = prepare(call, "plain");
    const auto before = holdings(books_);
    call.make(books_.direct, subject);
    return difference(before, holdings(books_));
  }

  void lose_replaying(const Call& call, int round, const std::vector<std::int64_t>& effect) {
    const Subject subject = prepare(call, std::to_string(round));
    const auto before = holdings(books_);
    std::string answer;
    lose_next(round);
    if (round % 2 == 0) {
      answer = call.make(books_.proxied, subject);
      ++counted.answered_by_the_library;
    } else {
      check_in_doubt(call, subject, true);
      answer = call.make(hasty_, subject);
      ++counted.answered_on_repeating;
    }
    check_lost();
    CHECK(difference(before, holdings(books_)) == effect);
    CHECK(answer == call.make(books_.direct, subject));
    CHECK(difference(before, holdings(books_)) == effect);
  }

  void lose_once(const Call& call, int round, const std::vector<std::int64_t>& effect) {
    const Subject subject = prepare(call, std::to_string(round));
    const auto before = holdings(books_);
    if (round % 3 == 1) {
      // The server never sees it; the library has sent it, and cannot tell.
      books_.proxy().at_next_commit(AtCommit::drop);
    } else {
      lose_next(round);
    }
    check_in_doubt(call, subject, false);
    check_lost();
    const auto done = difference(before, holdings(books_));
    const bool nothing = done == std::vector<std::int64_t>(done.size(), 0);
    CHECK((nothing || done == effect));
    ++(nothing ? counted.in_doubt_and_not_done : counted.in_doubt_and_done);
  }

  [[nodiscard]] Accounting& direct() { return books_.direct; }

  Counted counted;

 private:
  Subject prepare(const Call& call, const std::string& round) {
    Subject subject{.name = std::string(call.name) + ' ' + round};
    subject.id = call.prepare ? call.prepare(books_.direct, subject.name) : 0;
    return subject;
  }
  void lose_next(int round) {
    books_.proxy().at_next_commit(round % 3 == 2 ? AtCommit::cut_answer : AtCommit::drop_answer);
  }
  void check_lost() { CHECK(books_.proxy().faults() == ++counted.lost); }

  void check_in_doubt(const Call& call, const Subject& subject, bool retryable) {
    try {
      // A second try of what does not replay would show as a second effect.
      call.make(retryable ? hasty_ : books_.proxied, subject);
      FAIL_CHECK("the call claims to know its outcome");
    } catch (const OutcomeUnknown& error) {
      CHECK(error.retryable() == retryable);
    }
  }

  ProxiedBooks books_;
  Accounting hasty_;  ///< tries once, and leaves the rest to its caller
};

}  // namespace

TEST_SUITE("lost answers") {
  TEST_CASE("a call that replays has one effect, and its original answer is had") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    LossyBooks books(*url);
    const int rounds = short_or_long(4, 70);
    for (const Call& call : kReplaying) {
      CAPTURE(call.name);
      const auto effect = books.effect_of(call);
      for (int round = 0; round < rounds; ++round) {
        CAPTURE(round);
        books.lose_replaying(call, round, effect);
      }
    }
    MESSAGE(std::to_string(books.counted.lost)
            << " answers lost over " << kReplaying.size()
            << " calls: " << books.counted.answered_by_the_library << " answered all the same, "
            << books.counted.answered_on_repeating << " on repeating the call");
    CHECK(books.counted.lost >= short_or_long(60, 1'000));
    CHECK(books.direct().verify().ok);
  }

  TEST_CASE("a call that does not replay ends in doubt, and is done at most once") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    LossyBooks books(*url);
    const int rounds = short_or_long(3, 30);
    for (const Call& call : kOnce) {
      CAPTURE(call.name);
      const auto effect = books.effect_of(call);
      for (int round = 0; round < rounds; ++round) {
        CAPTURE(round);
        books.lose_once(call, round, effect);
      }
    }
    MESSAGE(std::to_string(books.counted.lost)
            << " COMMITs or their answers lost over " << kOnce.size()
            << " calls: " << books.counted.in_doubt_and_done << " in doubt and done, "
            << books.counted.in_doubt_and_not_done << " in doubt and not done");
    CHECK(books.counted.lost >= short_or_long(27, 270));
    CHECK(books.counted.in_doubt_and_done > 0);
    CHECK(books.counted.in_doubt_and_not_done > 0);
    CHECK(books.direct().verify().ok);
  }

  TEST_CASE("a sweep whose answer was lost has ended each session once") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    const auto later = std::make_shared<ManualClock>(SystemClock().now() + 2h);
    Accounting sweeper =
        Accounting::open({.database = books.proxy().url(), .clock = later, .pool_size = 1});
    for (const char* session : {"s1", "s2", "s3"}) {
      begin_session(books.direct, session);
    }
    static_cast<void>(sweeper.credits().balance("ada"));
    constexpr int kQueryForSessions = 1;
    books.proxy().at_next_commit(AtCommit::drop_answer, kQueryForSessions);
    const std::vector<Settlement> settled = sweeper.sessions().expire_stale();
    // The next try finds nothing left to do, so what the lost one did is not in its answer.
    MESSAGE(settled.size() << " of 3 settlements answered");
    CHECK(books.proxy().faults() == 1);
    CHECK(
        books.sql("SELECT count(*) FROM usage_records WHERE service = 'chat-streaming-expired'") ==
        "3");
    CHECK(books.direct.credits().balance("ada").held_credits == 0);
    CHECK(sweeper.sessions().expire_stale().empty());
    CHECK(books.direct.verify().ok);
  }
}

}  // namespace accounting::testing
