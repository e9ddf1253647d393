#include "accounting/accounts.hpp"

#include "domain/validation.hpp"
#include "services/accounts.hpp"
#include "services/attempts.hpp"
#include "services/audit.hpp"
#include "services/permits.hpp"
#include "services/requests.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace accounting {
namespace {

using domain::Operation;
using services::Context;

void note(const Context& context, store::Unit& unit, const SyncResult& result, Timestamp now) {
  const UserAccount& account = result.account;
  const nlohmann::json details{{"created", result.created},
                               {"email", account.email},
                               {"username", account.username},
                               {"role", to_string(account.role)}};
  services::append_audit(context, unit, Operation::sync_account,
                         {.user_id = account.user_id,
                          .subject = account.user_id,
                          .details = details.dump(),
                          .created_at = now});
}

SyncResult sync_in(const Context& context, store::Unit& unit, const SyncRequest& request,
                   Timestamp now) {
  const std::optional<UserAccount> known = unit.lock_account(request.user_id);
  UserAccount account = known.value_or(UserAccount{
      .user_id = request.user_id, .role = Role::user, .created_at = now, .updated_at = now});
  account.email = request.email;
  account.username = request.username;
  account.role = request.role.value_or(account.role);
  if (known == account) {
    return {.account = account, .created = false};
  }
  account.updated_at = now;
  if (known) {
    unit.update_account(account);
  } else if (!unit.insert_account(account)) {
    throw store::StoreFailure(store::FailureKind::try_again, "another created the account");
  }
  SyncResult result{.account = account, .created = !known};
  note(context, unit, result, now);
  return result;
}

}  // namespace

namespace services {

SyncResult sync_account(const Context& context, const SyncRequest& request) {
  domain::check_user_id(request.user_id);
  domain::check_name("email", request.email, 255);
  domain::check_name("username", request.username, 100);
  return write(
      context, request.user_id, AfterUnknownCommit::try_again,
      [&](store::Unit& unit, Timestamp now) { return sync_in(context, unit, request, now); });
}

void ensure_account(const Context& host, const Principal& principal) {
  const std::optional<UserAccount> known =
      query(host, [&](store::Reads& reads) { return reads.account(principal.user_id); });
  if (known && known->email == principal.email && known->username == principal.username &&
      known->role == principal.role) {
    return;
  }
  const Context in_its_name(host.shared_books(), domain::caller_of(principal));
  sync_account(in_its_name, {.user_id = principal.user_id,
                             .email = principal.email,
                             .username = principal.username,
                             .role = principal.role});
}

}  // namespace services

Accounts::Accounts(std::shared_ptr<const services::Context> context)
    : context_(std::move(context)) {}

SyncResult Accounts::sync(const SyncRequest& request) {
  return services::sync_account(*context_,
                                services::permitted(*context_, Operation::sync_account, request));
}

UserAccount Accounts::get(const GetAccountRequest& given) const {
  const GetAccountRequest request = services::permitted(*context_, Operation::get_account, given);
  domain::check_user_id(request.user_id);
  return services::or_no_account(services::query(
      *context_, [&](store::Reads& reads) { return reads.account(request.user_id); }));
}

Page<UserAccount> Accounts::list(const ListAccountsRequest& request) const {
  services::permit(*context_, Operation::list_accounts);
  domain::check_page(request.page, request.limit);
  return services::query(*context_, [&](store::Reads& reads) { return reads.accounts(request); });
}

}  // namespace accounting
