#include "accounting/credits.hpp"

#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/permits.hpp"
#include "services/requests.hpp"
#include "services/writer.hpp"

#include <utility>
#include <variant>

namespace accounting {
namespace {

using domain::Command;
using domain::Operation;
using services::Context;

std::exception_ptr as_exception(const domain::Refusal& refusal) {
  try {
    domain::throw_refusal(refusal);
  } catch (...) {
    return std::current_exception();
  }
}

Outcome<Charge> outcome_of(std::variant<domain::Result, std::exception_ptr>& outcome) {
  if (const auto* failure = std::get_if<std::exception_ptr>(&outcome)) {
    return *failure;
  }
  auto& result = std::get<domain::Result>(outcome);
  if (const auto* refusal = std::get_if<domain::Refusal>(&result)) {
    return as_exception(*refusal);
  }
  return std::get<Charge>(std::get<domain::Answer>(std::move(result)));
}

/// What each came to; where the database cannot be had at all, or fails the caller's own
/// transaction, they all come to the same.
std::vector<std::variant<domain::Result, std::exception_ptr>> charge_each(
    const Context& context, const std::vector<Command>& commands) {
  try {
    return services::execute_each(context, commands);
  } catch (const StoreError&) {
    return {commands.size(), std::current_exception()};
  }
}

}  // namespace

Credits::Credits(std::shared_ptr<const services::Context> context) : context_(std::move(context)) {}

CreditAllocation Credits::allocate(const AllocateRequest& request) {
  return services::execute_one<CreditAllocation>(*context_,
                                                 services::command_of(*context_, request));
}

std::vector<CreditAllocation> Credits::allocate_many(const std::vector<AllocateRequest>& requests) {
  const std::vector<Command> commands = services::commands_of(*context_, requests);
  std::vector<CreditAllocation> allocations;
  for (domain::Result& result : services::execute_together(*context_, commands)) {
    allocations.push_back(std::get<CreditAllocation>(std::get<domain::Answer>(std::move(result))));
  }
  return allocations;
}

Balance Credits::balance(const BalanceRequest& given) const {
  const BalanceRequest request = services::permitted(*context_, Operation::balance, given);
  domain::check_user_id(request.user_id);
  const Timestamp now = context_->now();
  return services::or_no_account(services::query(
      *context_, [&](store::Reads& reads) { return reads.balance(request.user_id, now); }));
}

bool Credits::check(const CheckRequest& given) const {
  const CheckRequest request = services::permitted(*context_, Operation::check, given);
  domain::check_user_id(request.user_id);
  // Unlike an amount that moves, 0 is a fair question: the original answers it with yes.
  domain::check_range("credits", request.credits, 0, domain::largest_credits);
  const Timestamp now = context_->now();
  return request.credits <=
         services::or_no_account(services::query(*context_, [&](store::Reads& reads) {
           return reads.active_credits(request.user_id, now);
         }));
}

Deduction Credits::deduct(const DeductRequest& request) {
  return services::execute_one<Deduction>(*context_, services::command_of(*context_, request));
}

Charge Credits::charge(const ChargeRequest& request) {
  return services::execute_one<Charge>(*context_, services::command_of(*context_, request));
}

std::vector<Outcome<Charge>> Credits::charge_many(const std::vector<ChargeRequest>& requests) {
  std::vector<Command> commands;
  std::vector<std::exception_ptr> invalid(requests.size());
  for (std::size_t index = 0; index < requests.size(); ++index) {
    try {
      commands.push_back(services::command_of(*context_, requests[index]));
    } catch (const InvalidArgument&) {
      invalid[index] = std::current_exception();
    } catch (const Forbidden&) {
      invalid[index] = std::current_exception();
    }
  }
  auto carried_out = charge_each(*context_, commands);
  std::vector<Outcome<Charge>> outcomes;
  outcomes.reserve(requests.size());
  auto next = carried_out.begin();
  for (const std::exception_ptr& error : invalid) {
    outcomes.push_back(error ? Outcome<Charge>(error) : outcome_of(*next++));
  }
  return outcomes;
}

Page<CreditAllocation> Credits::history(const HistoryRequest& given) const {
  const HistoryRequest request = services::permitted(*context_, Operation::history, given);
  domain::check_user_id(request.user_id);
  domain::check_page(request.page, request.limit);
  return services::or_no_account(
      services::query(*context_, [&](store::Reads& reads) { return reads.history(request); }));
}

std::vector<CreditEntry> Credits::entries(const EntriesRequest& given) const {
  const EntriesRequest request = services::permitted(*context_, Operation::entries, given);
  domain::check_user_id(request.user_id);
  domain::check_after(request.after);
  domain::check_limit(request.limit);
  return services::or_no_account(
      services::query(*context_, [&](store::Reads& reads) { return reads.entries(request); }));
}

CreditAllocation Credits::revoke(const RevokeRequest& request) {
  return services::execute_one<CreditAllocation>(*context_,
                                                 services::command_of(*context_, request));
}

}  // namespace accounting
