// Usage statistics: exact to the microsecond, and equal to a plain aggregation of the raw records.
#include "support/books.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace accounting::testing {
namespace {

struct Range {
  std::optional<Timestamp> start = std::nullopt;
  std::optional<Timestamp> end = std::nullopt;
};

std::string day_of(Timestamp instant) {
  const std::chrono::year_month_day date(std::chrono::floor<days>(instant));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

bool is_chat(const std::string& service) {
  return service == "chat" || service.starts_with("chat-");
}

/// What the statistics must say, from the raw records that `list` answers.
UserStats plain_user_stats(Books& books, const std::string& user, const Range& range) {
  UserStats stats;
  const auto records =
      books.usage().list({.user_id = user, .start = range.start, .end = range.end, .limit = 1'000});
  for (const auto& record : records) {
    ++stats.total_records;
    stats.total_credits += record.credits;
    stats.by_service[record.service] += record.credits;
    stats.by_day[day_of(record.timestamp)] += record.credits;
    if (is_chat(record.service)) {
      stats.by_model[record.operation] += record.credits;
    }
  }
  stats.recent_activity = records;
  std::ranges::sort(stats.recent_activity, std::greater{}, [](const UsageRecord& record) {
    return std::pair(record.timestamp, record.id);
  });
  stats.recent_activity.resize(std::min<std::size_t>(10, records.size()));
  return stats;
}

SystemStats plain_system_stats(Books& books, const std::vector<std::string>& users,
                               const Range& range) {
  SystemStats sum;
  const auto add = [](CreditsByName& to, const CreditsByName& from) {
    for (const auto& [name, credits] : from) {
      to[name] += credits;
    }
  };
  for (const auto& user : users) {
    const UserStats stats = plain_user_stats(books, user, range);
    if (stats.total_records > 0) {
      sum.by_user[user] = stats.total_credits;
    }
    sum.total_records += stats.total_records;
    sum.total_credits += stats.total_credits;
    add(sum.by_service, stats.by_service);
    add(sum.by_day, stats.by_day);
    add(sum.by_model, stats.by_model);
  }
  return sum;
}

void check_user(const UserStats& stats, const UserStats& expected) {
  CHECK(stats.total_records == expected.total_records);
  CHECK(stats.total_credits == expected.total_credits);
  CHECK(stats.by_service == expected.by_service);
  CHECK(stats.by_day == expected.by_day);
  CHECK(stats.by_model == expected.by_model);
  CHECK(stats.recent_activity == expected.recent_activity);
}

void check_system(const SystemStats& stats, const SystemStats& expected) {
  CHECK(stats.total_records == expected.total_records);
  CHECK(stats.total_credits == expected.total_credits);
  CHECK(stats.by_user == expected.by_user);
  CHECK(stats.by_service == expected.by_service);
  CHECK(stats.by_day == expected.by_day);
  CHECK(stats.by_model == expected.by_model);
}

void record_at(Books& books, Timestamp instant, const std::string& user, const std::string& service,
               const std::string& operation, std::int64_t credits) {
  books.clock()->set(instant);
  books.usage().record(
      {.user_id = user, .service = service, .operation = operation, .credits = credits});
}

}  // namespace

TEST_SUITE("statistics") {
  TEST_CASE("without use everything is zero and empty") {
    for_each_database([](Books& books) {
      CHECK(books.usage().system_stats() == SystemStats{});
      books.account("ada", 10);
      CHECK(books.usage().user_stats({.user_id = "ada"}) == UserStats{});
      CHECK(books.usage().system_stats() == SystemStats{});
    });
  }

  TEST_CASE("credits are counted by service, by day, by model and by user") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob");
      record_at(books, kStart, "ada", "chat", "m1", 1);
      record_at(books, kStart + 24h - 1us, "ada", "chat-streaming-aborted", "m2", 2);
      record_at(books, kStart + 24h, "ada", "images", "m1", 4);
      record_at(books, kStart + 36h, "bob", "chat", "m1", 8);
      const UserStats ada = books.usage().user_stats({.user_id = "ada"});
      CHECK(ada.total_records == 3);
      CHECK(ada.total_credits == 7);
      CHECK(ada.by_service ==
            CreditsByName{{"chat", 1}, {"chat-streaming-aborted", 2}, {"images", 4}});
      CHECK(ada.by_day == CreditsByName{{"2026-01-01", 3}, {"2026-01-02", 4}});
      CHECK(ada.by_model == CreditsByName{{"m1", 1}, {"m2", 2}});
      REQUIRE(ada.recent_activity.size() == 3);
      CHECK(ada.recent_activity[0].credits == 4);
      CHECK(ada.recent_activity[2].credits == 1);

      const SystemStats all = books.usage().system_stats();
      CHECK(all.total_records == 4);
      CHECK(all.total_credits == 15);
      CHECK(all.by_user == CreditsByName{{"ada", 7}, {"bob", 8}});
      CHECK(all.by_service ==
            CreditsByName{{"chat", 9}, {"chat-streaming-aborted", 2}, {"images", 4}});
      CHECK(all.by_day == CreditsByName{{"2026-01-01", 3}, {"2026-01-02", 12}});
      CHECK(all.by_model == CreditsByName{{"m1", 9}, {"m2", 2}});
    });
  }

  TEST_CASE("chat is the service chat and those that begin with chat-, nothing else") {
    for_each_database([](Books& books) {
      books.account("ada");
      for (const char* service :
           {"chat", "chat-", "chat-x", "chatter", "Chat", "chat_x", "a-chat", "chat x", "cha"}) {
        record_at(books, kStart, "ada", service, service, 1);
      }
      CHECK(books.usage().user_stats({.user_id = "ada"}).by_model ==
            CreditsByName{{"chat", 1}, {"chat-", 1}, {"chat-x", 1}});
      CHECK(books.usage().system_stats().by_model ==
            CreditsByName{{"chat", 1}, {"chat-", 1}, {"chat-x", 1}});
    });
  }

  TEST_CASE("every end of a session counts for its model, with what the use cost") {
    for_each_database([](Books& books) {
      books.account("ada", 30);
      books.price("m", "1000");
      books.sessions().initialize({"1", "ada", "m", 5});
      books.sessions().initialize({"2", "ada", "m", 5});
      books.sessions().initialize({"3", "ada", "m", 5});
      books.sessions().initialize({"4", "ada", "m", 5});
      books.sessions().report({"4", "ada", 7});
      books.sessions().finalize({"1", "ada", 1});
      books.sessions().finalize({"2", "ada", 2, false});
      books.sessions().abort({"3", "ada", 300});
      books.advance(1h);
      books.sessions().expire_stale();
      const auto stats = books.usage().user_stats({.user_id = "ada"});
      CHECK(stats.total_records == 4);
      CHECK(stats.by_service == CreditsByName{{"chat-streaming", 1},
                                              {"chat-streaming-failed", 2},
                                              {"chat-streaming-aborted", 300},
                                              {"chat-streaming-expired", 7}});
      CHECK(stats.by_model == CreditsByName{{"m", 310}});
    });
  }

  TEST_CASE("a record of no credits is counted and named") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 0});
      books.sessions().finalize({"s", "ada", 0});
      const auto stats = books.usage().user_stats({.user_id = "ada"});
      CHECK(stats.total_records == 1);
      CHECK(stats.by_service == CreditsByName{{"chat-streaming", 0}});
      CHECK(stats.by_model == CreditsByName{{"m", 0}});
      CHECK(books.usage().system_stats().by_user == CreditsByName{{"ada", 0}});
    });
  }

  TEST_CASE("recent activity is the newest 10 records of the range, newest first") {
    for_each_database([](Books& books) {
      books.account("ada");
      for (int number = 1; number <= 14; ++number) {
        record_at(books, kStart + number * 1h, "ada", "s", "o", number);
      }
      const auto recent = [&](const Range& range) {
        std::vector<std::int64_t> credits;
        for (const auto& record :
             books.usage()
                 .user_stats({.user_id = "ada", .start = range.start, .end = range.end})
                 .recent_activity) {
          credits.push_back(record.credits);
        }
        return credits;
      };
      CHECK(recent({}) == std::vector<std::int64_t>{14, 13, 12, 11, 10, 9, 8, 7, 6, 5});
      CHECK(recent({.end = kStart + 3h}) == std::vector<std::int64_t>{2, 1});
      CHECK(recent({.start = kStart + 13h}) == std::vector<std::int64_t>{14, 13});
    });
  }

  TEST_CASE("any range, partial days included, equals a plain aggregation of the records") {
    for_each_database([](Books& books) {
      const std::vector<std::string> users = {"ada", "bob", "eve"};
      const std::vector<std::string> services = {"chat", "chat-streaming", "images", "chatter"};
      for (const auto& user : users) {
        books.account(user, 100'000);
      }
      std::mt19937 random(20260101);
      const auto below = [&](unsigned limit) { return static_cast<int>(random() % limit); };
      std::vector<Timestamp> instants = {kStart - 1us, kStart, kStart + 1us};
      for (int day = 0; day <= 4; ++day) {
        for (const auto offset : {-1us, 0us, 1us, 43'200'000'000us}) {
          instants.push_back(kStart + days(day) + offset);
        }
      }
      for (int number = 0; number < 120; ++number) {
        books.clock()->set(
            instants[static_cast<std::size_t>(below(static_cast<unsigned>(instants.size())))]);
        books.usage().record({.user_id = users[static_cast<std::size_t>(below(3))],
                              .service = services[static_cast<std::size_t>(below(4))],
                              .operation = "m" + std::to_string(below(3)),
                              .credits = 1 + below(1'000)});
      }
      instants.push_back(kStart + days(40));
      std::vector<Range> ranges = {{}};
      for (const auto instant : instants) {
        ranges.push_back({.start = instant});
        ranges.push_back({.end = instant});
      }
      for (int number = 0; number < 40; ++number) {
        const auto index = [&] {
          return static_cast<std::size_t>(below(static_cast<unsigned>(instants.size())));
        };
        const auto [start, end] = std::minmax(instants[index()], instants[index()]);
        ranges.push_back({.start = start, .end = end});
      }
      for (const auto& range : ranges) {
        CAPTURE(range.start);
        CAPTURE(range.end);
        check_system(books.usage().system_stats({.start = range.start, .end = range.end}),
                     plain_system_stats(books, users, range));
        check_user(
            books.usage().user_stats({.user_id = "ada", .start = range.start, .end = range.end}),
            plain_user_stats(books, "ada", range));
      }
    });
  }

  TEST_CASE("an empty range is empty, one that ends before it starts is refused") {
    for_each_database([](Books& books) {
      books.account("ada");
      record_at(books, kStart, "ada", "s", "o", 1);
      const auto usage = books.usage();
      CHECK(usage.user_stats({.user_id = "ada", .start = kStart, .end = kStart}) == UserStats{});
      CHECK(usage.system_stats({.start = kStart, .end = kStart}) == SystemStats{});
      CHECK_THROWS_AS(static_cast<void>(usage.user_stats({"ada", kStart + 1us, kStart})),
                      InvalidArgument);
      CHECK_THROWS_AS(static_cast<void>(usage.system_stats({kStart + 1us, kStart})),
                      InvalidArgument);
    });
  }

  TEST_CASE("days are UTC days whatever the server's time zone is") {
    for_databases({Database::postgresql, Database::postgresql_unpipelined}, {}, [](Books& books) {
      books.account("ada");
      for (const char* zone : {"Asia/Tokyo", "America/New_York"}) {
        auto elsewhere = books.open_again_with("TimeZone", zone);
        books.clock()->set(kStart);
        elsewhere.usage().record({"ada", "s", "o", 1});
        books.clock()->set(kStart + 24h - 1us);
        CHECK(elsewhere.usage().record({"ada", "s", "o", 10}).timestamp == kStart + 24h - 1us);
        const Range first_day{kStart, kStart + 24h};
        CHECK(elsewhere.usage().system_stats({first_day.start, first_day.end}).by_day ==
              plain_user_stats(books, "ada", first_day).by_day);
        CHECK(elsewhere.usage().system_stats({kStart + 1us, kStart + 24h - 1us}) == SystemStats{});
      }
      CHECK(books.usage().user_stats({"ada"}).by_day == CreditsByName{{"2026-01-01", 22}});
    });
  }
}

}  // namespace accounting::testing
