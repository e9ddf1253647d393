// Queries: what an account has, whether that is enough, what it used.
#include "accounts.hpp"
#include "cases.hpp"

#include <stdexcept>

namespace accounting::bench {
namespace {

/// Midnight of the first day for which the run has made up usage records.
constexpr Timestamp stats_origin = std::chrono::sys_days(std::chrono::year{2026} / 1 / 1);

}  // namespace

Figures balance(const Settings& settings) {
  Accounting books = open_prepared(settings);
  const Credits credits = books.credits();
  const auto ids = account_ids(settings);
  return measure(settings, [&](std::int64_t caller) -> Call {
    return [&, picker = Picker(ids, caller)]() mutable {
      static_cast<void>(credits.balance(picker.next()));
    };
  });
}

Figures check(const Settings& settings) {
  Accounting books = open_prepared(settings);
  const Credits credits = books.credits();
  const auto ids = account_ids(settings);
  return measure(settings, [&](std::int64_t caller) -> Call {
    return [&, picker = Picker(ids, caller)]() mutable {
      if (!credits.check({.user_id = picker.next(), .credits = 3})) {
        throw std::runtime_error("an account has run out of credits");
      }
    };
  });
}

Figures user_stats(const Settings& settings) {
  Accounting books = open_prepared(settings);
  const Usage usage = books.usage();
  UserStatsRequest request{.user_id = settings.user};
  if (settings.to_hours != 0) {
    request.start = stats_origin + std::chrono::hours(settings.from_hours);
    request.end = stats_origin + std::chrono::hours(settings.to_hours);
  }
  return measure(settings, [&](std::int64_t) -> Call {
    return [&] {
      const UserStats stats = usage.user_stats(request);
      if (stats.total_records == 0 || stats.recent_activity.size() != 10) {
        throw std::runtime_error("the records that were made up are missing");
      }
    };
  });
}

Figures system_stats(const Settings& settings) {
  Accounting books = open_prepared(settings);
  const Usage usage = books.usage();
  return measure(settings, [&](std::int64_t) -> Call {
    return [&] {
      if (usage.system_stats({}).by_user.empty()) {
        throw std::runtime_error("the records that were made up are missing");
      }
    };
  });
}

}  // namespace accounting::bench
