// Row 10 of the matrix, and every other wait: a call is answered by its deadline, whatever waits
// for whatever, and is answered with a typed error.
#include "fault/timed.hpp"
#include "support/books.hpp"
#include "support/proxied_books.hpp"

#include <doctest/doctest.h>
#include <unistd.h>
#include <accounting/accounting.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace accounting::testing {
namespace {

/// "Never outlives its deadline by more than a second."
constexpr std::chrono::milliseconds kLongest = kCallTimeout + 1s;

/// Runs a statement that locks, in a session of its own that stays open for some seconds; answers
/// once it has run.
std::future<void> hold_by(const Books& books, const std::string& lock, const std::string& seconds) {
  const std::string url = books.options().database;
  const std::string mark = "/* hold " + std::to_string(std::hash<std::string>{}(lock)) + " " +
                           std::to_string(::getpid()) + " */";
  auto held = std::async(std::launch::async, [=] {
    run_sql(url, mark + " BEGIN; " + lock + "; SELECT pg_sleep(" + seconds + "); COMMIT");
  });
  while (run_sql(url,
                 "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND "
                 "pid <> pg_backend_pid() AND position('" +
                     mark + "' in query) = 1") == "0") {
    std::this_thread::sleep_for(5ms);
  }
  return held;
}

std::future<void> hold(const Books& books, const std::string& user_id, const std::string& seconds) {
  return hold_by(books, "SELECT 1 FROM user_accounts WHERE user_id = '" + user_id + "' FOR UPDATE",
                 seconds);
}

std::int64_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

/// The proxies' server as a URL that names each of them as a host.
std::string several_hosts(const std::vector<const TcpProxy*>& proxies) {
  std::string hosts;
  std::string ports;
  for (const TcpProxy* proxy : proxies) {
    hosts += hosts.empty() ? "127.0.0.1" : ",127.0.0.1";
    ports += (ports.empty() ? "" : ",") + proxy->port();
  }
  return with_parameter(with_parameter(proxies.front()->url(), "host", hosts), "port", ports);
}

const ChargeRequest kCharge{.user_id = "ada",
                            .service = "chat",
                            .operation = "m",
                            .credits = 10,
                            .metadata = {},
                            .idempotency_key = "k"};

struct Moment {
  std::string name;
  std::function<void(TcpProxy&)> fault;
  std::string outcome;
  bool new_connection = false;
};

const std::vector<Moment> kMoments = {
    {"while connecting", [](TcpProxy& proxy) { proxy.fall_silent(); }, "connection_lost", true},
    {"before the first answer", [](TcpProxy& proxy) { proxy.fall_silent(); }, "connection_lost"},
    {"before the second answer", [](TcpProxy& proxy) { proxy.fall_silent(1); }, "outcome_unknown"},
    {"before the answer to COMMIT",
     [](TcpProxy& proxy) { proxy.at_next_commit(AtCommit::hold_answer); }, "outcome_unknown"},
    {"within the answer to COMMIT",
     [](TcpProxy& proxy) { proxy.at_next_commit(AtCommit::stall_answer); }, "outcome_unknown"},
};

/// The same where each statement has its own round trip; the second and the fifth are between BEGIN
/// and COMMIT.
std::vector<Moment> moments_without_pipelining() {
  std::vector<Moment> moments = kMoments;
  moments.at(2).outcome = "connection_lost";
  moments.push_back({"before the fifth answer", [](TcpProxy& proxy) { proxy.fall_silent(4); },
                     "connection_lost"});
  return moments;
}

void check_silence(const std::string& url, const Moment& moment, bool pipeline) {
  ProxiedBooks books(url);
  Options options = patient({.database = books.proxy().url()});
  options.pipeline = pipeline;
  Accounting quiet = Accounting::open(options);
  static_cast<void>(quiet.credits().balance("ada"));
  moment.fault(books.proxy());
  const Timed call = timed([&] {
    if (moment.new_connection) {
      quiet = Accounting::open(options);
    }
    quiet.credits().charge(kCharge);
  });
  MESSAGE(moment.name << (pipeline ? "" : ", without pipelining") << ": " << call.outcome
                      << " after " << call.time.count() << " ms");
  CHECK(call.outcome == moment.outcome);
  CHECK(call.time <= kLongest);
  CHECK(call.time >= kCallTimeout / 2);

  books.proxy().speak_again();
  Accounting again = Accounting::open(options);
  CHECK(again.credits().charge(kCharge).usage_record.id == 1);
  CHECK(again.credits().balance("ada").total_credits == 990);
  CHECK(again.verify().ok);
}

/// Uses with as much metadata as one may have.
std::vector<RecordRequest> large_records(int count) {
  constexpr std::size_t largest = 65'536;
  std::vector<RecordRequest> requests;
  for (int index = 0; index < count; ++index) {
    requests.push_back({.user_id = "ada",
                        .service = "chat",
                        .operation = "m",
                        .credits = 1,
                        .metadata = "{\"a\":\"" + std::string(largest - 8, 'x') + "\"}",
                        .idempotency_key = "large-" + std::to_string(index)});
  }
  return requests;
}

void check_full_socket(const std::string& url, const std::vector<RecordRequest>& many,
                       std::int64_t bytes, bool pipeline) {
  ProxiedBooks books(url);
  Options options = patient({.database = books.proxy().url()});
  options.pipeline = pipeline;
  Accounting stuck = Accounting::open(options);
  static_cast<void>(stuck.credits().balance("ada"));
  books.proxy().stop_reading(bytes);
  Timed call = timed([&] { stuck.usage().record_many(many); });
  // To read that much JSON takes its time before the first wait.
  call.time = books.proxy().silent_for();
  MESSAGE("reading stops after " << bytes << " bytes" << (pipeline ? "" : ", without pipelining")
                                 << ": " << call.outcome << " after " << call.time.count()
                                 << " ms");
  // Towards the end the COMMIT may be among what waits to be sent.
  CHECK((call.outcome == "connection_lost" || (call.outcome == "outcome_unknown" && bytes > 1)));
  CHECK(call.time <= kLongest);
  CHECK(call.time >= kCallTimeout / 2);
  stuck.close();

  books.proxy().speak_again();
  CHECK(books.direct.usage().list({.user_id = "ada"}).empty());
  Accounting again = Accounting::open({.database = books.proxy().url(), .pipeline = pipeline});
  again.usage().record_many(many);
  CHECK(again.usage().record_many(many) == static_cast<std::int64_t>(many.size()));
  CHECK(again.usage().list({.user_id = "ada", .limit = 1'000}).size() == many.size());
  CHECK(again.verify().ok);
}

const std::vector<std::pair<AtCommit, std::string>> kClosing = {
    {AtCommit::close_to_client, "half a line, towards the client"},
    {AtCommit::close_to_server, "half a line, towards the server"},
    {AtCommit::cut_answer, "an answer"}};

/// A charge with a key takes effect once and is answered, a query too, before their deadlines.
void check_closing(const std::string& url, AtCommit fault, const std::string& name, bool pipeline) {
  ProxiedBooks books(url);
  Options options = patient({.database = books.proxy().url()});
  options.pipeline = pipeline;
  const Accounting served = Accounting::open(options);
  static_cast<void>(served.credits().balance("ada"));
  books.proxy().at_next_commit(fault);
  const Timed charge = timed([&] { served.credits().charge(kCharge); });
  books.proxy().at_next_commit(fault);
  const Timed query = timed([&] { static_cast<void>(served.credits().balance("ada")); });
  MESSAGE(name << (pipeline ? "" : ", without pipelining") << ": charge " << charge.outcome
               << " after " << charge.time.count() << " ms, query " << query.outcome << " after "
               << query.time.count() << " ms");
  CHECK(books.proxy().faults() == 2);
  CHECK(charge.outcome == "ok");
  CHECK(query.outcome == "ok");
  CHECK(charge.time < kCallTimeout);
  CHECK(query.time < kCallTimeout);
  CHECK(served.credits().charge(kCharge).usage_record.id == 1);
  CHECK(served.credits().balance("ada").total_credits == 990);
  CHECK(served.verify().ok);
}

}  // namespace

TEST_SUITE("deadlines") {
  TEST_CASE("a peer that falls silent is given up on by the deadline, at every moment") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    for (const Moment& moment : kMoments) {
      CAPTURE(moment.name);
      check_silence(*url, moment, true);
    }
    for (const Moment& moment : moments_without_pipelining()) {
      CAPTURE(moment.name);
      check_silence(*url, moment, false);
    }
  }

  TEST_CASE("a line of which half is closed, or an answer that is cut, is got over at once") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    for (const auto& [fault, name] : kClosing) {
      for (const bool pipeline : {true, false}) {
        CAPTURE(name);
        CAPTURE(pipeline);
        check_closing(*url, fault, name, pipeline);
      }
    }
  }

  TEST_CASE("the answer to a query that stays away, or stops half-way, is waited for in time") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    for (const AtCommit fault : {AtCommit::hold_answer, AtCommit::stall_answer}) {
      ProxiedBooks books(*url);
      const Accounting quiet = Accounting::open(patient({.database = books.proxy().url()}));
      static_cast<void>(quiet.credits().balance("ada"));
      books.proxy().at_next_commit(fault);
      const Timed call = timed([&] { static_cast<void>(quiet.credits().balance("ada")); });
      MESSAGE("an answer to a query that "
              << (fault == AtCommit::hold_answer ? "stays away" : "stops half-way") << ": "
              << call.outcome << " after " << call.time.count() << " ms");
      CHECK(books.proxy().faults() == 1);
      CHECK(call.outcome == "connection_lost");
      CHECK(call.time <= kLongest);
      CHECK(quiet.credits().balance("ada").total_credits == 1'000);
      CHECK(quiet.verify().ok);
    }
  }

  TEST_CASE(
      "a server that falls silent while it is connected to is given up on, with nothing left") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    Accounting::open({.database = *url, .migrate = false});  // whatever that opens for good
    const std::int64_t files = open_files();
    std::string outcome;
    std::int64_t round_trips = 0;
    for (; outcome != "ok" && round_trips < 20; ++round_trips) {
      TcpProxy proxy(*url);
      proxy.fall_silent(round_trips);
      const Timed open =
          timed([&] { Accounting::open(patient({.database = proxy.url(), .migrate = false})); });
      outcome = open.outcome;
      MESSAGE("silent after " << round_trips << " round trips: " << outcome << " after "
                              << open.time.count() << " ms");
      CHECK((outcome == "connection_lost" || outcome == "ok"));
      CHECK(open.time <= kLongest);
    }
    CHECK(round_trips > 3);
    CHECK(open_files() == files);
  }

  TEST_CASE("a peer that stops reading is given up on by the deadline, wherever sending stands") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    const std::vector<RecordRequest> many = large_records(24);
    for (const bool pipeline : {true, false}) {
      for (const std::int64_t bytes : {1, 100'000, 800'000}) {
        CAPTURE(pipeline);
        CAPTURE(bytes);
        check_full_socket(*url, many, bytes, pipeline);
      }
    }
  }

  TEST_CASE("a slow line delays calls, and one that is too slow ends at the deadline") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    Accounting slow = Accounting::open(patient({.database = books.proxy().url()}));
    static_cast<void>(slow.credits().balance("ada"));
    books.proxy().delay(100ms);
    const Timed delayed = timed([&] { slow.credits().charge(kCharge); });
    CHECK(delayed.outcome == "ok");
    CHECK(delayed.time >= 400ms);  // two round trips

    books.proxy().delay(1'500ms);
    const Timed cut = timed([&] {
      slow.credits().charge({.user_id = "ada", .service = "chat", .operation = "m", .credits = 1});
    });
    MESSAGE("delays of 100 ms: " << delayed.outcome << " after " << delayed.time.count()
                                 << " ms; of 1500 ms: " << cut.outcome << " after "
                                 << cut.time.count() << " ms");
    CHECK((cut.outcome == "connection_lost" || cut.outcome == "outcome_unknown"));
    CHECK(cut.time <= kLongest);
    CHECK(books.direct.credits().balance("ada").total_credits >= 989);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("hosts that all stay silent are given up on by the deadline, however many") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    TcpProxy silent(*url);
    silent.fall_silent();
    Options options = patient({.database = several_hosts({&silent, &silent, &silent})});
    for (const std::chrono::milliseconds connect_timeout : {1'000ms, 60'000ms}) {
      options.connect_timeout = connect_timeout;
      const Timed open = timed([&] { Accounting::open(options); });
      MESSAGE("three silent hosts: " << open.outcome << " after " << open.time.count() << " ms");
      CHECK(open.outcome == "connection_lost");
      CHECK(open.time <= kLongest);
    }
  }

  TEST_CASE("the host that answers is found behind others, where there is the time for it") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    TcpProxy silent(*url);
    silent.fall_silent();
    const TcpProxy answers(*url);
    std::optional<TcpProxy> gone(*url);
    const std::string refused_first = several_hosts({&*gone, &*gone, &answers});
    const std::string silent_first = several_hosts({&silent, &answers});
    gone.reset();
    const Timed past_refusals =
        timed([&] { Accounting::open(patient({.database = refused_first})); });
    CHECK(past_refusals.outcome == "ok");
    CHECK(past_refusals.time <= kCallTimeout);
    Options options = patient({.database = silent_first});
    options.call_timeout = 3'500ms;  // less than 2 s for each
    const Timed with_little_time = timed([&] { Accounting::open(options); });
    CHECK(with_little_time.outcome == "ok");
    options.call_timeout = 6s;
    const Timed with_time = timed([&] { Accounting::open(options); });
    CHECK(with_time.outcome == "ok");
    MESSAGE("a host behind two that refuse was found after "
            << past_refusals.time.count() << " ms, behind a silent one after "
            << with_little_time.time.count() << " of 3500 ms and " << with_time.time.count()
            << " of 6000 ms");
  }

  TEST_CASE("a refused call is answered by the deadline, however slow the line is to roll back") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ChargeRequest too_much = kCharge;
    too_much.credits = 10'000;
    for (const std::chrono::milliseconds delay : {950ms, 1'200ms}) {
      ProxiedBooks books(*url);
      Accounting slow = Accounting::open(patient({.database = books.proxy().url()}));
      static_cast<void>(slow.credits().balance("ada"));
      books.proxy().delay(delay);
      const Timed refused = timed([&] { slow.credits().charge(too_much); });
      MESSAGE("delays of " << delay.count() << " ms: " << refused.outcome << " after "
                           << refused.time.count() << " ms");
      CHECK(refused.outcome == "insufficient_credits(required 10000, available 1000)");
      CHECK(refused.time >= 2 * delay);
      CHECK(refused.time <= kLongest);
      books.proxy().delay(0ms);
      CHECK(slow.credits().charge(kCharge).usage_record.id == 1);
      CHECK(slow.verify().ok);
    }
  }

  TEST_CASE("a transaction that its caller held for long gives its connection back whole") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    Options options = patient({.database = books.proxy().url()});
    Accounting held = Accounting::open(options);
    static_cast<void>(held.credits().balance("ada"));
    const auto begun = books.proxy().round_trips();
    {
      Transaction transaction = held.transaction({"ada"});
      std::this_thread::sleep_for(kCallTimeout + 1s);
    }
    static_cast<void>(held.credits().balance("ada"));
    const auto made = books.proxy().round_trips() - begun;
    MESSAGE("a transaction held for a second longer than a call may take, and a query after it: "
            << made << " round trips");
    CHECK(made == 3);
    CHECK(held.verify().ok);
  }

  TEST_CASE("a lock or a connection that somebody holds is waited for until the deadline") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada", 1'000);
      Accounting other = Accounting::open(patient(books.options()));
      Accounting holder = Accounting::open(patient(books.options()));
      {
        const Transaction open = holder.transaction({"ada"});
        const Timed locked = timed([&] { other.credits().charge(kCharge); });
        auto in_thread = std::async(
            std::launch::async, [&] { return timed([&] { holder.credits().charge(kCharge); }); });
        const Timed pooled = in_thread.get();
        for (const Timed& call : {locked, pooled}) {
          CHECK(call.outcome == "store_error");
          CHECK(call.time <= kLongest);
          CHECK(call.time >= kCallTimeout / 2);
        }
        MESSAGE(to_string(books.database())
                << ": locked " << locked.outcome << " after " << locked.time.count()
                << " ms, no connection " << pooled.outcome << " after " << pooled.time.count()
                << " ms");
      }
      CHECK(other.credits().charge(kCharge).usage_record.id == 1);
    });
  }

  TEST_CASE("a transaction that is run again has one deadline for all its runs") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada", 1'000);
      Options options = patient(books.options());
      options.lock_timeout = 1'900ms;
      Accounting waiting = Accounting::open(options);
      static_cast<void>(waiting.credits().balance("ada"));
      Accounting holder = Accounting::open(options);
      Transaction open = holder.transaction({"ada"});
      int runs = 0;
      const auto spend = [&](Transaction& transaction) {
        ++runs;
        transaction.credits().deduct({.user_id = "ada", .credits = 1});
      };
      for (const bool locks_first : {false, true}) {
        const std::vector<std::string> users =
            locks_first ? std::vector<std::string>{"ada"} : std::vector<std::string>{};
        const Timed call = timed([&] { waiting.transact(spend, users); });
        MESSAGE(to_string(books.database())
                << (locks_first ? ", locked first: " : ": ") << call.outcome << " after "
                << call.time.count() << " ms and " << runs << " runs");
        CHECK(call.outcome == "store_error");
        CHECK(call.time <= kLongest);
        CHECK(call.time >= kCallTimeout / 2);
      }
    });
  }

  TEST_CASE("the runs of a transaction share one time, in which their own work does not count") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      for (const char* user : {"ada", "bob"}) {
        books.account(user, 100);
      }
      Accounting hasty = Accounting::open(patient(books.options()));
      static_cast<void>(hasty.credits().balance("ada"));
      const auto spend = [&](std::chrono::milliseconds own_work, const std::string& seconds) {
        return timed([&] {
          hasty.transact([&](Transaction& transaction) {
            for (const char* user : {"ada", "bob"}) {
              std::this_thread::sleep_for(own_work);
              const std::future<void> holder = hold(books, user, seconds);
              transaction.credits().deduct({.user_id = user, .credits = 1});
            }
          });
        });
      };
      const Timed waits_too_long = spend(0ms, "1.5");
      CHECK(waits_too_long.outcome == "store_error");
      CHECK(books.balance("ada") == 100);
      const Timed works_long = spend(kCallTimeout, "0.5");
      MESSAGE("waits of 2 x 1.5 s: " << waits_too_long.outcome << " after "
                                     << waits_too_long.time.count()
                                     << " ms; own work of 2 x 2 s: " << works_long.outcome
                                     << " after " << works_long.time.count() << " ms");
      CHECK(works_long.outcome == "ok");
      CHECK(works_long.time >= 2 * kCallTimeout);
      CHECK(books.balance("ada") == 99);
      CHECK(books.balance("bob") == 99);
    });
  }

  TEST_CASE("a sweep has one deadline, for finding stale sessions and for ending them") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      books.account("ada", 1'000);
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 100});
      books.advance(48h);
      Options options = patient(books.options());
      options.clock = books.clock();
      Accounting sweeper = Accounting::open(options);
      static_cast<void>(sweeper.credits().balance("ada"));
      const auto held = hold(books, "ada", "6");
      const auto locked =
          hold_by(books, "LOCK TABLE streaming_sessions IN ACCESS EXCLUSIVE MODE", "1.5");
      const Timed sweep = timed([&] { sweeper.sessions().expire_stale(); });
      MESSAGE(sweep.outcome << " after " << sweep.time.count() << " ms");
      CHECK(sweep.outcome == "store_error");
      CHECK(sweep.time <= kLongest);
      CHECK(sweep.time >= kCallTimeout / 2);
      held.wait();
      CHECK(sweeper.sessions().expire_stale().size() == 1);
      CHECK(books.balance("ada") == 1'000);
    });
  }

  TEST_CASE("a call that was short of time leaves the next one of its transaction all of its own") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      for (const char* user : {"ada", "bob"}) {
        books.account(user, 100);
      }
      for (const bool pipeline : {true, false}) {
        Options options = patient(books.options());
        options.pipeline = pipeline;
        Accounting hasty = Accounting::open(options);
        Transaction transaction = hasty.transaction();
        // After the first wait little is left for storing; the second needs more than that.
        for (const auto& [user, seconds] : {std::pair("ada", "1.5"), std::pair("bob", "1.2")}) {
          const std::future<void> holder = hold(books, user, seconds);
          transaction.credits().deduct({.user_id = user, .credits = 1});
        }
        transaction.commit();
        MESSAGE("two waits of 1.5 and 1.2 s in one transaction"
                << (pipeline ? "" : ", without pipelining") << ": committed");
      }
      CHECK(books.balance("ada") == 98);
      CHECK(books.balance("bob") == 98);
    });
  }

  TEST_CASE("a statement that does not end is ended by the deadline") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      books.account("ada", 1'000);
      books.tamper(
          "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
          "'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
          "CREATE TRIGGER dawdle BEFORE INSERT ON usage_records FOR EACH ROW "
          "EXECUTE FUNCTION dawdle()");
      for (const bool pipeline : {true, false}) {
        Options options = patient(books.options());
        options.pipeline = pipeline;
        Accounting slow = Accounting::open(options);
        const Timed call = timed([&] { slow.credits().charge(kCharge); });
        MESSAGE("a statement of 60 s: " << call.outcome << " after " << call.time.count() << " ms");
        CHECK(call.outcome == "store_error");
        CHECK(call.time <= kLongest);
      }
      books.tamper("DROP TRIGGER dawdle ON usage_records; DROP FUNCTION dawdle");
      CHECK(books.balance("ada") == 1'000);
    });
  }

  TEST_CASE("on SQLite, too, a statement that does not end is ended by the deadline") {
    for_databases({Database::sqlite_file}, {}, [](Books& books) {
      books.account("ada", 1'000);
      // Ends after all, so that a deadline that nobody keeps fails the test instead of stopping it.
      books.tamper(
          "CREATE TRIGGER dawdle BEFORE INSERT ON usage_records BEGIN "
          "SELECT count(*) FROM (WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL "
          "SELECT number + 1 FROM numbers LIMIT 50000000) SELECT number FROM numbers); END");
      Accounting slow = Accounting::open(patient(books.options()));
      const Timed call = timed([&] { slow.credits().charge(kCharge); });
      MESSAGE("a statement without end: " << call.outcome << " after " << call.time.count()
                                          << " ms");
      CHECK(call.outcome == "store_error");
      CHECK(call.time <= kLongest);
      CHECK(call.time >= kCallTimeout / 2);
      books.tamper("DROP TRIGGER dawdle");
      CHECK(books.balance("ada") == 1'000);
      CHECK(slow.credits().charge(kCharge).usage_record.id == 1);
    });
  }
}

}  // namespace accounting::testing
