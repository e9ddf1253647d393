// The accounts that the cases work on: made by `prepare`, or on the spot where the books are in
// memory; and a way for a caller to pick one of them.
#pragma once

#include "settings.hpp"

#include <string>
#include <vector>

namespace accounting::bench {

inline constexpr const char* model = "atlas";

/// Sets the books up: schema, a price, and accounts with plenty of credits that never expire.
void prepare(Accounting& books, const Settings& settings);

/// The settings' one user, or as many accounts as they say.
std::vector<std::string> account_ids(const Settings& settings);

/// Opens the books for a case.
Accounting open_prepared(const Settings& settings);

/// Picks accounts at random; each caller has its own.
class Picker {
 public:
  Picker(const std::vector<std::string>& ids, std::int64_t caller);
  const std::string& next() noexcept;

 private:
  const std::vector<std::string>* ids_;
  std::uint64_t state_;
};

}  // namespace accounting::bench
