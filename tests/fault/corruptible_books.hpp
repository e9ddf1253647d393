// CorruptibleBooks: a realistic history of two accounts, and a database that lets anybody change
// it, so that what `verify` sees can be tried.
#pragma once

#include "support/books.hpp"

#include <map>
#include <string>
#include <vector>

namespace accounting::testing {

/// The accounts ada and bob with the same history each: allocations used up, expired with credits
/// left, without expiry and revoked, before and during a hold; deductions, charges over several
/// allocations, recorded use; a session of each kind of end and policy, and one that is active and
/// was extended; keys of each operation; use on several days, under several models.
void live_two_lives(Books& books);

/// Takes away whatever in the database refuses a change, and remembers the rows.
class CorruptibleBooks {
 public:
  /// On books with a schema of their own. Nobody may write through the library from here on.
  explicit CorruptibleBooks(Books& books);

  /// Runs SQL. Spelt out are {ada}: a row is of ada's; {tick} and {day}: a microsecond and a day to
  /// be added to an instant; {columns:table}: a table's columns.
  std::string run(std::string sql) const;
  /// Makes every row what it was.
  void restore() const;

  /// The tables whose rows `verify` reads.
  static const std::vector<std::string>& tables();

 private:
  void unlock() const;

  Books& books_;
  std::map<std::string, std::string> columns_;  ///< of each table, those that can be inserted
};

/// SQL that adds a table's rows where `where` holds once more, with `changes` made to them.
std::string copy_of(const std::string& table, const std::string& where, const std::string& changes);

}  // namespace accounting::testing
