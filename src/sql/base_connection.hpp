// BaseConnection: how trips begin, end and fail; what all databases have in common.
#pragma once

#include "sql/connection.hpp"

#include <vector>

namespace accounting::sql {

/// A trip that neither begins a transaction nor finds one open is one by itself: all of it
/// happens, or nothing; where all its statements begin with SELECT, it only reads. After a trip
/// that failed, the connection takes no more statements for the same transaction until `rollback`.
class BaseConnection : public Connection {
 public:
  std::vector<Rows> run(const Trip& trip) final;
  void rollback() noexcept final;

 protected:
  /// Runs a trip whose beginning and end are settled.
  virtual std::vector<Rows> perform(Begin begin, const std::vector<Call>& calls, bool commit) = 0;
  virtual void roll_back() noexcept = 0;

  /// True where the transaction under way only reads, so that it has nothing to lose.
  [[nodiscard]] bool reading() const noexcept { return reading_; }

 private:
  void check_beginning(Begin kind, bool open) const;

  bool reading_ = false;
  bool begun_ = false;   ///< a transaction was begun, and not ended here
  bool failed_ = false;  ///< the transaction can only be rolled back
};

}  // namespace accounting::sql
