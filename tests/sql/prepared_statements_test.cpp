// What a connection has prepared stays with it, so there must be an end to it.
#include "support/books.hpp"
#include "support/databases.hpp"
#include "support/long_run.hpp"

#include <sqlite3.h>

#include <functional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// The SQLite sessions that are opened while this exists.
class OpenedSessions {
 public:
  OpenedSessions() { sqlite3_auto_extension(hook()); }
  OpenedSessions(const OpenedSessions&) = delete;
  OpenedSessions& operator=(const OpenedSessions&) = delete;
  ~OpenedSessions() {
    sqlite3_cancel_auto_extension(hook());
    sessions().clear();
  }

  [[nodiscard]] static std::size_t count() { return sessions().size(); }
  /// The statements that all of them have prepared, or are about to run.
  [[nodiscard]] static int statements() {
    int statements = 0;
    for (sqlite3* session : sessions()) {
      for (sqlite3_stmt* each = sqlite3_next_stmt(session, nullptr); each != nullptr;
           each = sqlite3_next_stmt(session, each)) {
        ++statements;
      }
    }
    return statements;
  }

 private:
  static std::vector<sqlite3*>& sessions() {
    static std::vector<sqlite3*> opened;
    return opened;
  }
  static int note(sqlite3* session, char**, const sqlite3_api_routines*) {
    sessions().push_back(session);
    return SQLITE_OK;
  }
  static void (*hook())() { return reinterpret_cast<void (*)()>(&note); }
};

using Call = std::function<void(Accounting&, int number)>;

std::string user(int number) { return number % 2 == 0 ? "ada" : "bob"; }
std::string name(const char* what, int number) { return what + std::to_string(number); }

/// `count` requests, so that calls are of many lengths.
template <class Request>
std::vector<Request> several(int number, const std::function<Request(int index)>& request) {
  std::vector<Request> requests;
  for (int index = 0; index < 1 + number % 9; ++index) {
    requests.push_back(request(index));
  }
  return requests;
}

const std::vector<Call> kWrites = {
    [](Accounting& b, int n) {
      b.accounts().sync({user(n), "e@x.org", name("n", n)});
    },
    [](Accounting& b, int n) {
      b.credits().allocate({user(n), 50, "x"});
    },
    [](Accounting& b, int n) {
      b.credits().allocate({.user_id = user(n),
                            .credits = 5,
                            .allocated_by = "x",
                            .never_expires = true,
                            .idempotency_key = name("allocate", n)});
    },
    [](Accounting& b, int n) {
      b.credits().allocate_many(several<AllocateRequest>(n, [&](int index) {
        return AllocateRequest{.user_id = user(index), .credits = 9, .allocated_by = "x"};
      }));
    },
    [](Accounting& b, int n) {
      b.credits().deduct({user(n), 1, name("deduct", n)});
    },
    [](Accounting& b, int n) {
      b.credits().charge({user(n), "s", "o", 2, R"({"a":1})"});
    },
    [](Accounting& b, int n) {
      b.credits().charge_many(several<ChargeRequest>(n, [&](int index) {
        return ChargeRequest{.user_id = user(index),
                             .service = "s",
                             .operation = "o",
                             .credits = 1,
                             .idempotency_key = name("many", n * 10 + index)};
      }));
    },
    [](Accounting& b, int n) {
      b.usage().record({user(n), "chat", "m", 1});
    },
    [](Accounting& b, int n) {
      b.usage().record_many(several<RecordRequest>(n, [&](int index) {
        return RecordRequest{user(index), "s", "o", 1};
      }));
    },
    [](Accounting& b, int n) {
      const std::string id = name("session", n);
      b.sessions().initialize({id, user(n), "m", 10});
      b.sessions().report({id, user(n), 3});
      b.sessions().extend({id, user(n), 2, name("extend", n)});
      b.sessions().finalize({id, user(n), n % 20});
    },
    [](Accounting& b, int n) {
      b.sessions().initialize({name("aborted", n), user(n), "m", TokenCounts{.input = 4}});
      b.sessions().abort({name("aborted", n), user(n), TokenCounts{.input = 1}});
    },
    [](Accounting& b, int n) {
      b.sessions().initialize({name("left", n), user(n), "m", 1});
    },
    [](Accounting& b, int n) { b.sessions().expire_stale({.limit = 1 + n % 5}); },
    [](Accounting& b, int n) {
      const std::int64_t id = b.credits().allocate({user(n), 3, "x"}).id;
      b.credits().revoke({id, user(n), "x"});
    },
    [](Accounting& b, int n) {
      b.pricing().set({name("model", n % 7), n + 1, "x"});
    },
    [](Accounting& b, int n) {
      const IssuedApiKey issued = b.api_keys().create({user(n), "k", {"credits:read"}});
      static_cast<void>(b.api_keys().validate(issued.key));
      b.api_keys().update({issued.api_key.id, user(n), name("k", n)});
      const IssuedApiKey successor = b.api_keys().rotate({issued.api_key.id, user(n)});
      b.api_keys().revoke({issued.api_key.id, user(n)});
      b.api_keys().remove({successor.api_key.id, user(n)});
    },
    [](Accounting& b, int n) {
      b.transact([&](Transaction& t) {
        t.credits().deduct({user(n), 1});
        t.credits().charge({user(n + 1), "s", "o", 1});
        static_cast<void>(t.credits().balance(user(n)));
      });
    },
};

const std::vector<Call> kQueries = {
    [](Accounting& b, int n) { static_cast<void>(b.accounts().get(user(n))); },
    [](Accounting& b, int n) {
      static_cast<void>(b.accounts().list({.page = 1 + n % 2, .limit = 1}));
      static_cast<void>(b.accounts().list({.role = Role::user}));
    },
    [](Accounting& b, int n) {
      static_cast<void>(b.credits().balance(user(n)));
      static_cast<void>(b.credits().check({user(n), n}));
    },
    [](Accounting& b, int n) {
      static_cast<void>(b.credits().history({user(n), 1 + n % 3, 1 + n % 50}));
      static_cast<void>(b.credits().entries({user(n), n % 40, 1 + n % 50}));
    },
    [](Accounting& b, int n) {
      static_cast<void>(b.usage().list({.user_id = user(n), .limit = 1 + n % 50}));
      static_cast<void>(b.usage().list({user(n), kStart, kStart + 1h}));
      static_cast<void>(b.usage().user_stats({user(n), kStart}));
      static_cast<void>(b.usage().system_stats({std::nullopt, kStart + days(n % 3 + 1)}));
    },
    [](Accounting& b, int n) {
      static_cast<void>(b.sessions().active(user(n)));
      static_cast<void>(b.sessions().all_active());
    },
    [](Accounting& b, int n) {
      static_cast<void>(b.pricing().get({"m"}));
      static_cast<void>(b.pricing().list());
      static_cast<void>(b.pricing().calculate({"m", n}));
    },
    [](Accounting& b, int n) {
      static_cast<void>(b.api_keys().list(user(n)));
      static_cast<void>(b.audit().list({.user_id = user(n), .limit = 1 + n % 50}));
      static_cast<void>(b.audit().list({.actor = "host"}));
      static_cast<void>(b.audit().list());
    },
    [](Accounting& b, int) {
      static_cast<void>(b.verify().ok);
      static_cast<void>(b.health().ok);
    },
};

/// Each in its turn, and refused calls between them.
void make_call(Accounting& books, int number) {
  std::vector<Call> calls = kWrites;
  calls.insert(calls.end(), kQueries.begin(), kQueries.end());
  const auto kinds = static_cast<int>(calls.size());
  calls[static_cast<std::size_t>(number % kinds)](books, number / kinds);
  const std::string nobody = name("nobody", number);
  CHECK(outcome_of([&] { return books.credits().deduct({nobody, 1}); }) == "not_found");
  CHECK(outcome_of([&] {
          return books.credits().charge({"ada", "s", "o", kMostCredits});
        }).starts_with("insufficient_credits"));
}

}  // namespace

TEST_SUITE("prepared statements") {
  TEST_CASE("an SQLite session has no more of them after a thousand calls than after a few") {
    const OpenedSessions opened;
    const TemporaryDirectory directory;
    const auto clock = std::make_shared<ManualClock>(kStart);
    Accounting books =
        Accounting::open({.database = directory.sqlite_url(), .clock = clock, .migrate = true});
    for (const char* each : {"ada", "bob"}) {
      books.accounts().sync({each, "e@x.org", "n"});
      books.credits().allocate({each, 1'000'000, "x"});
    }
    books.pricing().set({.model_id = "m",
                         .price_per_1k_tokens = "1000",
                         .created_by = "x",
                         .input = "1000",
                         .output = "1000"});
    int number = 0;
    const auto make_calls = [&](int count) {
      for (const int end = number + count; number < end; ++number) {
        clock->advance(1min);
        make_call(books, number);
      }
      return OpenedSessions::statements();
    };
    const int at_first = make_calls(260);  // each kind of call in each length
    const int calls = short_or_long(1'000, 10'000);
    const int at_the_end = make_calls(calls);
    MESSAGE("prepared statements of " << OpenedSessions::count() << " SQLite sessions: " << at_first
                                      << ", and after " << calls << " more calls " << at_the_end);
    CHECK(at_first > 20);
    CHECK(at_the_end == at_first);
    CHECK(books.verify().ok);
  }
}

}  // namespace accounting::testing
