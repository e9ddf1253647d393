#include "accounting/sessions.hpp"

#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/requests.hpp"
#include "services/writer.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace accounting {
namespace {

// Small, so that a sweep does not keep many accounts from their owners.
constexpr std::size_t sessions_a_transaction = 50;

}  // namespace

Sessions::Sessions(std::shared_ptr<const services::Context> context)
    : context_(std::move(context)) {}

StreamingSession Sessions::initialize(const InitializeRequest& request) {
  return services::execute_one<StreamingSession>(*context_,
                                                 services::command_of(*context_, request));
}

StreamingSession Sessions::get(const GetSessionRequest& request) const {
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

std::vector<StreamingSession> Sessions::active(const ActiveSessionsRequest& request) const {
  domain::check_user_id(request.user_id);
  return services::or_no_account(services::query(
      *context_, [&](store::Reads& reads) { return reads.active_sessions(request.user_id); }));
}

std::vector<StreamingSession> Sessions::all_active() const {
  return services::query(*context_,
                         [](store::Reads& reads) { return reads.all_active_sessions(); });
}

std::vector<Settlement> Sessions::expire_stale(const ExpireStaleRequest& request) {
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
  const std::span<const domain::Command> all(commands);
  for (std::size_t first = 0; first < all.size(); first += sessions_a_transaction) {
    const std::size_t count = std::min(sessions_a_transaction, all.size() - first);
    for (const domain::Result& result : services::execute(*context_, all.subspan(first, count))) {
      const auto* answer = std::get_if<domain::Answer>(&result);
      if (answer == nullptr) {
        context_->books().log(LogLevel::error, "a stale session could not be expired");
      } else if (const auto* settlement = std::get_if<Settlement>(answer)) {
        settlements.push_back(*settlement);
      }
    }
  }
  return settlements;
}

}  // namespace accounting
