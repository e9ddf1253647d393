#include "services/audit.hpp"

#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/permits.hpp"

#include <utility>

namespace accounting {

namespace {

// "key:", a number of 19 digits, ":" and a user_id.
constexpr std::size_t longest_actor = 4 + 19 + 1 + 50;

}  // namespace

namespace services {

void append_audit(const Context& context, store::Unit& unit, domain::Operation operation,
                  AuditEntry entry) {
  entry.actor = context.actor();
  entry.operation = domain::rule_of(operation).name;
  unit.append_audit(entry);
}

}  // namespace services

Audit::Audit(std::shared_ptr<const services::Context> context) : context_(std::move(context)) {}

Page<AuditEntry> Audit::list(const ListAuditRequest& request) const {
  services::permit(*context_, domain::Operation::list_audit);
  if (request.user_id && !request.user_id->empty()) {  // prices stand under an empty one
    domain::check_user_id(*request.user_id);
  }
  if (request.actor) {
    domain::check_name("actor", *request.actor, longest_actor);
  }
  domain::check_page(request.page, request.limit);
  return services::query(*context_, [&](store::Reads& reads) { return reads.audit(request); });
}

}  // namespace accounting
