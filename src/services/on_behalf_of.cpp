#include "accounting/on_behalf_of.hpp"

#include <utility>

namespace accounting {

OnBehalfOf::OnBehalfOf(std::shared_ptr<const services::Context> context)
    : context_(std::move(context)) {}

Accounts OnBehalfOf::accounts() const { return Accounts(context_); }
Credits OnBehalfOf::credits() const { return Credits(context_); }
Sessions OnBehalfOf::sessions() const { return Sessions(context_); }
Usage OnBehalfOf::usage() const { return Usage(context_); }
Pricing OnBehalfOf::pricing() const { return Pricing(context_); }
ApiKeys OnBehalfOf::api_keys() const { return ApiKeys(context_); }

}  // namespace accounting
