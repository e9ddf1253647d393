// Injection: lets a PostgreSQL database fail the next writes with an SQLSTATE, so many times.
#pragma once

#include <cstdint>
#include <string>

namespace accounting::testing {

enum class Moment {
  insert,  ///< as the usage record is written
  commit   ///< as the transaction commits: by a deferred trigger
};

/// Fails the next `times` transactions that write a usage record to the schema of the URL. What
/// it put there is removed at the end.
class Injection {
 public:
  /// Raises `state`; or, where that is "slow", keeps the server busy for a quarter of a second.
  Injection(const std::string& url, const std::string& state, std::int64_t times,
            Moment moment = Moment::insert);
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;
  ~Injection();

  /// How many tries have come by. A rollback leaves the count as it is.
  [[nodiscard]] std::int64_t attempts() const;

 private:
  std::string url_;
};

}  // namespace accounting::testing
