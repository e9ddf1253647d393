#include "sql/chain_journals.hpp"

#include "accounting/error.hpp"
#include "crypto/journal_hash.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <vector>

namespace accounting::sql {
namespace {

using enum Type;

constexpr std::int64_t accounts_a_trip = 500;
constexpr std::int64_t entries_a_trip = 2'000;

const Statement next_journals{
    .name = "chain_next_journals",
    .text =
        "SELECT user_id FROM user_accounts WHERE user_id > :after AND last_entry_sequence > 0 "
        "ORDER BY user_id LIMIT :limit",
    .parameters = {{"after", text}, {"limit", integer}},
    .columns = {text}};

const Statement next_entries{
    .name = "chain_next_entries",
    .text = "SELECT " ACCOUNTING_ENTRY_COLUMNS
            " FROM credit_entries WHERE user_id = :user_id AND sequence > :after "
            "ORDER BY sequence LIMIT :limit",
    .parameters = {{"user_id", text}, {"after", integer}, {"limit", integer}},
    .columns = columns::entry};

const Statement keep_last_hash{
    .name = "chain_keep_last_hash",
    .text = "UPDATE user_accounts SET last_entry_hash = :hash WHERE user_id = :user_id",
    .parameters = {{"user_id", text}, {"hash", text}},
    .touches_one_row = true};

Rows ask(Connection& connection, Call call) {
  return std::move(connection.run({.calls = {std::move(call)}}).at(0));
}

CreditEntry entry_of(const Row& row, const std::string& user_id, std::int64_t after) {
  try {
    return read_entry(row);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {  // its text may quote what is stored
    throw MigrationError("the journal of " + user_id + " cannot be read after sequence " +
                         std::to_string(after) +
                         "; nothing was changed: run verify of the library's version before");
  }
}

std::string last_hash(Connection& connection, const std::string& user_id) {
  std::string hash;
  std::int64_t sequence = 0;
  while (true) {
    const Rows rows = ask(connection, {&next_entries, {user_id, sequence, entries_a_trip}});
    if (rows.empty()) {
      return hash;
    }
    for (const Row& row : rows) {
      const CreditEntry entry = entry_of(row, user_id, sequence);
      hash = crypto::journal_hash(hash, entry);
      sequence = entry.sequence;
    }
  }
}

}  // namespace

void chain_journals(Connection& connection) {
  std::string after;
  while (true) {
    const Rows accounts = ask(connection, {&next_journals, {after, accounts_a_trip}});
    if (accounts.empty()) {
      return;
    }
    Trip hashes;
    for (const Row& row : accounts) {
      after = RowReader(row).text();
      hashes.calls.push_back({&keep_last_hash, {after, last_hash(connection, after)}});
    }
    connection.run(hashes);
  }
}

}  // namespace accounting::sql
