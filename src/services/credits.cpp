#include "accounting/credits.hpp"

#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/permits.hpp"
#include "services/requests.hpp"
#include "services/writer.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace accounting {
namespace {

using domain::Command;
using domain::Operation;
using services::Context;

// As many as share one transaction; a larger one would keep its locks for long.
constexpr std::size_t charges_a_transaction = 500;

std::exception_ptr as_exception(const domain::Refusal& refusal) {
  try {
    domain::throw_refusal(refusal);
  } catch (...) {
    return std::current_exception();
  }
}

Outcome<Charge> outcome_of(const domain::Result& result) {
  if (const auto* refusal = std::get_if<domain::Refusal>(&result)) {
    return as_exception(*refusal);
  }
  return std::get<Charge>(std::get<domain::Answer>(result));
}

/// Charges that share a transaction; where the database refuses it, each half by itself, until
/// the one at fault stands alone.
void charge_each(const Context& context, std::span<const Command> commands,
                 std::vector<Outcome<Charge>>& outcomes) {
  try {
    for (const domain::Result& result : services::execute(context, commands)) {
      outcomes.push_back(outcome_of(result));
    }
  } catch (const OutcomeUnknown& error) {
    for (const Command& command : commands) {
      outcomes.emplace_back(
          std::make_exception_ptr(OutcomeUnknown(error.what(), domain::replays(command))));
    }
  } catch (const StoreError& error) {
    // A lock or a server that was not had in time is not the fault of one of them.
    const bool all_alike = error.retryable() || context.transaction() != nullptr;
    if (commands.size() == 1 || all_alike) {
      outcomes.insert(outcomes.end(), commands.size(), std::current_exception());
      return;
    }
    const std::size_t half = commands.size() / 2;
    charge_each(context, commands.first(half), outcomes);
    charge_each(context, commands.subspan(half), outcomes);
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
  for (domain::Result& result : services::execute(*context_, commands, services::Together::all)) {
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
  std::vector<Outcome<Charge>> carried_out;
  const std::span<const Command> all(commands);
  for (std::size_t first = 0; first < all.size(); first += charges_a_transaction) {
    const std::size_t count = std::min(charges_a_transaction, all.size() - first);
    try {
      charge_each(*context_, all.subspan(first, count), carried_out);
    } catch (const AccountingError&) {
      if (carried_out.empty()) {
        throw;  // nothing was charged, so there is no outcome to keep
      }
      carried_out.insert(carried_out.end(), all.size() - carried_out.size(),
                         std::current_exception());
      break;
    }
  }
  std::vector<Outcome<Charge>> outcomes;
  outcomes.reserve(requests.size());
  auto next = carried_out.begin();
  for (const std::exception_ptr& error : invalid) {
    outcomes.push_back(error ? Outcome<Charge>(error) : std::move(*next++));
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
