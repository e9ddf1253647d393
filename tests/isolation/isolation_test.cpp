// Every interleaving of what the library sends, run by PostgreSQL's isolationtester and compared
// with what is written down in specs/ and expected/. With ACCOUNTING_TEST_UPDATE=1 in the
// environment both are written anew, for a person to read what changed.
#include "spec.hpp"
#include "support/books.hpp"
#include "support/databases.hpp"
#include "support/long_run.hpp"
#include "support/programs.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(ACCOUNTING_SOURCE_DIR) / "tests/isolation";

bool updates() {
  const char* word = std::getenv("ACCOUNTING_TEST_UPDATE");
  return word != nullptr && std::string(word) == "1";
}

/// The first line in which two texts differ, for a message that can be read.
std::string first_difference(const std::string& expected, const std::string& found) {
  std::size_t line = 0;
  for (std::size_t at = 0; at < std::max(expected.size(), found.size()); ++line) {
    const std::string here = expected.substr(std::min(at, expected.size()));
    const std::string there = found.substr(std::min(at, found.size()));
    const std::string old_line = here.substr(0, here.find('\n'));
    const std::string new_line = there.substr(0, there.find('\n'));
    if (old_line != new_line) {
      return "line " + std::to_string(line + 1) + "\n  expected: " + old_line +
             "\n  found:    " + new_line;
    }
    at += old_line.size() + 1;
  }
  return {};
}

void compare(const std::filesystem::path& file, const std::string& found) {
  if (updates()) {
    std::filesystem::create_directories(file.parent_path());
    write_text(file, found);
  }
  const std::string expected = read_text(file);
  const bool as_written = expected == found;
  CHECK_MESSAGE(as_written, file.string()
                                << ", " << first_difference(expected, found)
                                << "\n  (ACCOUNTING_TEST_UPDATE=1 writes the files anew)");
}

struct Counts {
  std::size_t permutations = 0;
  std::size_t waits = 0;
  std::size_t refused = 0;
};

std::size_t occurrences(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

/// What isolationtester prints of each of the permutations.
std::vector<std::string> run(const std::string& tester, const std::string& url, const Spec& spec,
                             const std::vector<Permutation>& permutations) {
  const ProgramResult result =
      run_program({"env", "PGISOLATIONTIMEOUT=60", tester, url}, spec.text(permutations));
  CHECK(result.exit_code == 0);
  CHECK(result.output.find("canceling") == std::string::npos);
  const std::string mark = "\nstarting permutation:";
  std::vector<std::string> told;
  for (auto at = result.output.find(mark); at != std::string::npos;) {
    const auto next = result.output.find(mark, at + 1);
    told.push_back(result.output.substr(at, next - at));
    at = next;
  }
  REQUIRE_MESSAGE(told.size() == permutations.size(), result.output);
  return told;
}

/// All permutations at once and then a look at the books; in the long version a look after each.
std::vector<std::string> run_and_verify(const std::string& tester, const std::string& url,
                                        const Spec& spec, Accounting& books) {
  std::vector<std::string> told;
  if (!is_long_run()) {
    told = run(tester, url, spec, spec.permutations);
    check_books_balance(books);
    return told;
  }
  for (const Permutation& permutation : spec.permutations) {
    told.push_back(run(tester, url, spec, {permutation}).front());
    CAPTURE(told.back());
    check_books_balance(books);
  }
  return told;
}

/// Whatever the interleaving, the books are as if one call had come after the other.
void check_ends(const Spec& spec, const std::vector<std::string>& told) {
  std::map<std::vector<std::string>, std::string> ends;
  for (std::size_t index = 0; index < told.size(); ++index) {
    CAPTURE(told[index]);
    const std::string end = told[index].substr(told[index].find("step end:"));
    const auto last_line = end.find("(1 row)");
    CHECK(ends.emplace(spec.permutations[index].history, end.substr(0, last_line)).first->second ==
          end.substr(0, last_line));
  }
}

}  // namespace

TEST_SUITE("isolation") {
  TEST_CASE("every interleaving is as it is written down") {
    const auto server = postgresql_url_or_skip();
    const auto tester = server_program_or_skip("isolationtester");
    if (!server || !tester) {
      return;
    }
    const FreshDatabase database(*server);
    // When it reaches the disk is nothing to these tests.
    const std::string hurried =
        with_parameter(database.url(), "options", "-csynchronous_commit=off");
    Accounting books = Accounting::open({.database = database.url(), .migrate = true});
    Counts counts;
    for (const Scenario& scenario : isolation_scenarios()) {
      CAPTURE(scenario.name);
      const Spec spec = spec_of(scenario, {.database = database.url()});
      compare(kFolder / "specs" / (scenario.name + ".spec"), spec.text(spec.permutations));
      const auto told = run_and_verify(tester->string(), hurried, spec, books);
      check_ends(spec, told);
      std::string output;
      for (const std::string& each : told) {
        output += each;
      }
      compare(kFolder / "expected" / (scenario.name + ".out"), output);
      counts.permutations += told.size();
      counts.waits += occurrences(output, "<waiting ...>");
      counts.refused += occurrences(output, "ERROR:");
    }
    MESSAGE("isolation: " << counts.permutations << " permutations, " << counts.waits
                          << " waited for a lock, " << counts.refused
                          << " stale decisions refused");
    CHECK(counts.waits > 0);
    CHECK(counts.refused > 0);
  }
}

}  // namespace accounting::testing
