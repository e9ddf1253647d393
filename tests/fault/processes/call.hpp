// Calls: what a worker asks of the books, in a form that a log can hold and an audit can repeat.
#pragma once

#include <accounting/accounting.hpp>

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace accounting::testing {

enum class CallKind {
  charge,
  allocate,
  revoke,
  transfer,  ///< a transaction that takes credits here and gives them there
  initialize,
  report,
  extend,
  finalize,
  abort,
  expire
};

/// One call. Its id is its idempotency key, and stands in what it writes, so that every row tells
/// who asked for it.
struct WorkerCall {
  CallKind kind = CallKind::charge;
  std::string id;
  std::string user = "-";     ///< the account; none for `expire`
  std::string subject = "-";  ///< the session, the allocation or the other account
  std::int64_t amount = 0;    ///< credits or tokens
};

std::string to_string(const WorkerCall& call);
/// Reads what `to_string` wrote; throws std::runtime_error for anything else.
WorkerCall read_call(std::istream& in);

/// Makes the call, and answers in words what the library answered.
std::string perform(Accounting& books, const WorkerCall& call);

/// Makes charges in one call, and answers in the same words; throws where one did not succeed.
std::vector<std::string> perform_together(Accounting& books,
                                          const std::vector<WorkerCall>& charges);

/// True where the same call again is answered in the same words at any later time.
bool answers_again(CallKind kind);
/// True where the call is about a session that an earlier call began.
bool goes_on_with_session(CallKind kind);

/// What workers' charges are recorded under, and the notes of the allocations that come first.
inline constexpr const char* kService = "work";
inline constexpr const char* kModel = "model";
inline constexpr const char* kFirstAllocation = "first";

std::string account_name(std::int64_t number);

}  // namespace accounting::testing
