#include "sql/sql_session.hpp"

#include "accounting/error.hpp"
#include "domain/words.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"

#include <utility>

namespace accounting::sql {
namespace {

using enum Type;

const Statement lock_account_row{.name = "lock_account_row",
                                 .text = "SELECT " ACCOUNTING_ACCOUNT_COLUMNS
                                         " FROM user_accounts WHERE user_id = :user_id LOCK_ROW",
                                 .parameters = {{"user_id", text}},
                                 .columns = columns::account};

// Answers the row that it inserted, and none where another was first.
const Statement insert_account_row{
    .name = "insert_account_row",
    .text =
        "INSERT INTO user_accounts (user_id, email, username, role, created_at, updated_at) "
        "VALUES (:user_id, :email, :username, :role, INSTANT(:created_at), "
        "INSTANT(:updated_at)) ON CONFLICT (user_id) DO NOTHING RETURNING user_id",
    .parameters = {{"user_id", text},
                   {"email", text},
                   {"username", text},
                   {"role", text},
                   {"created_at", instant},
                   {"updated_at", instant}},
    .columns = {text}};

const Statement update_account_row{
    .name = "update_account_row",
    .text =
        "UPDATE user_accounts SET email = :email, username = :username, role = :role, "
        "updated_at = INSTANT(:updated_at) WHERE user_id = :user_id",
    .parameters = {{"user_id", text},
                   {"email", text},
                   {"username", text},
                   {"role", text},
                   {"updated_at", instant}},
    .touches_one_row = true};

const Statement lock_pricing{
    .name = "lock_pricing",
    .text = "SELECT name FROM accounting_locks WHERE name = 'pricing' LOCK_ROW",
    .columns = {text}};

const Statement load_rules_of_model{
    .name = "load_rules_of_model",
    .text = "SELECT " ACCOUNTING_RULE_COLUMNS
            " FROM pricing_rules WHERE model_id = :model_id ORDER BY effective_from",
    .parameters = {{"model_id", text}},
    .columns = columns::rule};

const Statement insert_rule{
    .name = "insert_rule",
    .text =
        "INSERT INTO pricing_rules (model_id, id, price_per_1k_tokens, input, output, "
        "cached_input, effective_from, effective_to, created_by) VALUES (:model_id, :id, "
        "NUMERIC(:price), NUMERIC(:input), NUMERIC(:output), NUMERIC(:cached_input), "
        "INSTANT(:effective_from), INSTANT(:effective_to), :created_by)",
    .parameters = {{"model_id", text},
                   {"id", integer},
                   {"price", text},
                   {"input", text},
                   {"output", text},
                   {"cached_input", text},
                   {"effective_from", instant},
                   {"effective_to", instant},
                   {"created_by", text}}};

const Statement close_rule{
    .name = "close_rule",
    .text =
        "UPDATE pricing_rules SET effective_to = INSTANT(:effective_to) "
        "WHERE model_id = :model_id AND id = :id AND effective_to IS NULL",
    .parameters = {{"model_id", text}, {"id", integer}, {"effective_to", instant}},
    .touches_one_row = true};

}  // namespace

void throw_store_error(const SqlError& error) {
  using store::FailureKind;
  using store::StoreFailure;
  switch (error.kind()) {
    case SqlErrorKind::serialization:
    // Whoever inserted the same row meanwhile is seen by the next try.
    case SqlErrorKind::unique_violation:
      throw StoreFailure(FailureKind::try_again, "the database asks for another try");
    case SqlErrorKind::connection_lost:
      throw StoreFailure(FailureKind::connection_lost, "the connection to the database broke");
    case SqlErrorKind::unreachable:
      throw StoreFailure(FailureKind::connection_lost, error.what());
    case SqlErrorKind::turned_away:
      throw StoreFailure(FailureKind::turned_away, error.what());
    case SqlErrorKind::commit_unknown:
      throw StoreFailure(FailureKind::commit_unknown, "the database did not confirm the commit");
    case SqlErrorKind::busy:
      throw StoreFailure(FailureKind::timed_out, "a lock was not had in time (lock_timeout)");
    case SqlErrorKind::timeout:
      throw StoreFailure(FailureKind::timed_out, "a statement ran too long (statement_timeout)");
    case SqlErrorKind::missing_table:
      throw MigrationError(
          "the database has no accounting schema; open it with migrate, or call "
          "migrate()");
    case SqlErrorKind::read_only:
      throw StoreError("the database is read-only; nothing was changed");
    case SqlErrorKind::cannot_open:
      throw StoreError("the SQLite file could not be opened");
    case SqlErrorKind::full:
      throw StoreError("the database has no space left; nothing was changed");
    case SqlErrorKind::commit_refused:
      throw StoreError("the database rolled the transaction back; nothing was changed", true);
    case SqlErrorKind::out_of_range:
      throw StoreError("a number or a sum exceeds what the database holds; nothing was changed");
    case SqlErrorKind::constraint:
    case SqlErrorKind::row_count:
      throw StoreError(
          "a stored row is not as the ledger left it; nothing was changed (run "
          "verify)");
    case SqlErrorKind::other:
      break;
  }
  const std::string state = error.state().empty() ? "" : " (" + error.state() + ")";
  throw StoreError("the database failed" + state + "; nothing was changed");
}

SqlSession::SqlSession(Lease lease, Mode mode, GateGuard gate)
    : gate_(std::move(gate)), lease_(std::move(lease)), mode_(mode) {}

void SqlSession::run(Batch& batch, After after) {
  try {
    run_untold(batch, after);
  } catch (const SqlError& error) {
    throw_store_error(error);
  }
}

void SqlSession::run_untold(Batch& batch, After after) {
  const bool commits = after == After::commit;
  if (mode_ != Mode::reads) {
    const Begin first = mode_ == Mode::writes ? Begin::write : Begin::write_if_free;
    const Begin begin = begun_ ? Begin::nothing : first;
    begun_ = !commits;
    Batch whole = std::exchange(pending_, {});
    whole.append(std::move(batch));
    whole.run(*lease_, begin, commits);
  } else if (begun_ || batch.size() == 1) {
    batch.run(*lease_, Begin::nothing, false);
  } else {
    batch.run(*lease_, Begin::read, true);
  }
}

void SqlSession::commit() {
  Batch nothing;
  if (begun_) {
    run(nothing, After::commit);
  }
}

std::optional<UserAccount> SqlSession::lock_account(const std::string& user_id) {
  std::optional<UserAccount> account;
  Batch batch;
  batch.add(lock_account_row, {user_id}, [&](const Rows& rows) {
    if (!rows.empty()) {
      account = read_account(rows.front());
    }
  });
  run(batch);
  return account;
}

bool SqlSession::insert_account(const UserAccount& account) {
  bool inserted = false;
  Batch batch;
  batch.add(insert_account_row,
            {account.user_id, account.email, account.username, std::string(to_string(account.role)),
             account.created_at, account.updated_at},
            [&](const Rows& rows) { inserted = !rows.empty(); });
  run(batch);
  return inserted;
}

void SqlSession::update_account(const UserAccount& account) {
  Batch batch;
  batch.add(update_account_row, {account.user_id, account.email, account.username,
                                 std::string(to_string(account.role)), account.updated_at});
  run(batch);
}

std::vector<PricingRule> SqlSession::lock_rules(const std::string& model_id) {
  std::vector<PricingRule> rules;
  Batch batch;
  batch.add(lock_pricing, {});
  batch.add(load_rules_of_model, {model_id}, [&](const Rows& rows) {
    for (const Row& row : rows) {
      rules.push_back(read_rule(row));
    }
  });
  run(batch);
  return rules;
}

void SqlSession::store_price(const domain::PriceChange& change) {
  Batch batch;
  if (change.closes) {
    batch.add(close_rule, {change.closes->model_id, change.closes->id,
                           optional_value(change.closes->effective_to)});
  }
  const PricingRule& rule = change.rule;
  batch.add(insert_rule, {rule.model_id, rule.id, rule.price_per_1k_tokens.to_string(),
                          optional_value(rule.input), optional_value(rule.output),
                          optional_value(rule.cached_input), rule.effective_from,
                          optional_value(rule.effective_to), rule.created_by});
  run(batch);
}

}  // namespace accounting::sql
