// Requests: commands as a host makes them, through the services' public doors.
#pragma once

#include "accounting/accounting.hpp"
#include "domain/command.hpp"

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace accounting::testing {

using SharedContext = std::shared_ptr<const services::Context>;

/// An error of the database as the caller sees it.
struct Trouble {
  ErrorCode code = ErrorCode::store_error;
  bool retryable = false;

  friend bool operator==(const Trouble&, const Trouble&) = default;
};

/// What a call of one command came to.
using Reply = std::variant<domain::Result, Trouble>;

/// Makes the call that the command stands for; throws what it throws.
domain::Answer perform(const SharedContext& context, const domain::Command& command);

/// `allocate_many` or `record_many`: an answer for each (only how many, for records).
std::vector<domain::Answer> perform_together(const SharedContext& context,
                                             const std::vector<domain::Command>& commands);
/// As the calls of callers that wait for the database at the same time.
std::vector<Reply> perform_at_once(const SharedContext& context,
                                   const std::vector<domain::Command>& commands);
std::vector<Reply> charge_many(const SharedContext& context,
                               const std::vector<domain::Command>& commands);

/// The refusal that an error stands for, or the trouble.
Reply reply_of(const AccountingError& error);
/// What `call` answers or throws, as a value.
Reply reply_of(const std::function<domain::Answer()>& call);

std::string said(const Trouble& trouble);
std::string said(const Reply& reply);

}  // namespace accounting::testing
