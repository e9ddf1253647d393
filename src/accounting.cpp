#include "accounting/accounting.hpp"

#include "crypto/secret.hpp"
#include "domain/api_keys.hpp"
#include "domain/validation.hpp"
#include "services/accounts.hpp"
#include "services/attempts.hpp"
#include "services/checkpoint.hpp"
#include "services/context.hpp"
#include "services/requests.hpp"
#include "services/verify.hpp"
#include "sql/sql_store.hpp"
#include "version.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace accounting {
namespace {

using services::AfterUnknownCommit;
using services::Books;
using services::Context;
using services::OpenTransaction;

void migrate_books(Books& books) {
  books.refuse_inside_transaction();
  services::without_schema(books,
                           [&](store::Deadline) { return books.store().migrate(books.now()); });
  books.schema_is_ready();
  books.log(LogLevel::info, "the database's schema is up to date");
}

void set_up(Books& books) {
  const bool is_new_file = !books.options().migrate && books.store().kind() == "sqlite" &&
                           services::without_schema(books, [&](store::Deadline deadline) {
                             return books.store().empty(deadline);
                           });
  if (is_new_file || books.options().migrate.value_or(false)) {
    migrate_books(books);
  }
  // Refuses a schema that this version must not touch, and finds out whether there is a server.
  services::without_schema(
      books, [&](store::Deadline deadline) { return books.store().schema_status(deadline); });
}

/// Locks the accounts up front, so that transactions that share accounts wait in order.
void lock_users(const Context& context, const std::set<std::string>& users) {
  domain::Needs needs;
  for (const std::string& user_id : users) {
    needs.accounts[user_id];
  }
  if (needs.accounts.empty()) {
    return;
  }
  const domain::State locked = context.transaction()->unit().load(needs, context.now());
  if (locked.accounts.size() != needs.accounts.size()) {
    services::throw_no_account();
  }
}

/// Its beginning and all that follows are to be done by one deadline, `latest` at the latest.
std::shared_ptr<const Context> begin(const Context& books, const std::vector<std::string>& given,
                                     store::Deadline latest = store::Deadline::max()) {
  constexpr std::size_t one_request = 1;
  for (const std::string& user_id : given) {
    domain::check_user_id(user_id, "users");
  }
  const std::set<std::string> users(given.begin(), given.end());
  return services::with_attempts(
      books.books(), AfterUnknownCommit::give_up,
      [&](store::Deadline deadline) {
        books.books().refuse_inside_transaction();
        auto context = std::make_shared<const Context>(
            books.shared_books(),
            std::make_shared<OpenTransaction>(books.shared_books(), users, deadline));
        context->transaction()->finish_by(deadline);
        lock_users(*context, users);
        return context;
      },
      one_request, latest);
}

/// The context of an object that was not moved from.
const std::shared_ptr<const Context>& present(const std::shared_ptr<const Context>& context) {
  if (!context) {
    throw Conflict("the object was moved from");
  }
  return context;
}

}  // namespace

Transaction::Transaction(std::shared_ptr<const Context> context) : context_(std::move(context)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&& other) noexcept {
  if (this != &other) {
    rollback();
    context_ = std::move(other.context_);
  }
  return *this;
}
Transaction::~Transaction() { rollback(); }

Accounts Transaction::accounts() { return Accounts(present(context_)); }
Credits Transaction::credits() { return Credits(present(context_)); }
Sessions Transaction::sessions() { return Sessions(present(context_)); }
Usage Transaction::usage() { return Usage(present(context_)); }
Pricing Transaction::pricing() { return Pricing(present(context_)); }
ApiKeys Transaction::api_keys() { return ApiKeys(present(context_)); }

void Transaction::commit() {
  services::inside_transaction(*present(context_),
                               [&](store::Unit&) { context_->transaction()->commit(); });
}

void Transaction::rollback() noexcept {
  if (context_) {
    context_->transaction()->rollback();
  }
}

Accounting::Accounting(std::shared_ptr<const Context> context) : context_(std::move(context)) {}
Accounting::Accounting(Accounting&&) noexcept = default;
Accounting& Accounting::operator=(Accounting&&) noexcept = default;
Accounting::~Accounting() = default;

Accounting Accounting::open(const Options& options) {
  domain::check_options(options);
  Options without_secrets = options;
  crypto::wipe(without_secrets.api_key_pepper);
  auto books = std::make_shared<Books>(sql::open_store(without_secrets), options);
  set_up(*books);
  return Accounting(std::make_shared<const Context>(std::move(books)));
}

Accounts Accounting::accounts() const { return Accounts(present(context_)); }
Credits Accounting::credits() const { return Credits(present(context_)); }
Sessions Accounting::sessions() const { return Sessions(present(context_)); }
Usage Accounting::usage() const { return Usage(present(context_)); }
Pricing Accounting::pricing() const { return Pricing(present(context_)); }
ApiKeys Accounting::api_keys() const { return ApiKeys(present(context_)); }
Audit Accounting::audit() const { return Audit(present(context_)); }

Principal Accounting::authenticate(std::string_view token, const JwtVerifier& verifier) const {
  Principal principal = verifier.verify(token);
  services::ensure_account(*present(context_), principal);
  return principal;
}

OnBehalfOf Accounting::on_behalf_of(const Principal& principal) const {
  domain::check_user_id(principal.user_id);
  return OnBehalfOf(std::make_shared<const Context>(present(context_)->shared_books(),
                                                    domain::caller_of(principal)));
}

OnBehalfOf Accounting::on_behalf_of(const KeyIdentity& identity) const {
  domain::check_user_id(identity.user_id);
  domain::check_key_id(identity.key_id);
  return OnBehalfOf(std::make_shared<const Context>(
      present(context_)->shared_books(),
      domain::Caller{.user_id = identity.user_id,
                     .role = std::nullopt,
                     .permissions = domain::checked_permissions(identity.permissions),
                     .key_id = identity.key_id}));
}

Transaction Accounting::transaction(const std::vector<std::string>& users) {
  auto begun = begin(*present(context_), users);
  begun->transaction()->finish_by(std::nullopt);
  return Transaction(std::move(begun));
}

void Accounting::run_transaction(const std::function<void(Transaction&)>& work,
                                 const std::vector<std::string>& users) {
  services::Attempts attempts(present(context_)->books(), AfterUnknownCommit::give_up);
  while (true) {
    // Kept here too: `work` may move the transaction to where it ends sooner or later than this.
    const std::shared_ptr<const Context> context = begin(*context_, users, attempts.deadline());
    Transaction transaction(context);
    OpenTransaction& open = *context->transaction();
    open.leave_to_caller();
    try {
      work(transaction);
      if (!open.ended()) {
        services::inside_transaction(*context, [&](store::Unit&) { open.commit(); });
      }
      return;
    } catch (...) {
      const std::optional<store::FailureKind> failure = open.failure();
      open.rollback();
      const bool another_try = failure == store::FailureKind::try_again ||
                               failure == store::FailureKind::timed_out ||
                               failure == store::FailureKind::connection_lost;
      if (!another_try) {
        throw;
      }
      attempts.finish_by(open.latest().value_or(attempts.deadline()));
      attempts.after(std::make_exception_ptr(
          store::StoreFailure(*failure, "a transaction met a transient failure")));
    }
  }
}

std::int64_t Accounting::migrate() {
  migrate_books(present(context_)->books());
  return schema_version();
}

std::int64_t Accounting::schema_version() const {
  Books& books = present(context_)->books();
  books.refuse_inside_transaction();
  return services::without_schema(books, [&](store::Deadline deadline) {
    return books.store().schema_status(deadline).version;
  });
}

VerifyReport Accounting::verify() const { return services::verify(*present(context_)); }

std::string Accounting::checkpoint(std::string_view private_key) const {
  const Context& context = *present(context_);
  return services::query(context, [&](store::Reads& reads) {
    return services::write_checkpoint(reads, private_key, context.now());
  });
}

CheckpointReport Accounting::verify_checkpoint(std::string_view checkpoint,
                                               std::string_view public_key) const {
  const services::SignedCheckpoint expected(checkpoint, public_key);
  return services::query(*present(context_),
                         [&](store::Reads& reads) { return expected.compare(reads); });
}

Health Accounting::health() const {
  const Books& books = present(context_)->books();
  Health health{.service = "accounting",
                .version = std::string(library_version),
                .time = books.now(),
                .database = books.store().kind(),
                .pool = books.store().pool_status(),
                .clock_skew = std::nullopt,
                .problem = {}};
  try {
    books.refuse_inside_transaction();
    const store::Deadline deadline = books.pacing().now() + books.options().call_timeout;
    const store::SchemaStatus status = books.store().schema_status(deadline);
    health.reachable = true;
    health.schema_version = status.version;
    health.pending_migrations = status.pending;
    health.clock_skew = books.store().database_time(deadline) - books.now();
    health.ok = status.pending == 0;
    health.problem = health.ok ? "" : "the schema is behind this library: call migrate()";
  } catch (const MigrationError& error) {
    health.reachable = true;  // or its schema could not be told
    health.problem = error.what();
  } catch (const std::exception& error) {
    health.problem = error.what();
  }
  health.pool = books.store().pool_status();
  return health;
}

void Accounting::close() noexcept {
  if (context_) {
    context_->books().turns().close();
    context_->books().store().close();
  }
}

}  // namespace accounting
