// The judge of every number: one column of one row changed by one, for each column that holds a
// number or an instant, and `verify` must notice; with the list of those that no invariant covers.
#include "fault/judge.hpp"
#include "support/long_run.hpp"

#include <algorithm>
#include <random>
#include <sstream>
#include <stdexcept>

namespace accounting::testing {
namespace {

/// What identifies a row among ada's, as an expression of text.
const std::map<std::string, std::string> kRowNames = {
    {"user_accounts", "'the account'"},
    {"credit_allocations", "CAST(id AS TEXT)"},
    {"streaming_sessions", "session_id"},
    {"session_slices", "session_id || '/' || CAST(position AS TEXT)"},
    {"usage_records", "CAST(id AS TEXT)"},
    {"credit_entries", "CAST(sequence AS TEXT)"},
    {"idempotency_keys", "idempotency_key"},
    {"usage_rollups", "CAST(day AS TEXT) || '/' || service || '/' || model"}};

/// Rows whose column says something that stands nowhere else.
struct Uncovered {
  std::string column;  ///< "table.column"
  std::string rows;    ///< SQL
  std::string why;
};

const std::vector<Uncovered> kUncovered = {
    {"user_accounts.created_at", "1 = 1", "no credit depends on it"},
    {"user_accounts.updated_at", "1 = 1", "no credit depends on it"},
    {"credit_allocations.effective_at", "id NOT IN (1, 6)",
     "given without a key: seen where a take depends on it"},
    {"credit_allocations.expires_at", "id NOT IN (1, 6)",
     "given without a key: seen where a take depends on it"},
    {"usage_records.timestamp", "id = 4", "recorded without a key: only its day is in a rollup"},
    {"credit_entries.created_at", "sequence = 56",
     "deducted without a key: seen where the taken allocation depends on it"}};

class ColumnChanger {
 public:
  ColumnChanger(Books& books, CorruptibleBooks& corruptible, std::uint32_t seed)
      : books_(books), corruptible_(corruptible), random_(seed) {}

  [[nodiscard]] std::vector<std::string> number_columns(const std::string& table) const {
    return list(books_.on_postgresql()
                    ? "SELECT string_agg(column_name, ',') FROM information_schema.columns WHERE "
                      "table_schema = current_schema() AND is_generated = 'NEVER' AND data_type "
                      "IN ('bigint', 'integer', 'timestamp with time zone') AND table_name = '" +
                          table + "'"
                    : "SELECT group_concat(name, ',') FROM pragma_table_info('" + table +
                          "') WHERE type = 'INTEGER'");
  }

  /// Ada's rows where the condition holds and the column is not NULL, in any order.
  std::vector<std::string> rows(const std::string& table, const std::string& column,
                                const std::string& condition) {
    const std::string joined = books_.on_postgresql() ? "string_agg(" : "group_concat(";
    auto names = list("SELECT " + joined + kRowNames.at(table) + ", ',') FROM " + table +
                      " WHERE {ada} AND " + column + " IS NOT NULL AND (" + condition + ")");
    std::ranges::shuffle(names, random_);
    return names;
  }

  /// False where the change would make two rows of one.
  bool change(const std::string& table, const std::string& column, const std::string& row,
              const std::string& step) const {
    const bool instant = column == "timestamp" || column.ends_with("_at");
    try {
      corruptible_.run("UPDATE " + table + " SET " + column + " = " + column + " " + step + " " +
                       (instant ? "{tick}" : "1") + " WHERE {ada} AND " + kRowNames.at(table) +
                       " = '" + row + "'");
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  /// Whether an invariant sees it, and blames ada alone; then undoes it.
  [[nodiscard]] bool is_noticed() const {
    const VerifyReport report = books_.accounting().verify();
    corruptible_.restore();
    CHECK(std::ranges::all_of(report.problems,
                              [](const Problem& problem) { return problem.user_id == "ada"; }));
    return std::ranges::any_of(report.problems, [](const Problem& problem) {
      return problem.invariant.starts_with("I") && !problem.detail.empty();
    });
  }

 private:
  [[nodiscard]] std::vector<std::string> list(const std::string& sql) const {
    std::vector<std::string> items;
    std::istringstream text(corruptible_.run(sql));
    for (std::string item; std::getline(text, item, ',');) {
      items.push_back(item);
    }
    return items;
  }

  Books& books_;
  CorruptibleBooks& corruptible_;
  std::mt19937 random_;
};

/// Of a column, a random row that may be changed is changed; with ACCOUNTING_TEST_LONG each row.
/// Answers how many changes were stored.
int change_column(ColumnChanger& changer, const std::string& table, const std::string& column) {
  const auto uncovered = std::ranges::find(kUncovered, table + "." + column, &Uncovered::column);
  const std::string covered =
      uncovered == kUncovered.end() ? "1 = 1" : "NOT (" + uncovered->rows + ")";
  const bool each_row = is_long_run();
  int changes = 0;
  for (const std::string step : {"+", "-"}) {
    int stored = 0;
    for (const std::string& row : changer.rows(table, column, covered)) {
      if ((stored == 0 || each_row) && changer.change(table, column, row, step)) {
        CAPTURE(row);
        CAPTURE(step);
        CHECK(changer.is_noticed());
        ++stored;
      }
    }
    CHECK((stored > 0 || covered != "1 = 1"));
    changes += stored;
  }
  return changes;
}

}  // namespace

TEST_SUITE("judge") {
  TEST_CASE("every number and instant is covered, or is on the list of those that are not") {
    for_corruptible_books([](Books& books, CorruptibleBooks& corruptible) {
      const auto seed = static_cast<std::uint32_t>(first_seed());
      CAPTURE(seed);
      ColumnChanger changer(books, corruptible, seed);
      int changes = 0;
      int columns = 0;
      for (const std::string& table : CorruptibleBooks::tables()) {
        for (const std::string& column : changer.number_columns(table)) {
          CAPTURE(table);
          CAPTURE(column);
          changes += change_column(changer, table, column);
          ++columns;
        }
      }
      MESSAGE("judge of numbers on " << to_string(books.database()) << ": " << columns
                                     << " columns, " << changes << " rows changed by one, "
                                     << kUncovered.size() << " columns not covered, seed " << seed);
      CHECK(changes > columns);
    });
  }

  TEST_CASE("the list of what is not covered is not longer than it must be") {
    for_corruptible_books([](Books& books, CorruptibleBooks& corruptible) {
      ColumnChanger changer(books, corruptible, 1);
      for (const auto& [name, condition, why] : kUncovered) {
        CAPTURE(name);
        CAPTURE(why);
        const std::string table = name.substr(0, name.find('.'));
        const std::string column = name.substr(table.size() + 1);
        const auto rows = changer.rows(table, column, condition);
        REQUIRE_FALSE(rows.empty());
        REQUIRE(changer.change(table, column, rows.front(), "+"));
        CHECK_FALSE(changer.is_noticed());
      }
    });
  }
}

}  // namespace accounting::testing
