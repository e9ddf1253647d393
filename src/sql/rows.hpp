// Rows: fetched rows as the domain's values, column by column.
#pragma once

#include "accounting/accounts.hpp"
#include "accounting/audit.hpp"
#include "accounting/credits.hpp"
#include "accounting/pricing.hpp"
#include "accounting/usage.hpp"
#include "domain/api_keys.hpp"
#include "domain/state.hpp"
#include "domain/validation.hpp"
#include "sql/statement.hpp"

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace accounting::sql {

/// Takes a row's columns from left to right.
class RowReader {
 public:
  explicit RowReader(const Row& row) : row_(row) {}

  std::int64_t integer() { return std::get<std::int64_t>(next()); }
  std::string text() { return std::get<std::string>(next()); }
  /// Throws std::out_of_range for what the library would not have stored.
  Timestamp instant() {
    const Timestamp read{std::chrono::microseconds(integer())};
    if (read < domain::earliest_instant || read > domain::latest_instant) {
      throw std::out_of_range("a stored instant lies outside the years 1970 to 9999");
    }
    return read;
  }
  bool flag() { return integer() != 0; }

  std::optional<std::int64_t> optional_integer() {
    return optional([this] { return integer(); });
  }
  std::optional<std::string> optional_text() {
    return optional([this] { return text(); });
  }
  std::optional<Timestamp> optional_instant() {
    return optional([this] { return instant(); });
  }

 private:
  const Value& next() { return row_.at(column_++); }

  template <class Read>
  auto optional(Read read) -> std::optional<decltype(read())> {
    if (std::holds_alternative<std::monostate>(row_.at(column_))) {
      ++column_;
      return std::nullopt;
    }
    return read();
  }

  const Row& row_;
  std::size_t column_ = 0;
};

// Each reads the columns that the list of the same name selects.
UserAccount read_account(const Row& row);
domain::AccountCounters read_counters(const Row& row);
CreditAllocation read_allocation(const Row& row);
domain::AllocationState read_allocation_state(RowReader& reader);
domain::SessionRecord read_session(const Row& row);
UsageRecord read_usage(const Row& row);
CreditEntry read_entry(const Row& row);
domain::KeyRecord read_key(const Row& row);
PricingRule read_rule(const Row& row);
domain::ApiKeyRecord read_api_key(const Row& row);
AuditEntry read_audit(const Row& row);

/// The same allocation as the ledger sees it.
domain::AllocationState state_of(const CreditAllocation& allocation);

/// JSON as PostgreSQL spells it, in the library's canonical spelling.
std::optional<std::string> canonical_json(std::optional<std::string> text);

/// A list of texts as the dialect's WORDS takes it.
Value words_value(const std::vector<std::string>& words);

Value optional_value(const std::optional<std::string>& text);
Value optional_value(const std::optional<std::int64_t>& number);
Value optional_value(const std::optional<Timestamp>& instant);
Value optional_value(const std::optional<Price>& price);

}  // namespace accounting::sql
