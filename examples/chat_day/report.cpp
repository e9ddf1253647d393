#include "report.hpp"

#include "text.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <utility>
#include <vector>

namespace chat_day {

namespace {

constexpr std::size_t longest_list = 5;
constexpr std::size_t most_problems = 20;

using Ranking = std::vector<std::pair<std::string, Tally>>;

void print_line(std::ostream& out, const std::string& name, std::int64_t number) {
  out << "  " << std::left << std::setw(34) << name << std::right << std::setw(16)
      << number_text(number) << "\n";
}

void print_ranking(std::ostream& out, const std::string& title, Ranking ranking) {
  const auto more = [](const auto& a, const auto& b) {
    return a.second.credits > b.second.credits;
  };
  std::stable_sort(ranking.begin(), ranking.end(), more);
  ranking.resize(std::min(ranking.size(), longest_list));
  out << "\n"
      << std::left << std::setw(24) << title << std::right << std::setw(12) << "requests"
      << std::setw(16) << "credits"
      << "\n";
  for (const auto& [name, tally] : ranking) {
    out << "  " << std::left << std::setw(22) << name << std::right << std::setw(12)
        << number_text(tally.requests) << std::setw(16) << number_text(tally.credits) << "\n";
  }
}

void print_verdict(std::ostream& out, const Figures& figures) {
  if (figures.problems.empty()) {
    out << "\nBooks balance: yes (" << number_text(figures.entries_verified)
        << " journal entries verified)\n";
    return;
  }
  out << "\nBooks balance: NO\n";
  const std::size_t shown = std::min(figures.problems.size(), most_problems);
  for (std::size_t index = 0; index < shown; ++index) {
    out << "  " << figures.problems[index] << "\n";
  }
  if (shown < figures.problems.size()) {
    out << "  ... and " << figures.problems.size() - shown << " more\n";
  }
}

void print_sums(std::ostream& out, const Figures& figures) {
  out << "\nRequests\n";
  print_line(out, "requests", figures.requests);
  print_line(out, "  completed", figures.completed);
  print_line(out, "  aborted by the client", figures.aborted);
  print_line(out, "    of these without a goodbye", figures.vanished);
  print_line(out, "  refused for lack of credits", figures.refused);
  print_line(out, "sessions at once, at most", figures.most_at_once);

  out << "\nCredits\n";
  print_line(out, "allocated", figures.allocated);
  print_line(out, "reserved", figures.reserved);
  print_line(out, "  used beyond that (overage)", figures.overage);
  print_line(out, "used", figures.used);
  print_line(out, "refunded", figures.refunded);
  print_line(out, "uncollected", figures.uncollected);
  print_line(out, "expired unused", figures.expired);
  print_line(out, "left to the users", figures.remaining);
}

}  // namespace

void print_summary(std::ostream& out, const Figures& figures, const Origin& origin,
                   const Script& script, const Tenant& tenant) {
  out << "A day of chat, billed\n"
      << "  trace     " << origin.trace << "\n"
      << "  from      " << time_text(script.first) << " to " << time_text(script.last) << " UTC\n"
      << "  database  " << origin.database << "\n"
      << "  accounts  " << tenant.name << "/..., " << number_text(std::ssize(figures.by_user))
      << " of " << number_text(script.users) << " users\n";
  print_sums(out, figures);

  Ranking users;
  for (const auto& [rank, tally] : figures.by_user) {
    users.emplace_back(tenant.user_id(rank).substr(tenant.name.size() + 1), tally);
  }
  print_ranking(out, "Top users", std::move(users));
  Ranking by_model;
  for (std::size_t model = 0; model < models.size(); ++model) {
    by_model.emplace_back(models[model].id, figures.by_model[model]);
  }
  print_ranking(out, "Top models", std::move(by_model));

  print_verdict(out, figures);
  const double rate = static_cast<double>(figures.calls) / std::max(figures.seconds, 0.001);
  out << decimal_text(figures.seconds, 1) << " seconds, " << number_text(std::llround(rate))
      << " session calls a second\n";
}

void print_json(std::ostream& out, const Figures& figures, const Origin& origin) {
  const std::vector<std::pair<const char*, std::int64_t>> numbers = {
      {"requests", figures.requests},
      {"completed", figures.completed},
      {"aborted", figures.aborted},
      {"expired_sessions", figures.vanished},
      {"refused", figures.refused},
      {"allocated_credits", figures.allocated},
      {"reserved_credits", figures.reserved},
      {"overage_credits", figures.overage},
      {"used_credits", figures.used},
      {"refunded_credits", figures.refunded},
      {"uncollected_credits", figures.uncollected},
      {"expired_credits", figures.expired},
      {"remaining_credits", figures.remaining},
      {"extensions", figures.extensions},
      {"extensions_refused", figures.extensions_refused},
      {"users", std::ssize(figures.by_user)},
      {"problems", std::ssize(figures.problems)}};
  out << "{";
  for (const auto& [name, number] : numbers) {
    out << "\"" << name << "\": " << number << ", ";
  }
  out << "\"seed\": " << origin.seed
      << ", \"books_balance\": " << (figures.problems.empty() ? "true" : "false")
      << ", \"seconds\": " << decimal_text(figures.seconds, 3) << "}\n";
}

}  // namespace chat_day
