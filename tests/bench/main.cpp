// accounting_bench: one measurement, printed as one line of JSON. tests/bench/run calls it; by
// hand, for a profiler say: accounting_bench charge --database sqlite:// --seconds 10
#include "accounts.hpp"
#include "cases.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>

namespace accounting::bench {
namespace {

using Case = Figures (*)(const Settings&);

/// What the calls have left behind: figures of books that do not balance are of no use.
std::string verify(const Settings& settings) {
  const VerifyReport report = open_books(settings).verify();
  nlohmann::json told = {{"accounts", report.accounts},
                         {"usage_records", report.usage_records},
                         {"entries", report.entries},
                         {"problems", nlohmann::json::array()}};
  for (const Problem& problem : report.problems) {
    told["problems"].push_back(problem.invariant + " " + problem.user_id + ": " + problem.detail);
  }
  return told.dump();
}

std::string run(const Settings& settings) {
  const std::map<std::string, Case> cases = {
      {"charge", charge},
      {"charge_many", charge_many},
      {"session", session},
      {"balance", balance},
      {"check", check},
      {"user_stats", user_stats},
      {"system_stats", system_stats},
      {"engine", engine},
      {"hash_chain", hash_chain},
      {"sqlite_floor", sqlite_floor},
      {"sqlite_rows", sqlite_rows},
      {"round_trip", round_trip},
  };
  if (const auto found = cases.find(settings.command); found != cases.end()) {
    return to_json(found->second(settings));
  }
  if (settings.command == "prepare") {
    Accounting books = open_books(settings);
    prepare(books, settings);
    return "{}";
  }
  if (settings.command == "verify") {
    return verify(settings);
  }
  if (settings.command == "durability") {
    return durability(settings);
  }
  if (settings.command == "proxy") {
    serve_proxy(settings);
  }
  throw std::runtime_error("not a command: " + settings.command);
}

}  // namespace
}  // namespace accounting::bench

int main(int count, char** arguments) {
  try {
    std::puts(accounting::bench::run(accounting::bench::read_settings(count, arguments)).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "accounting_bench: %s\n", error.what());
    return 1;
  }
}
