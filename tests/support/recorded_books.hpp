// RecordedBooks: the library's services over a connection that keeps what it is told to run, so
// that tests can replay the library's own SQL step by step, in another program or in another order.
#pragma once

#include "sql/connection.hpp"
#include "store/store.hpp"

#include <accounting/accounting.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace accounting::testing {

/// A statement as it was sent: prepared under a name and given values, or as it stands.
struct RecordedStatement {
  std::string name = {};                 ///< empty for BEGIN, COMMIT and ROLLBACK
  std::string text = {};                 ///< with `$1`, `$2` … for the values
  std::vector<std::string> values = {};  ///< as SQL

  /// With the values written into it.
  [[nodiscard]] std::string written() const;
};

/// What was sent at once.
struct RecordedTrip {
  std::vector<RecordedStatement> statements;
  bool reads = false;   ///< outside a transaction that writes
  bool begins = false;  ///< begins a transaction that writes
  bool commits = false;

  [[nodiscard]] bool rolls_back() const { return statements.front().text == "ROLLBACK"; }
};

/// Books whose schema is there already, on one connection. For one thread.
class RecordedBooks {
 public:
  explicit RecordedBooks(const Options& options);

  [[nodiscard]] Accounts accounts() const { return Accounts(context_); }
  [[nodiscard]] Credits credits() const { return Credits(context_); }
  [[nodiscard]] Sessions sessions() const { return Sessions(context_); }
  [[nodiscard]] Usage usage() const { return Usage(context_); }
  [[nodiscard]] Pricing pricing() const { return Pricing(context_); }

  /// What was run since it was last asked.
  std::vector<RecordedTrip> take_trips();
  /// Does this once, after the next trip.
  void after_next_trip(std::function<void()> work);

 private:
  struct Record {
    std::vector<RecordedTrip> trips;
    std::function<void()> after_next_trip;
  };
  friend class RecordingConnection;
  friend class RecordingStore;

  std::shared_ptr<Record> record_;
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting::testing
