#include "services/journal_chain.hpp"

#include "crypto/journal_hash.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace accounting::services {
namespace {

Problem broken(const domain::AccountRows& rows, std::string detail) {
  return {.invariant = "chain", .user_id = rows.user_id, .detail = std::move(detail)};
}

std::string name_of(const CreditEntry& entry) {
  return "credit_entries: the entry with sequence " + std::to_string(entry.sequence);
}

}  // namespace

void chain_entries(domain::Changes& changes) {
  // The accounts stand in one order in both lists, though not all of them have entries.
  auto account = changes.counters.begin();
  for (CreditEntry& entry : changes.entries) {
    while (account != changes.counters.end() && account->user_id != entry.user_id) {
      ++account;
    }
    if (account == changes.counters.end()) {
      throw std::logic_error("a journal entry without its account's counters");
    }
    std::string& last = account->after.last_entry_hash;
    entry.hash = crypto::journal_hash(last, entry);
    last = entry.hash;
  }
}

std::vector<Problem> check_chain(const domain::AccountRows& rows) {
  std::vector<Problem> problems;
  std::string last;
  bool begun = false;
  for (const CreditEntry& entry : rows.entries) {
    std::string expected = crypto::journal_hash(last, entry);
    if (entry.hash.empty()) {
      if (begun) {
        problems.push_back(broken(rows, name_of(entry) + " has no hash, although earlier ones do"));
      }
      last = std::move(expected);
      continue;
    }
    if (entry.hash != expected) {
      problems.push_back(
          broken(rows, name_of(entry) + " is not what its hash was made of" +
                           (begun || entry.sequence == 1
                                ? ", or does not follow the entry before it"
                                : ", or one of those without a hash that come before it is not")));
    }
    begun = true;
    last = entry.hash;  // so that one broken link is one problem
  }
  if (last != rows.counters.last_entry_hash) {
    problems.push_back(broken(
        rows,
        "user_accounts: last_entry_hash is not the hash of the last entry of credit_entries, "
        "whose sequence is " +
            std::to_string(rows.entries.empty() ? 0 : rows.entries.back().sequence)));
  }
  return problems;
}

}  // namespace accounting::services
