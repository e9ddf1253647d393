// Calls that must be refused, each with the error that it gives.
#pragma once

#include "support/books.hpp"

#include <functional>
#include <string>
#include <vector>

namespace accounting::testing {

/// One call with something wrong about it.
struct BadInput {
  std::string what;
  std::function<void(Books&)> call;
  std::string outcome;  ///< as `outcome_of` describes it
};

/// What the cases are written for: "ada" has 88 credits, an active session "active" of 10 tokens
/// and an ended one "ended"; "bob" has 10 credits and a session "bobs". "m" costs a credit a token,
/// "dear" 10^12 credits. The key "used" was ada's deduction of 1. Ada has the API key 1. Nobody has
/// used the key "free" or the session id "free".
void open_books_for_bad_input(Books& books);

inline ApiKeys keys_of(Books& books) { return books.accounting().api_keys(); }

/// Each text argument of each call: empty, too long, with a NUL byte, not UTF-8.
std::vector<BadInput> bad_texts();
/// Numbers and instants out of range, and those that contradict each other.
std::vector<BadInput> bad_numbers();
/// Metadata that is not what JSON says, or too much of it.
std::vector<BadInput> bad_metadata();
/// Names of what is not there, is somebody else's, has ended, or is too dear.
std::vector<BadInput> bad_state();

/// With ACCOUNTING_PRINT_TABLE=1 writes a line of the table of bad input to standard output.
void print_case(const std::string& what, const std::string& told);

}  // namespace accounting::testing
