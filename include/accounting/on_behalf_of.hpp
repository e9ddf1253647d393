// OnBehalfOf: the services as a principal or an API key may use them.
#pragma once

#include <accounting/accounts.hpp>
#include <accounting/api_keys.hpp>
#include <accounting/credits.hpp>
#include <accounting/export.hpp>
#include <accounting/pricing.hpp>
#include <accounting/sessions.hpp>
#include <accounting/usage.hpp>

#include <memory>

namespace accounting {

/// The same services, each call checked against the table of docs/permissions.md before anything
/// else is: a call that the caller may not make throws Forbidden, which says what is needed, and
/// touches nothing. A request's `user_id` may be left empty for the caller's own account. What is
/// done stands in the journal and the audit trail under the caller's name. Thread-safe; a cheap
/// handle that may be copied and that keeps the books open.
class ACCOUNTING_EXPORT OnBehalfOf {
 public:
  explicit OnBehalfOf(std::shared_ptr<const services::Context> context);

  [[nodiscard]] Accounts accounts() const;
  [[nodiscard]] Credits credits() const;
  [[nodiscard]] Sessions sessions() const;
  [[nodiscard]] Usage usage() const;
  [[nodiscard]] Pricing pricing() const;
  [[nodiscard]] ApiKeys api_keys() const;

 private:
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
