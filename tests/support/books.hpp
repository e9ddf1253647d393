// Books: a fresh set of books for every test, on each database that the contract covers, and the
// words in which tests speak about them.
#pragma once

#include <doctest/doctest.h>
#include <accounting/accounting.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace accounting::testing {

using namespace std::chrono_literals;
using std::chrono::days;

/// Where the clock of every test starts: midnight, 2026-01-01T00:00:00Z.
inline constexpr Timestamp kStart =
    std::chrono::sys_days{std::chrono::year{2026} / std::chrono::January / 1};

inline constexpr std::int64_t kMostCredits = 1'000'000'000'000'000;
inline constexpr std::int64_t kMostTokens = 1'000'000'000'000;

using Slices = std::vector<Slice>;

enum class Database {
  sqlite_memory,
  sqlite_file,
  postgresql,
  postgresql_unpipelined,  ///< each statement pays its own round trip
  postgresql_partitioned   ///< the growing tables partitioned by hash of user_id
};

std::string_view to_string(Database database) noexcept;

/// False, and said loudly once, where the database needs PostgreSQL and there is none.
bool is_available_or_skip(Database database);

struct Setup {
  Policy policy = {};
  std::int64_t pool_size = 4;
  /// A PostgreSQL schema of the test's own, which it may change.
  bool own_schema = false;
};

/// Freshly set up books with a clock that the test moves. The rows of the test before are gone, so
/// ids, lists and system-wide statistics start from nothing.
class Books {
 public:
  Books(Database database, const Setup& setup);
  /// The same over a database of the caller's own, set up where it is empty; the clock is the
  /// test's all the same.
  Books(Database database, const Options& options);
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;
  ~Books();

  [[nodiscard]] Accounting& accounting() { return *accounting_; }
  [[nodiscard]] Accounts accounts() const { return accounting_->accounts(); }
  [[nodiscard]] Credits credits() const { return accounting_->credits(); }
  [[nodiscard]] Sessions sessions() const { return accounting_->sessions(); }
  [[nodiscard]] Usage usage() const { return accounting_->usage(); }
  [[nodiscard]] Pricing pricing() const { return accounting_->pricing(); }

  /// Moves the clock.
  void advance(std::chrono::microseconds step) { clock_->advance(step); }
  [[nodiscard]] Timestamp now() const { return clock_->now(); }
  [[nodiscard]] const std::shared_ptr<ManualClock>& clock() const { return clock_; }

  /// Creates an account that can spend `credits` for the policy's days.
  void account(const std::string& user_id, std::int64_t credits = 0);
  /// Gives credits that expire after some days.
  CreditAllocation give(const std::string& user_id, std::int64_t credits, std::int64_t for_days);
  /// Sets a model's price from now on.
  void price(const std::string& model_id, const Price& per_1k_tokens);

  /// What the account can spend now.
  [[nodiscard]] std::int64_t balance(const std::string& user_id) const;
  [[nodiscard]] std::int64_t held(const std::string& user_id) const;
  /// One of the account's allocations, as stored now.
  [[nodiscard]] CreditAllocation allocation(const std::string& user_id, std::int64_t id) const;
  [[nodiscard]] std::vector<CreditEntry> entries(const std::string& user_id) const;
  [[nodiscard]] std::vector<UsageRecord> usage_of(const std::string& user_id) const;

  [[nodiscard]] Database database() const noexcept { return database_; }
  [[nodiscard]] bool on_postgresql() const noexcept { return database_ >= Database::postgresql; }
  /// False in memory, where nobody else can open the same books.
  [[nodiscard]] bool can_open_again() const noexcept {
    return database_ != Database::sqlite_memory;
  }
  /// How the books were opened.
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  /// Opens the same database once more, as another process would, with the same clock.
  [[nodiscard]] Accounting open_again(const Policy& policy = {}) const;
  /// The same with a setting of the server's changed for its connections. Not on SQLite.
  [[nodiscard]] Accounting open_again_with(const std::string& setting,
                                           const std::string& value) const;
  /// Runs SQL behind the library's back; answers as run_on does. Not in memory.
  std::string tamper(const std::string& sql) const;

 private:
  Database database_;
  std::shared_ptr<void> storage_;  ///< a directory or schema that goes away with the books
  std::shared_ptr<ManualClock> clock_;
  Options options_;
  std::optional<Accounting> accounting_;
};

/// Runs the test once on each database, as a subcase that bears the database's name, and proves
/// afterwards that the books balance. Says loudly where there is no PostgreSQL.
void for_each_database(const std::function<void(Books&)>& test);
void for_each_database(const Setup& setup, const std::function<void(Books&)>& test);
void for_databases(const std::vector<Database>& databases, const Setup& setup,
                   const std::function<void(Books&)>& test);

/// `verify` finds nothing, and what the public API shows adds up: each allocation's journal to
/// what is left and held of it, sequences without gaps, each balance to its allocations.
void check_books_balance(Accounting& accounting);

/// Runs SQL on the database of a URL, without the library. Answers the first column of the first
/// row that the SQL, which should have one query at most, comes to; empty where there is none.
std::string run_on(const std::string& url, const std::string& sql);

/// The directory that ACCOUNTING_SHARED names; none, said loudly, where it is unset.
std::optional<std::string> shared_directory_or_skip();

/// An error as tests name it: "not_found", "invalid_argument(credits)",
/// "insufficient_credits(required 5, available 3)". Throws where the error's type and code differ.
std::string describe(const AccountingError& error);

/// What a call came to: "ok", or the description of its error.
template <class Call>
std::string outcome_of(Call&& call) {
  try {
    static_cast<void>(std::forward<Call>(call)());
    return "ok";
  } catch (const AccountingError& error) {
    return describe(error);
  }
}

/// Runs `work` in `count` threads that start together; what one throws is thrown at the end.
void in_threads(int count, const std::function<void(int thread)>& work);

}  // namespace accounting::testing

// --- how failed checks print values --------------------------------------------------------------

namespace accounting {

inline std::ostream& operator<<(std::ostream& out, ErrorCode code) {
  return out << to_string(code);
}
inline std::ostream& operator<<(std::ostream& out, Role role) { return out << to_string(role); }
inline std::ostream& operator<<(std::ostream& out, EntryKind kind) {
  return out << to_string(kind);
}
inline std::ostream& operator<<(std::ostream& out, SessionStatus status) {
  return out << to_string(status);
}
inline std::ostream& operator<<(std::ostream& out, const Price& price) {
  return out << price.to_string();
}
inline std::ostream& operator<<(std::ostream& out, const Slice& slice) {
  return out << slice.credits << " of #" << slice.allocation_id;
}
inline std::ostream& operator<<(std::ostream& out, const Tokens& tokens) {
  if (!tokens.by_kind()) {
    return out << tokens.number();
  }
  const TokenCounts counts = tokens.counts();
  return out << "input " << counts.input << " output " << counts.output << " cached_input "
             << counts.cached_input;
}
std::ostream& operator<<(std::ostream& out, const CreditAllocation& allocation);
std::ostream& operator<<(std::ostream& out, const UsageRecord& record);
std::ostream& operator<<(std::ostream& out, const StreamingSession& session);
inline std::ostream& operator<<(std::ostream& out, const Settlement& settlement) {
  return out << settlement.user_id << '/' << settlement.session_id << ' ' << settlement.status
             << ": estimated " << settlement.estimated_credits << " allocated "
             << settlement.allocated_credits << " actual " << settlement.actual_credits
             << " refund " << settlement.refund << " overage " << settlement.overage
             << " uncollected " << settlement.uncollected;
}

}  // namespace accounting

namespace doctest {

template <>
struct StringMaker<const char*> {
  static String convert(const char* text) { return text; }
};

template <>
struct StringMaker<accounting::Timestamp> {
  static String convert(const accounting::Timestamp& instant);
};

template <class Value>
struct StringMaker<std::optional<Value>> {
  static String convert(const std::optional<Value>& value) {
    return value ? toString(*value) : String("none");
  }
};

template <class Value>
struct StringMaker<std::vector<Value>> {
  static String convert(const std::vector<Value>& values) {
    String text = "[";
    for (const auto& value : values) {
      text += (text.size() > 1 ? String(", ") : String("")) + toString(value);
    }
    return text + "]";
  }
};

template <class Key, class Value>
struct StringMaker<std::map<Key, Value>> {
  static String convert(const std::map<Key, Value>& values) {
    String text = "{";
    for (const auto& [key, value] : values) {
      text +=
          (text.size() > 1 ? String(", ") : String("")) + toString(key) + ": " + toString(value);
    }
    return text + "}";
  }
};

}  // namespace doctest
