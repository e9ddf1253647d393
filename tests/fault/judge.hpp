// Judge: whether `verify` names each of a table of corruptions by invariant, account and rows.
#pragma once

#include "fault/corruptible_books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {

struct Corruption {
  std::string what;
  std::string sql;
  std::string invariant;  ///< that must be among those reported
  std::string words;      ///< that one problem's detail must have, parted by " | "
};

/// Makes each corruption on books that have been used, on a SQLite file and on PostgreSQL, and
/// asks `verify`. It must say so, as the corruption expects, and of nobody but ada.
void judge_each(const std::vector<Corruption>& corruptions);

/// Runs the test on books that have been used and can be corrupted; afterwards they are restored.
void for_corruptible_books(const std::function<void(Books&, CorruptibleBooks&)>& test);

}  // namespace accounting::testing
