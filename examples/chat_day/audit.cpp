#include "audit.hpp"

#include <cstdint>
#include <string>

namespace chat_day {

namespace {

void expect_equal(Figures& figures, const std::string& what, std::int64_t left,
                  std::int64_t right) {
  if (left != right) {
    figures.problems.push_back(what + ": " + std::to_string(left) + " is not " +
                               std::to_string(right));
  }
}

/// What the run's users hold at the end of the day, summed over their allocations.
struct Holdings {
  std::int64_t total = 0;
  std::int64_t held = 0;
  std::int64_t expired = 0;
  std::int64_t remaining = 0;
};

void add_user(const accounting::Accounting& books, const std::string& user_id,
              accounting::Timestamp now, Holdings& holdings) {
  std::int64_t number = 1;
  std::int64_t pages = 1;
  for (; number <= pages; ++number) {
    const auto page = books.credits().history({.user_id = user_id, .page = number, .limit = 1'000});
    pages = page.total_pages;
    for (const auto& allocation : page.items) {
      const bool expired = allocation.expires_at && *allocation.expires_at <= now;
      holdings.total += allocation.total_credits;
      holdings.held += allocation.held_credits;
      (expired ? holdings.expired : holdings.remaining) += allocation.remaining_credits;
    }
  }
}

}  // namespace

void close_day(const accounting::Accounting& books, const Tenant& tenant, Figures& figures) {
  Holdings holdings;
  const auto now = books.health().time;
  const auto statistics = books.usage().system_stats();
  std::int64_t recorded = 0;
  for (const auto& [rank, tally] : figures.by_user) {
    const std::string user_id = tenant.user_id(rank);
    add_user(books, user_id, now, holdings);
    const auto found = statistics.by_user.find(user_id);
    recorded += found == statistics.by_user.end() ? 0 : found->second;
  }
  figures.expired = holdings.expired;
  figures.remaining = holdings.remaining;

  expect_equal(figures, "requests = completed + aborted + refused", figures.requests,
               figures.completed + figures.aborted + figures.refused);
  expect_equal(figures, "reserved + overage = used + refunded", figures.reserved + figures.overage,
               figures.used + figures.refunded);
  expect_equal(figures, "allocated = used - uncollected + expired + remaining", figures.allocated,
               figures.used - figures.uncollected + figures.expired + figures.remaining);
  expect_equal(figures, "credits allocated, as the books say", holdings.total, figures.allocated);
  expect_equal(figures, "credits still held", holdings.held, 0);
  expect_equal(figures, "credits used, as the statistics say", recorded, figures.used);

  const auto report = books.verify();
  figures.entries_verified = report.entries;
  for (const auto& problem : report.problems) {
    figures.problems.push_back(problem.invariant + ", " + problem.user_id + ": " + problem.detail);
  }
  if (!report.ok && report.problems.empty()) {
    figures.problems.emplace_back("verify is not content");
  }
}

}  // namespace chat_day
