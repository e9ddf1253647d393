#include "services/permits.hpp"

#include "services/attempts.hpp"
#include "services/requests.hpp"

namespace accounting::services {

void permit(const Context& context, domain::Operation operation, const std::string& user_id) {
  if (!context.caller()) {
    return;
  }
  const domain::Caller& caller = *context.caller();
  const domain::Grant& grant = domain::grant_for(operation, caller, user_id);
  domain::check_permission(operation, grant, caller);
  if (caller.role) {
    domain::check_role(operation, grant, *caller.role);
  } else if (grant.role != Role::user) {
    const UserAccount owner = or_no_account(
        query(context, [&](store::Reads& reads) { return reads.account(caller.user_id); }));
    domain::check_role(operation, grant, owner.role);
  }
}

void permit(const Context& context, domain::Operation operation) {
  if (context.caller()) {
    permit(context, operation, context.caller()->user_id);
  }
}

}  // namespace accounting::services
