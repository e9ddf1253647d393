// OldCharges: the charge that the older library was recorded to make, made again and again as its
// process would.
#pragma once

#include "old_database.hpp"

#include <string>
#include <vector>

namespace accounting::testing {

/// What the recorded charge asks for, with the key "old-<number>".
ChargeRequest old_request(int number);

class OldCharges {
 public:
  /// Of the books as the dump has them: the account's numbers are read from the database each time,
  /// all else is as it was recorded.
  explicit OldCharges(const OldDatabase& old);

  /// Answers what the database says where it refuses; nothing is left of the charge then.
  [[nodiscard]] std::string make(int number) const;

 private:
  /// The statements with marks where each charge differs.
  std::vector<std::string> trips_;
  bool chained_;
  PlainSession session_;
};

/// Whether what the database said is that older versions may write to the journal no more.
bool is_too_old(const std::string& refusal);

}  // namespace accounting::testing
