#include "accounting/usage.hpp"

#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/permits.hpp"
#include "services/requests.hpp"
#include "services/writer.hpp"

#include <utility>

namespace accounting {

using domain::Operation;

Usage::Usage(std::shared_ptr<const services::Context> context) : context_(std::move(context)) {}

UsageRecord Usage::record(const RecordRequest& request) {
  return services::execute_one<UsageRecord>(*context_, services::command_of(*context_, request));
}

std::int64_t Usage::record_many(const std::vector<RecordRequest>& requests) {
  const std::vector<domain::Command> commands = services::commands_of(*context_, requests);
  return static_cast<std::int64_t>(services::execute_together(*context_, commands).size());
}

std::vector<UsageRecord> Usage::list(const ListUsageRequest& given) const {
  const ListUsageRequest request = services::permitted(*context_, Operation::list_usage, given);
  domain::check_user_id(request.user_id);
  domain::check_time_range(request.start, request.end);
  domain::check_after(request.after);
  domain::check_limit(request.limit);
  return services::or_no_account(
      services::query(*context_, [&](store::Reads& reads) { return reads.usage(request); }));
}

UserStats Usage::user_stats(const UserStatsRequest& given) const {
  const UserStatsRequest request = services::permitted(*context_, Operation::user_stats, given);
  domain::check_user_id(request.user_id);
  domain::check_time_range(request.start, request.end);
  return services::or_no_account(services::query(*context_, [&](store::Reads& reads) {
    return reads.user_stats(request.user_id, {.start = request.start, .end = request.end});
  }));
}

SystemStats Usage::system_stats(const SystemStatsRequest& request) const {
  services::permit(*context_, Operation::system_stats);
  domain::check_time_range(request.start, request.end);
  return services::query(*context_, [&](store::Reads& reads) {
    return reads.system_stats({.start = request.start, .end = request.end});
  });
}

}  // namespace accounting
