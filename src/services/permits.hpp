// Permits: whether the caller that a context acts for may do what is asked, found out before
// anything else is. The host itself may do everything.
#pragma once

#include "domain/permissions.hpp"
#include "services/context.hpp"

#include <string>

namespace accounting::services {

/// Throws Forbidden where the context's caller may not do this on that account. A key's owner is
/// asked for only where a mere user may not do it.
void permit(const Context& context, domain::Operation operation, const std::string& user_id);
/// For an operation that is about no account.
void permit(const Context& context, domain::Operation operation);

/// The request, with the caller's own user_id where it was left out, once it is permitted.
template <class Request>
Request permitted(const Context& context, domain::Operation operation, Request request) {
  if (context.caller()) {
    if (request.user_id.empty()) {
      request.user_id = context.caller()->user_id;
    }
    permit(context, operation, request.user_id);
  }
  return request;
}

}  // namespace accounting::services
