// Audit: every account's rows, some accounts at a time, all from one snapshot.
#include "sql/collect.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace accounting::sql {
namespace {

using enum Type;

/// Accounts are listed so many at a time; and read together as long as they have no more rows than
/// this among them, so that many small accounts cost few trips and a large one little memory.
constexpr std::int64_t accounts_a_list = 1'000;
constexpr std::int64_t rows_a_trip = 5'000;

const Statement next_accounts{
    .name = "next_accounts",
    .text = "SELECT " ACCOUNTING_COUNTER_COLUMNS
            ", user_id FROM user_accounts WHERE user_id > :after ORDER BY user_id LIMIT :limit",
    .parameters = {{"after", text}, {"limit", integer}},
    .columns = {integer, integer, integer, integer, integer, text, text}};

const Statement read_journal_heads{
    .name = "read_journal_heads",
    .text =
        "SELECT user_id, last_entry_sequence, last_entry_hash FROM user_accounts ORDER BY user_id",
    .columns = {text, integer, text}};

/// The last of all that rows belong to, also where the account itself is gone: foreign keys were
/// off, or it was deleted with them disabled.
const Statement last_owner{.name = "last_owner",
                           .text =
                               "SELECT max(user_id) FROM ("
                               "SELECT max(user_id) AS user_id FROM user_accounts UNION ALL "
                               "SELECT max(user_id) FROM credit_allocations UNION ALL "
                               "SELECT max(user_id) FROM streaming_sessions UNION ALL "
                               "SELECT max(user_id) FROM session_slices UNION ALL "
                               "SELECT max(user_id) FROM usage_records UNION ALL "
                               "SELECT max(user_id) FROM credit_entries UNION ALL "
                               "SELECT max(user_id) FROM idempotency_keys UNION ALL "
                               "SELECT max(user_id) FROM usage_rollups) AS owners",
                           .columns = {text}};

// Each reads what accounts have in one table, from after one user_id up to another.
#define ACCOUNTING_OF_ACCOUNTS " WHERE user_id > :after AND user_id <= :last ORDER BY user_id, "

const std::vector<Parameter> of_accounts{{"after", text}, {"last", text}};

const Statement audit_allocations{.name = "audit_allocations",
                                  .text = "SELECT " ACCOUNTING_ALLOCATION_COLUMNS
                                          " FROM credit_allocations" ACCOUNTING_OF_ACCOUNTS "id",
                                  .parameters = of_accounts,
                                  .columns = columns::allocation};

const Statement audit_sessions{.name = "audit_sessions",
                               .text =
                                   "SELECT " ACCOUNTING_SESSION_COLUMNS
                                   " FROM streaming_sessions" ACCOUNTING_OF_ACCOUNTS "session_id",
                               .parameters = of_accounts,
                               .columns = columns::session};

const Statement audit_slices{.name = "audit_slices",
                             .text =
                                 "SELECT session_id, position, allocation_id, credits, user_id "
                                 "FROM session_slices" ACCOUNTING_OF_ACCOUNTS
                                 "session_id, position",
                             .parameters = of_accounts,
                             .columns = {text, integer, integer, integer, text}};

const Statement audit_usage{
    .name = "audit_usage",
    .text = "SELECT " ACCOUNTING_USAGE_COLUMNS " FROM usage_records" ACCOUNTING_OF_ACCOUNTS "id",
    .parameters = of_accounts,
    .columns = columns::usage};

const Statement audit_entries{.name = "audit_entries",
                              .text = "SELECT " ACCOUNTING_ENTRY_COLUMNS
                                      " FROM credit_entries" ACCOUNTING_OF_ACCOUNTS "sequence",
                              .parameters = of_accounts,
                              .columns = columns::entry};

const Statement audit_keys{.name = "audit_keys",
                           .text = "SELECT " ACCOUNTING_KEY_COLUMNS
                                   ", user_id FROM idempotency_keys" ACCOUNTING_OF_ACCOUNTS
                                   "idempotency_key",
                           .parameters = of_accounts,
                           .columns = {text, text, text, text, instant, text}};

const Statement audit_rollups{.name = "audit_rollups",
                              .text =
                                  "SELECT DAY_TEXT(day), service, model, records, credits, user_id "
                                  "FROM usage_rollups" ACCOUNTING_OF_ACCOUNTS "day, service, model",
                              .parameters = of_accounts,
                              .columns = {text, text, text, integer, integer, text}};

#undef ACCOUNTING_OF_ACCOUNTS

domain::RollupRow read_rollup(const Row& row) {
  RowReader reader(row);
  return {.day = reader.text(),
          .service = reader.text(),
          .model = reader.text(),
          .records = reader.integer(),
          .credits = reader.integer()};
}

std::string text_of(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*number);
  }
  const auto* words = std::get_if<std::string>(&value);
  return words != nullptr ? *words : "NULL";
}

/// Accounts that are read together. What stands between them of an account that is gone becomes an
/// account that is not known.
class AccountGroup {
 public:
  AccountGroup() = default;
  AccountGroup(AccountGroup&&) = default;
  AccountGroup& operator=(AccountGroup&&) = default;

  void add(domain::AccountRows account) {
    accounts_.push_back(std::move(account));
    by_user_id_.emplace(accounts_.back().user_id, &accounts_.back());
  }

  /// The account whose row this is.
  domain::AccountRows& owner(const Row& row, std::size_t column) {
    const std::string& user_id = std::get<std::string>(row.at(column));
    if (last_ == nullptr || last_->user_id != user_id) {
      if (!by_user_id_.contains(user_id)) {
        domain::AccountRows gone;
        gone.user_id = user_id;
        gone.known = false;
        add(std::move(gone));
      }
      last_ = by_user_id_.at(user_id);
    }
    return *last_;
  }

  [[nodiscard]] const std::deque<domain::AccountRows>& accounts() const { return accounts_; }

 private:
  std::deque<domain::AccountRows> accounts_;  // which stay where they are
  std::map<std::string, domain::AccountRows*> by_user_id_;
  domain::AccountRows* last_ = nullptr;  // rows come account by account
};

/// What a table's rows are called where they cannot be read: the invariant that misses them, and
/// the columns that identify them; and the column that says whose they are.
struct RowName {
  const char* invariant;
  const char* table;
  std::vector<std::size_t> columns;
  std::size_t owner;
};

/// Reads each row to the end of its account's list; reports those that nothing of the library wrote
/// so.
template <class Item, class Read>
Batch::UseRows append_readable(AccountGroup& group, std::vector<Item> domain::AccountRows::*list,
                               Read read, RowName name) {
  return [&group, list, read, name = std::move(name)](const Rows& rows) {
    for (const Row& row : rows) {
      domain::AccountRows& account = group.owner(row, name.owner);
      try {
        (account.*list).push_back(read(row));
      } catch (const std::bad_alloc&) {
        throw;
      } catch (const std::exception&) {
        std::string detail = std::string(name.table) + ": row";
        for (const std::size_t column : name.columns) {
          detail += " " + text_of(row.at(column));
        }
        account.unreadable.push_back({.invariant = name.invariant,
                                      .user_id = account.user_id,
                                      .detail = detail + " cannot be read"});
      }
    }
  };
}

/// Gives sessions their slices, which count from 1.
class SliceReader {
 public:
  explicit SliceReader(AccountGroup& group) : group_(group) {}

  void add(const Row& row) {
    domain::AccountRows& account = group_.owner(row, 4);
    if (&account != account_) {
      index_sessions(account);
    }
    RowReader reader(row);
    const std::string session_id = reader.text();
    const std::int64_t position = reader.integer();
    const std::int64_t allocation_id = reader.integer();
    const auto session = sessions_.find(session_id);
    const std::string name =
        "session_slices: session " + session_id + ": position " + std::to_string(position);
    if (session == sessions_.end()) {
      report(name + " is of a session that is not there");
      return;
    }
    auto& slices = session->second->slices;
    slices.push_back({.allocation_id = allocation_id, .credits = reader.integer()});
    if (position != std::ssize(slices)) {
      report(name + ", expected " + std::to_string(slices.size()));
    }
  }

 private:
  void index_sessions(domain::AccountRows& account) {
    account_ = &account;
    sessions_.clear();
    for (domain::SessionRecord& record : account.sessions) {
      sessions_.emplace(record.session.session_id, &record);
    }
  }

  void report(std::string detail) {
    account_->unreadable.push_back(
        {.invariant = "I3", .user_id = account_->user_id, .detail = std::move(detail)});
  }

  AccountGroup& group_;
  domain::AccountRows* account_ = nullptr;
  std::map<std::string, domain::SessionRecord*> sessions_;
};

/// Reads what there is of accounts, from after one user_id up to another.
void load_rows(Connection& connection, AccountGroup& group, const std::string& after,
               const std::string& last) {
  using domain::AccountRows;
  Batch batch;
  batch.add(audit_allocations, {after, last},
            append_readable(group, &AccountRows::allocations, read_allocation,
                            {"I1", "credit_allocations", {0}, 1}));
  batch.add(audit_sessions, {after, last},
            append_readable(group, &AccountRows::sessions, read_session,
                            {"I3", "streaming_sessions", {1}, 0}));
  batch.add(audit_slices, {after, last}, [&group](const Rows& rows) {
    SliceReader reader(group);
    for (const Row& row : rows) {
      reader.add(row);
    }
  });
  batch.add(audit_usage, {after, last},
            append_readable(group, &AccountRows::usage_records, read_usage,
                            {"I2", "usage_records", {0}, 1}));
  batch.add(
      audit_entries, {after, last},
      append_readable(group, &AccountRows::entries, read_entry, {"I4", "credit_entries", {0}, 1}));
  batch.add(
      audit_keys, {after, last},
      append_readable(group, &AccountRows::keys, read_key, {"I5", "idempotency_keys", {1, 2}, 5}));
  batch.add(audit_rollups, {after, last},
            append_readable(group, &AccountRows::rollups, read_rollup,
                            {"I6", "usage_rollups", {0, 1, 2}, 5}));
  batch.run(connection, Begin::nothing, false);
}

/// Goes through all accounts in one snapshot, in user_id order.
class AccountReader {
 public:
  explicit AccountReader(Connection& connection) : connection_(connection) {
    Batch batch;
    batch.add(last_owner, {},
              [this](const Rows& rows) { last_owner_ = RowReader(rows.front()).optional_text(); });
    list_accounts(batch, Begin::read);
  }

  /// The next accounts; none after the last ones.
  std::optional<AccountGroup> next() {
    if (!last_owner_) {
      return std::nullopt;
    }
    if (listed_.empty() && !all_listed_) {
      Batch batch;
      list_accounts(batch, Begin::nothing);
    }
    AccountGroup group;
    std::string last = after_;
    for (std::int64_t rows = 0; !listed_.empty() && rows < rows_a_trip;) {
      rows += number_of_rows(listed_.front().counters);
      last = listed_.front().user_id;
      group.add(std::move(listed_.front()));
      listed_.pop_front();
    }
    const bool is_last = listed_.empty() && all_listed_;
    load_rows(connection_, group, after_, is_last ? *last_owner_ : last);
    after_ = std::move(last);
    if (is_last) {
      last_owner_.reset();
    }
    return group;
  }

 private:
  void list_accounts(Batch& batch, Begin begin) {
    batch.add(next_accounts, {after_, accounts_a_list}, [this](const Rows& rows) {
      for (const Row& row : rows) {
        domain::AccountRows& account = listed_.emplace_back();
        account.user_id = std::get<std::string>(row.back());
        account.counters = read_counters(row);
      }
    });
    batch.run(connection_, begin, false);
    all_listed_ = std::ssize(listed_) < accounts_a_list;
  }

  /// About how many an account has. Whoever tampered with the counters has them read in other
  /// groups, nothing else.
  static std::int64_t number_of_rows(const domain::AccountCounters& counters) {
    std::int64_t rows = 1;
    for (const std::int64_t count :
         {counters.last_allocation_id, counters.last_usage_id, counters.last_entry_sequence}) {
      rows += std::clamp<std::int64_t>(count, 0, rows_a_trip);
    }
    return rows;
  }

  Connection& connection_;
  std::optional<std::string> last_owner_;  // none: everything is read
  std::string after_;
  std::deque<domain::AccountRows> listed_;  // and not read yet
  bool all_listed_ = false;
};

}  // namespace

std::vector<store::JournalHead> SqlSession::journal_heads() {
  lease_->finish_by(Deadline::max());  // it takes as long as there are accounts
  std::vector<store::JournalHead> heads;
  Batch batch;
  batch.add(read_journal_heads, {}, append_to(heads, [](const Row& row) {
              RowReader reader(row);
              return store::JournalHead{
                  .user_id = reader.text(), .entries = reader.integer(), .hash = reader.text()};
            }));
  run(batch);
  return heads;
}

void SqlSession::each_account(const std::function<void(const domain::AccountRows&)>& check) {
  lease_->finish_by(Deadline::max());  // it takes as long as there are accounts
  try {
    AccountReader reader(*lease_);
    while (const std::optional<AccountGroup> group = reader.next()) {
      for (const domain::AccountRows& account : group->accounts()) {
        check(account);
      }
    }
  } catch (const SqlError& error) {
    throw_store_error(error);
  }
}

}  // namespace accounting::sql
