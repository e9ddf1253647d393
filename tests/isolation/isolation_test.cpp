// Every interleaving of what the library sends, run by PostgreSQL's isolationtester and compared
// with what is written down in specs/ and expected/. With ACCOUNTING_TEST_UPDATE=1 in the
// environment both are written anew, for a person to read what changed.
#include "spec.hpp"
#include "support/books.hpp"
#include "support/databases.hpp"
#include "support/programs.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

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

/// Runs one permutation after the other, and looks at the books after each. Answers what
/// isolationtester printed, as if it had run them all at once.
std::string run_permutations(const std::string& tester, const Spec& spec, Accounting& books,
                             const std::string& url, Counts& counts) {
  std::string output;
  std::map<std::vector<std::string>, std::string> ends;
  for (const Permutation& permutation : spec.permutations) {
    const ProgramResult run =
        run_program({"env", "PGISOLATIONTIMEOUT=20", tester, url}, spec.text({permutation}));
    CHECK(run.exit_code == 0);
    CHECK(run.output.find("canceling") == std::string::npos);
    const auto begin = run.output.find("\nstarting permutation:");
    REQUIRE_MESSAGE(begin != std::string::npos, run.output);
    const std::string told = run.output.substr(begin);
    CAPTURE(told);
    check_books_balance(books);
    // Whatever the interleaving, the books are as if one had come after the other.
    const std::string end = told.substr(told.find("step end:"));
    CHECK(ends.emplace(permutation.history, end).first->second == end);
    output += told;
    ++counts.permutations;
  }
  counts.waits += occurrences(output, "<waiting ...>");
  counts.refused += occurrences(output, "ERROR:");
  return output;
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
      compare(kFolder / "expected" / (scenario.name + ".out"),
              run_permutations(tester->string(), spec, books, hurried, counts));
    }
    MESSAGE("isolation: " << counts.permutations << " permutations, " << counts.waits
                          << " waited for a lock, " << counts.refused
                          << " stale decisions refused");
    CHECK(counts.waits > 0);
    CHECK(counts.refused > 0);
  }
}

}  // namespace accounting::testing
