// Statistics: sums over a range of instants. Whole days come from the rollups, the partial days
// at the ends from the records themselves, and all adding up is done by the database.
#include "domain/validation.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

#include <algorithm>
#include <string>

namespace accounting::sql {
namespace {

using enum Type;

// The sums of one partial day, in the shape of rollups.
#define ACCOUNTING_PARTIAL_DAY(who, start, end)                                                \
  " UNION ALL SELECT user_id, DAY_TEXT(DAY(timestamp)), service, "                             \
  "CASE WHEN service = 'chat' OR substr(service, 1, 5) = 'chat-' THEN operation ELSE '' END, " \
  "1, credits FROM usage_records WHERE " who " timestamp >= INSTANT(:" start                   \
  ") AND timestamp < INSTANT(:" end ")"

#define ACCOUNTING_PARTS(who)                                                              \
  "WITH parts (user_id, day, service, model, records, credits) AS ("                       \
  "SELECT user_id, DAY_TEXT(day), service, model, records, credits FROM usage_rollups "    \
  "WHERE " who " day >= DAY(:first_day) AND day <= DAY(:last_day)" ACCOUNTING_PARTIAL_DAY( \
      who, "head_start", "head_end") ACCOUNTING_PARTIAL_DAY(who, "tail_start", "tail_end") ") "

#define ACCOUNTING_SUMS(part, name, condition)    \
  "SELECT '" part "', " name                      \
  ", CAST(coalesce(sum(records), 0) AS BIGINT), " \
  "CAST(coalesce(sum(credits), 0) AS BIGINT) FROM parts" condition

#define ACCOUNTING_COMMON_SUMS       \
  ACCOUNTING_SUMS("total", "''", "") \
  " UNION ALL " ACCOUNTING_SUMS("service", "service", " GROUP BY service")               \
  " UNION ALL " ACCOUNTING_SUMS("day", "day", " GROUP BY day")                           \
  " UNION ALL " ACCOUNTING_SUMS("model", "model", " WHERE model <> '' GROUP BY model")

const Statement sum_user_usage{
    .name = "sum_user_usage",
    .text = ACCOUNTING_PARTS("user_id = :user_id AND") ACCOUNTING_COMMON_SUMS,
    .parameters = {{"first_day", instant},
                   {"last_day", instant},
                   {"head_start", instant},
                   {"head_end", instant},
                   {"tail_start", instant},
                   {"tail_end", instant},
                   {"user_id", text}},
    .columns = {text, text, integer, integer}};

const Statement sum_system_usage{
    .name = "sum_system_usage",
    .text = ACCOUNTING_PARTS("") ACCOUNTING_COMMON_SUMS
    " UNION ALL " ACCOUNTING_SUMS("user", "user_id", " GROUP BY user_id"),
    .parameters = {{"first_day", instant},
                   {"last_day", instant},
                   {"head_start", instant},
                   {"head_end", instant},
                   {"tail_start", instant},
                   {"tail_end", instant}},
    .columns = {text, text, integer, integer}};

const Statement list_recent_usage{
    .name = "list_recent_usage",
    .text = "SELECT " ACCOUNTING_USAGE_COLUMNS
            " FROM usage_records WHERE user_id = :user_id AND timestamp >= INSTANT(:start) "
            "AND (INSTANT(:end) IS NULL OR timestamp < INSTANT(:end)) "
            "ORDER BY timestamp DESC, id DESC LIMIT 10",
    .parameters = {{"user_id", text}, {"start", instant}, {"end", instant}},
    .columns = columns::usage};

/// A range of instants as whole days and what is left at its ends. Where there is no whole day,
/// `first_day` lies after `last_day`; an end that is whole is an empty range.
struct DaySplit {
  Timestamp first_day;
  Timestamp last_day;
  Timestamp head_start;
  Timestamp head_end;
  Timestamp tail_start;
  Timestamp tail_end;

  [[nodiscard]] std::vector<Value> values() const {
    return {first_day, last_day, head_start, head_end, tail_start, tail_end};
  }
};

DaySplit split_days(const store::TimeRange& range) {
  using std::chrono::days;
  const Timestamp start = range.start.value_or(domain::earliest_instant);
  const Timestamp none = domain::earliest_instant;
  const Timestamp first_day = std::chrono::ceil<days>(start);
  if (first_day > domain::latest_instant) {
    return {none + days(1), none, start, range.end.value_or(domain::latest_instant), none, none};
  }
  if (!range.end) {
    return {first_day, domain::latest_instant, start, first_day, none, none};
  }
  const Timestamp end = *range.end;
  const Timestamp end_day = std::chrono::floor<days>(end);
  if (end_day < first_day) {
    // One partial day. `last_day` must be a day that can be written, so the order is kept apart
    // by the day after the first instant there is.
    return {none + days(1), none, start, end, none, none};
  }
  if (end_day == none) {
    return {none + days(1), none, none, none, none, end};
  }
  return {first_day, end_day - days(1), start, first_day, end_day, end};
}

/// One line of the sums: which map, which name, how much.
template <class Stats>
void add_sum(Stats& stats, const Row& row) {
  RowReader reader(row);
  const std::string part = reader.text();
  const std::string name = reader.text();
  const std::int64_t records = reader.integer();
  const std::int64_t credits = reader.integer();
  if (part == "total") {
    stats.total_records = records;
    stats.total_credits = credits;
  } else if (part == "service") {
    stats.by_service[name] = credits;
  } else if (part == "day") {
    stats.by_day[name] = credits;
  } else if (part == "model") {
    stats.by_model[name] = credits;
  } else if constexpr (requires { stats.by_user; }) {
    stats.by_user[name] = credits;
  }
}

}  // namespace

std::optional<UserStats> SqlSession::user_stats(const std::string& user_id,
                                                const store::TimeRange& range) {
  UserStats stats;
  std::vector<Value> values = split_days(range).values();
  values.emplace_back(user_id);
  Batch batch;
  batch.add(sum_user_usage, std::move(values), [&](const Rows& rows) {
    for (const Row& row : rows) {
      add_sum(stats, row);
    }
  });
  batch.add(list_recent_usage,
            {user_id, range.start.value_or(domain::earliest_instant), optional_value(range.end)},
            [&](const Rows& rows) {
              for (const Row& row : rows) {
                stats.recent_activity.push_back(read_usage(row));
              }
            });
  return account_exists(batch, user_id) ? std::optional(std::move(stats)) : std::nullopt;
}

SystemStats SqlSession::system_stats(const store::TimeRange& range) {
  SystemStats stats;
  Batch batch;
  batch.add(sum_system_usage, split_days(range).values(), [&](const Rows& rows) {
    for (const Row& row : rows) {
      add_sum(stats, row);
    }
  });
  run(batch);
  return stats;
}

}  // namespace accounting::sql
