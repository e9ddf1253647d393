#include "accounting/accounts.hpp"

#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/requests.hpp"

#include <utility>

namespace accounting {
namespace {

SyncResult sync_in(store::Unit& unit, const SyncRequest& request, Timestamp now) {
  const std::optional<UserAccount> known = unit.lock_account(request.user_id);
  if (!known) {
    const UserAccount created{.user_id = request.user_id,
                              .email = request.email,
                              .username = request.username,
                              .role = request.role.value_or(Role::user),
                              .created_at = now,
                              .updated_at = now};
    if (!unit.insert_account(created)) {
      throw store::StoreFailure(store::FailureKind::try_again, "another created the account");
    }
    return {.account = created, .created = true};
  }
  UserAccount updated = *known;
  updated.email = request.email;
  updated.username = request.username;
  updated.role = request.role.value_or(known->role);
  if (updated != *known) {
    updated.updated_at = now;
    unit.update_account(updated);
  }
  return {.account = updated, .created = false};
}

}  // namespace

Accounts::Accounts(std::shared_ptr<const services::Context> context)
    : context_(std::move(context)) {}

SyncResult Accounts::sync(const SyncRequest& request) {
  domain::check_user_id(request.user_id);
  domain::check_name("email", request.email, 255);
  domain::check_name("username", request.username, 100);
  return services::write(
      *context_, services::AfterUnknownCommit::try_again,
      [&](store::Unit& unit, Timestamp now) { return sync_in(unit, request, now); });
}

UserAccount Accounts::get(const GetAccountRequest& request) const {
  domain::check_user_id(request.user_id);
  return services::or_no_account(services::query(
      *context_, [&](store::Reads& reads) { return reads.account(request.user_id); }));
}

Page<UserAccount> Accounts::list(const ListAccountsRequest& request) const {
  domain::check_page(request.page, request.limit);
  return services::query(*context_, [&](store::Reads& reads) { return reads.accounts(request); });
}

}  // namespace accounting
