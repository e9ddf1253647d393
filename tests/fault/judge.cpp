#include "fault/judge.hpp"

#include <algorithm>
#include <string_view>

namespace accounting::testing {
namespace {

bool has_words(const std::string& detail, std::string_view words) {
  constexpr std::string_view bar = " | ";
  for (std::size_t end = 0; end != std::string_view::npos; words.remove_prefix(end + bar.size())) {
    end = words.find(bar);
    if (detail.find(words.substr(0, end)) == std::string::npos) {
      return false;
    }
    if (end == std::string_view::npos) {
      break;
    }
  }
  return true;
}

std::string text_of(const VerifyReport& report) {
  std::string text;
  for (const Problem& problem : report.problems) {
    text += "\n  " + problem.invariant + " " + problem.user_id + "  " + problem.detail;
  }
  return text.empty() ? " nothing" : text;
}

/// Whether the report says what the corruption expects.
bool judges(const VerifyReport& report, const Corruption& corruption) {
  const auto expected = [&](const Problem& problem) {
    return problem.invariant == corruption.invariant && has_words(problem.detail, corruption.words);
  };
  const auto of_ada = [](const Problem& problem) { return problem.user_id == "ada"; };
  return !report.ok && std::ranges::any_of(report.problems, expected) &&
         std::ranges::all_of(report.problems, of_ada);
}

}  // namespace

void for_corruptible_books(const std::function<void(Books&, CorruptibleBooks&)>& test) {
  for_databases({Database::sqlite_file, Database::postgresql}, {.own_schema = true},
                [&](Books& books) {
                  live_two_lives(books);
                  CorruptibleBooks corruptible(books);
                  REQUIRE(text_of(books.accounting().verify()) == " nothing");
                  test(books, corruptible);
                  corruptible.restore();
                });
}

void judge_each(const std::vector<Corruption>& corruptions) {
  for_corruptible_books([&](Books& books, CorruptibleBooks& corruptible) {
    std::int64_t seen = 0;
    for (const Corruption& corruption : corruptions) {
      CAPTURE(corruption.what);
      corruptible.run(corruption.sql);
      const VerifyReport report = books.accounting().verify();
      const bool judged = judges(report, corruption);
      CHECK_MESSAGE(judged, corruption.invariant << " '" << corruption.words
                                                 << "' was expected; reported:" << text_of(report));
      seen += judged ? 1 : 0;
      corruptible.restore();
    }
    MESSAGE("judge on " << to_string(books.database()) << ": " << corruptions.size()
                        << " corruptions made, " << seen << " named");
    CHECK(seen == std::ssize(corruptions));
  });
}

}  // namespace accounting::testing
