// Requests: a caller's request, permitted, checked and turned into a command.
#pragma once

#include "accounting/credits.hpp"
#include "accounting/error.hpp"
#include "accounting/sessions.hpp"
#include "accounting/usage.hpp"
#include "domain/command.hpp"
#include "services/context.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::services {

// Each throws Forbidden for what the context's caller may not do, and InvalidArgument for an
// argument out of range.
domain::Command command_of(const Context& context, const AllocateRequest& request);
domain::Command command_of(const Context& context, const DeductRequest& request);
domain::Command command_of(const Context& context, const ChargeRequest& request);
domain::Command command_of(const Context& context, const RecordRequest& request);
domain::Command command_of(const Context& context, const RevokeRequest& request);
domain::Command command_of(const Context& context, const InitializeRequest& request);
domain::Command command_of(const Context& context, const ReportRequest& request);
domain::Command command_of(const Context& context, const ExtendRequest& request);
domain::Command command_of(const Context& context, const FinalizeRequest& request);
domain::Command command_of(const Context& context, const AbortRequest& request);

/// Commands for all requests; an error says which request it is about.
template <class Request>
std::vector<domain::Command> commands_of(const Context& context,
                                         const std::vector<Request>& requests) {
  std::vector<domain::Command> commands;
  commands.reserve(requests.size());
  for (const Request& request : requests) {
    try {
      commands.push_back(command_of(context, request));
    } catch (const InvalidArgument& error) {
      throw InvalidArgument("requests[" + std::to_string(commands.size()) + "]." + error.argument(),
                            error.expected());
    } catch (const Forbidden& error) {
      throw Forbidden("requests[" + std::to_string(commands.size()) + "]: " + error.what());
    }
  }
  return commands;
}

/// Throws NotFound for a user_id that no account has.
[[noreturn]] void throw_no_account();

/// The value; NotFound where the account is not there.
template <class Value>
Value or_no_account(std::optional<Value> value) {
  if (!value) {
    throw_no_account();
  }
  return std::move(*value);
}

}  // namespace accounting::services
