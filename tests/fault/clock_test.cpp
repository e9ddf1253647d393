// Clocks: the books' own decides, to the microsecond, whatever time zone the host and the server
// are in.
#include "support/books.hpp"

#include <cstdlib>
#include <ctime>
#include <functional>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;

/// Puts the process into another time zone for as long as it lives. Only while no other thread
/// runs: the environment is everybody's.
class HostTimeZone {
 public:
  explicit HostTimeZone(const std::string& name) {
    const char* before = std::getenv("TZ");
    before_ = before == nullptr ? std::nullopt : std::optional<std::string>(before);
    set(name);
  }
  HostTimeZone(const HostTimeZone&) = delete;
  HostTimeZone& operator=(const HostTimeZone&) = delete;
  ~HostTimeZone() { set(before_); }

 private:
  static void set(const std::optional<std::string>& name) {
    if (name) {
      setenv("TZ", name->c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }

  std::optional<std::string> before_;
};

/// How far the host's local time is ahead of UTC.
std::int64_t offset_of_host() {
  const std::time_t now = 1'767'225'600;  // kStart
  std::tm local{};
  localtime_r(&now, &local);
  return local.tm_gmtoff;
}

/// At how many moments the books were asked.
int moments_asked = 0;

void set_clock(Books& books, Timestamp moment) {
  ++moments_asked;
  books.clock()->set(moment);
}

/// Runs the test with the clock's books, and through books whose connections the URL puts into
/// another time zone, each in several zones of the host.
void in_time_zones(const std::function<void(Books&, Accounting&)>& test) {
  std::string played;
  moments_asked = 0;
  // Written as rules, so that no database of zones is needed: 5:30 h ahead, 9:30 h behind.
  const std::vector<std::string> zones = {"UTC0", "IST-5:30", "MIT9:30"};
  for (const std::string& zone : zones) {
    for_databases({Database::sqlite_file, Database::postgresql, Database::postgresql_unpipelined},
                  {}, [&](Books& books) {
                    CAPTURE(zone);
                    const HostTimeZone host(zone);
                    CHECK((offset_of_host() == 0) == (zone == "UTC0"));
                    Accounting other = books.on_postgresql()
                                           ? books.open_again_with("TimeZone", "Asia/Tokyo")
                                           : books.open_again();
                    test(books, other);
                    check_books_balance(other);
                    played += (played.empty() ? to_string(books.database()) : " and");
                    played += ' ' + zone;
                  });
  }
  if (!played.empty()) {
    MESSAGE(played << ": the books were asked at " << moments_asked << " moments");
    CHECK(moments_asked >= 2 * std::ssize(zones));
  }
}

/// A microsecond before `instant`, at it, and what is then asked.
struct Moments {
  Books& books;
  Timestamp instant;

  template <class Ask>
  void check(Ask ask, const std::string& before, const std::string& at) const {
    // Forward over the boundary, and back again: nothing is remembered of a time that was.
    for (const auto& [moment, expected] :
         std::vector<std::pair<Timestamp, std::string>>{{instant - 1us, before},
                                                        {instant, at},
                                                        {instant + 1h, at},
                                                        {instant - 1us, before},
                                                        {instant - 1h, before},
                                                        {instant, at}}) {
      CAPTURE(doctest::toString(moment - instant));
      set_clock(books, moment);
      CHECK(ask() == expected);
    }
  }
};

}  // namespace

TEST_SUITE("clock") {
  TEST_CASE("an allocation counts from its first microsecond to the one before its expiry") {
    in_time_zones([](Books& books, Accounting& other) {
      const Timestamp from = kStart + 36h + 1us;
      const Timestamp to = from + 100h + 7us;
      books.account("ada");
      const CreditAllocation given = books.credits().allocate({.user_id = "ada",
                                                               .credits = 100,
                                                               .allocated_by = "admin",
                                                               .expires_at = to,
                                                               .effective_at = from});
      CHECK(given.effective_at == from);
      CHECK(given.expires_at == to);
      for (Accounting* each : {&books.accounting(), &other}) {
        CHECK(each->credits().history({.user_id = "ada"}).items.at(0) == given);
        const auto balance = [&] {
          return std::to_string(each->credits().balance("ada").total_credits);
        };
        Moments{books, from}.check(balance, "0", "100");
        Moments{books, to}.check(balance, "100", "0");
        const auto take_too_much = [&] {
          return outcome_of([&] { each->credits().deduct({"ada", 101}); });
        };
        Moments{books, from}.check(take_too_much, "insufficient_credits(required 101, available 0)",
                                   "insufficient_credits(required 101, available 100)");
        Moments{books, to}.check(take_too_much, "insufficient_credits(required 101, available 100)",
                                 "insufficient_credits(required 101, available 0)");
      }
      set_clock(books, to - 1us);
      CHECK(other.credits().charge({"ada", "chat", "m", 40}).usage_record.timestamp == to - 1us);
      set_clock(books, to);
      // The first remembers the account as it has just left it, the second looks it up.
      for (Accounting* each : {&other, &books.accounting()}) {
        CHECK(outcome_of([&] {
                each->credits().deduct({"ada", 1});
              }) == "insufficient_credits(required 1, available 0)");
      }
    });
  }

  TEST_CASE("a session goes stale at its very microsecond, not before, and not for a clock ahead") {
    in_time_zones([](Books& books, Accounting& other) {
      books.account("ada", 1'000);
      books.price("m", "1000");
      const Timestamp began = kStart + 13h + 3us;
      set_clock(books, began);
      const StreamingSession session = books.sessions().initialize({"s", "ada", "m", 10});
      CHECK(session.expires_at == began + 1h);
      // Back: what is younger than now is not stale either.
      for (const Timestamp moment : {began - 1h, began, began + 1h - 1us}) {
        set_clock(books, moment);
        CHECK(other.sessions().expire_stale().empty());
      }
      // A sign of life that comes from a clock set back takes no time from the session.
      set_clock(books, began - 1h);
      const StreamingSession reported = other.sessions().report({"s", "ada", 5});
      CHECK(reported.expires_at == session.expires_at);
      set_clock(books, reported.expires_at - 1us);
      CHECK(other.sessions().expire_stale().empty());
      set_clock(books, reported.expires_at);
      const std::vector<Settlement> settled = other.sessions().expire_stale();
      REQUIRE(settled.size() == 1);
      CHECK(settled[0].actual_credits == 5);
      CHECK(books.sessions().get({"s", "ada"}).completed_at == reported.expires_at);
      CHECK(books.sessions().expire_stale().empty());
    });
  }

  TEST_CASE("a price holds from its first microsecond to the one before the next one's") {
    in_time_zones([](Books& books, Accounting& other) {
      const Timestamp change = kStart + 24h + 11us;
      books.account("ada", 1'000);
      for (const auto& [price, from] :
           std::vector<std::pair<Price, Timestamp>>{{"1000", kStart}, {"2000", change}}) {
        books.pricing().set({.model_id = "m",
                             .price_per_1k_tokens = price,
                             .created_by = "admin",
                             .effective_from = from});
      }
      for (Accounting* each : {&books.accounting(), &other}) {
        CHECK(each->pricing().list({.model_id = "m"}).at(0).effective_to == change);
        Moments{books, change}.check(
            [&] { return each->pricing().get({"m"}).price_per_1k_tokens.to_string(); }, "1000",
            "2000");
        Moments{books, change}.check(
            [&] {
              return std::to_string(each->pricing().calculate({"m", 10}));
            },
            "10", "20");
        CHECK(each->pricing().calculate({"m", 10, change - 1us}) == 10);
      }
      int number = 0;
      const auto hold = [&] {
        const std::string session = "s" + std::to_string(++number);
        return std::to_string(
            other.sessions().initialize({session, "ada", "m", 10}).estimated_credits);
      };
      Moments{books, change}.check(hold, "10", "20");
    });
  }

  TEST_CASE("an API key is good to the microsecond before its expiry") {
    in_time_zones([](Books& books, Accounting& other) {
      books.account("ada");
      books.advance(5us);
      const IssuedApiKey issued =
          books.accounting().api_keys().create({.user_id = "ada", .name = "n", .expiry_days = 1});
      REQUIRE(issued.api_key.expires_at == kStart + 24h + 5us);
      for (Accounting* each : {&books.accounting(), &other}) {
        Moments{books, *issued.api_key.expires_at}.check(
            [&] {
              return outcome_of([&] { static_cast<void>(each->api_keys().validate(issued.key)); });
            },
            "ok", "invalid_api_key");
      }
    });
  }

  TEST_CASE("a use counts to the day of UTC") {
    in_time_zones([](Books& books, Accounting& other) {
      books.account("ada", 1'000);
      set_clock(books, kStart + 24h - 1us);
      other.credits().charge({"ada", "chat", "m", 1});
      set_clock(books, kStart + 24h);
      books.credits().charge({"ada", "chat", "m", 2});
      const CreditsByName days = {{"2026-01-01", 1}, {"2026-01-02", 2}};
      CHECK(books.usage().user_stats({"ada"}).by_day == days);
      CHECK(other.usage().user_stats({"ada"}).by_day == days);
      // Whole days come from sums that are kept, parts of days from the records themselves.
      const UserStatsRequest parts{"ada", kStart + 23h, kStart + 25h};
      CHECK(books.usage().user_stats(parts).by_day == days);
      CHECK(other.usage().user_stats(parts).by_day == days);
      CHECK(other.usage().list({.user_id = "ada", .start = kStart + 24h}).size() == 1);
      CHECK(other.usage().list({.user_id = "ada", .end = kStart + 24h}).size() == 1);
    });
  }
}

}  // namespace accounting::testing
