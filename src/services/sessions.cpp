#include "accounting/sessions.hpp"

#include "accounting/error.hpp"
#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/permits.hpp"
#include "services/requests.hpp"
#include "services/writer.hpp"

#include <exception>
#include <utility>
#include <variant>

namespace accounting {
namespace {

using domain::Operation;

/// Keeps the settlement that an expiry came to, if it came to one; answers what went wrong.
std::exception_ptr keep_settlement(const services::Context& context,
                                   const std::variant<domain::Result, std::exception_ptr>& outcome,
                                   std::vector<Settlement>& settlements) {
  if (const auto* failure = std::get_if<std::exception_ptr>(&outcome)) {
    context.books().log(LogLevel::error, "stale sessions could not be expired");
    return *failure;
  }
  const auto* answer = std::get_if<domain::Answer>(&std::get<domain::Result>(outcome));
  if (answer == nullptr) {
    context.books().log(LogLevel::error, "a stale session could not be expired");
  } else if (const auto* settlement = std::get_if<Settlement>(answer)) {
    settlements.push_back(*settlement);
  }
  return nullptr;
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
  const store::Deadline deadline =
      services::deadline_of_call(context_->books(), static_cast<std::size_t>(request.limit));
  const auto find = [&](store::Reads& reads) { return reads.stale_sessions(now, request.limit); };
  std::vector<domain::Command> commands;
  for (auto& [user_id, session_id] : services::query(*context_, find, deadline)) {
    commands.push_back({.user_id = user_id,
                        .actor = context_->actor(),
                        .key = std::nullopt,
                        .action = domain::Expire{.session_id = session_id}});
  }
  std::vector<Settlement> settlements;
  std::exception_ptr failure;
  // Sessions that share a transaction or not.
  for (const auto& outcome : services::execute_each(*context_, commands, deadline)) {
    const std::exception_ptr error = keep_settlement(*context_, outcome, settlements);
    failure = failure ? failure : error;
  }
  // What was settled is answered; the sessions left over are met again by the next call.
  if (failure && settlements.empty()) {
    std::rethrow_exception(failure);
  }
  return settlements;
}

}  // namespace accounting
