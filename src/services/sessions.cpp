#include "accounting/sessions.hpp"

#include "accounting/error.hpp"
#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/permits.hpp"
#include "services/requests.hpp"
#include "services/writer.hpp"

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

namespace accounting {
namespace {

using domain::Operation;

// Small, so that a sweep does not keep many accounts from their owners.
constexpr std::size_t sessions_a_transaction = 50;

/// Expires sessions that share a transaction; where the database refuses it, each half by itself,
/// so that one account that cannot be had keeps no other waiting. Answers the first error met.
std::exception_ptr expire_each(const services::Context& context,
                               std::span<const domain::Command> commands,
                               std::vector<Settlement>& settlements) {
  try {
    for (const domain::Result& result : services::execute(context, commands)) {
      const auto* answer = std::get_if<domain::Answer>(&result);
      if (answer == nullptr) {
        context.books().log(LogLevel::error, "a stale session could not be expired");
      } else if (const auto* settlement = std::get_if<Settlement>(answer)) {
        settlements.push_back(*settlement);
      }
    }
    return nullptr;
  } catch (const StoreError& error) {
    if (context.transaction() != nullptr) {
      throw;
    }
    if (commands.size() == 1 || error.code() != ErrorCode::store_error) {
      context.books().log(LogLevel::error, "stale sessions could not be expired");
      return std::current_exception();
    }
    const std::size_t half = commands.size() / 2;
    const std::exception_ptr first = expire_each(context, commands.first(half), settlements);
    const std::exception_ptr second = expire_each(context, commands.subspan(half), settlements);
    return first ? first : second;
  }
}

}  // namespace

Sessions::Sessions(std::shared_ptr<const services::Context> context)
    : context_(std::move(context)) {}

StreamingSession Sessions::initialize(const InitializeRequest& request) {
  return services::execute_one<StreamingSession>(*context_,
                                                 services::command_of(*context_, request));
}

StreamingSession Sessions::get(const GetSessionRequest& given) const {
  const GetSessionRequest request = services::permitted(*context_, Operation::get_session, given);
  domain::check_session_id(request.session_id);
  domain::check_user_id(request.user_id);
  const std::optional<StreamingSession> session = services::or_no_account(
      services::query(*context_, [&](store::Reads& reads) { return reads.session(request); }));
  if (!session) {
    throw NotFound("the account has no session with that session_id");
  }
  return *session;
}

StreamingSession Sessions::report(const ReportRequest& request) {
  return services::execute_one<StreamingSession>(*context_,
                                                 services::command_of(*context_, request));
}

StreamingSession Sessions::extend(const ExtendRequest& request) {
  return services::execute_one<StreamingSession>(*context_,
                                                 services::command_of(*context_, request));
}

Settlement Sessions::finalize(const FinalizeRequest& request) {
  return services::execute_one<Settlement>(*context_, services::command_of(*context_, request));
}

Settlement Sessions::abort(const AbortRequest& request) {
  return services::execute_one<Settlement>(*context_, services::command_of(*context_, request));
}

std::vector<StreamingSession> Sessions::active(const ActiveSessionsRequest& given) const {
  const ActiveSessionsRequest request =
      services::permitted(*context_, Operation::active_sessions, given);
  domain::check_user_id(request.user_id);
  return services::or_no_account(services::query(
      *context_, [&](store::Reads& reads) { return reads.active_sessions(request.user_id); }));
}

std::vector<StreamingSession> Sessions::all_active() const {
  services::permit(*context_, Operation::all_active_sessions);
  return services::query(*context_,
                         [](store::Reads& reads) { return reads.all_active_sessions(); });
}

std::vector<Settlement> Sessions::expire_stale(const ExpireStaleRequest& request) {
  services::permit(*context_, Operation::expire_stale);
  domain::check_limit(request.limit);
  const Timestamp now = context_->now();
  std::vector<domain::Command> commands;
  for (auto& [user_id, session_id] : services::query(*context_, [&](store::Reads& reads) {
         return reads.stale_sessions(now, request.limit);
       })) {
    commands.push_back({.user_id = user_id,
                        .actor = context_->actor(),
                        .key = std::nullopt,
                        .action = domain::Expire{.session_id = session_id}});
  }
  std::vector<Settlement> settlements;
  std::exception_ptr failure;
  const std::span<const domain::Command> all(commands);
  for (std::size_t first = 0; first < all.size(); first += sessions_a_transaction) {
    const std::size_t count = std::min(sessions_a_transaction, all.size() - first);
    const std::exception_ptr error = expire_each(*context_, all.subspan(first, count), settlements);
    failure = failure ? failure : error;
  }
  // What was settled is answered; the sessions left over are met again by the next call.
  if (failure && settlements.empty()) {
    std::rethrow_exception(failure);
  }
  return settlements;
}

}  // namespace accounting
