// The five-minute start: a price, an account with credits, one streamed answer, and the proof that
// the books balance.
#include <accounting/accounting.hpp>

#include <iostream>

int main() {
  // In memory. "sqlite:///credits.db" keeps a file; "postgresql://user:pw@host/db" is a server.
  auto books = accounting::Accounting::open({.database = "sqlite://"});

  // Credits per 1,000 tokens, exact: a price is text or a whole number, never a float.
  books.pricing().set({.model_id = "atlas", .price_per_1k_tokens = "2.5", .created_by = "admin"});

  books.accounts().sync({.user_id = "ada", .email = "ada@example.org", .username = "Ada"});
  books.credits().allocate(
      {.user_id = "ada", .credits = 1'000, .allocated_by = "admin", .expiry_days = 30});

  // Before the answer streams, its estimated price and 20 % more are held.
  auto session = books.sessions().initialize(
      {.session_id = "s-1", .user_id = "ada", .model_id = "atlas", .estimated_tokens = 12'000});
  std::cout << "held for the answer   " << session.allocated_credits << " credits\n";

  // While it streams, each report is a sign of life.
  books.sessions().report({.session_id = "s-1", .user_id = "ada", .tokens_so_far = 5'000});
  auto balance = books.credits().balance("ada");
  std::cout << "meanwhile to spend    " << balance.total_credits << " credits\n";

  // At the end only what was used is paid, and the rest of the hold goes back.
  auto settlement =
      books.sessions().finalize({.session_id = "s-1", .user_id = "ada", .actual_tokens = 8'700});
  std::cout << "used                  " << settlement.actual_credits << " credits\n"
            << "refunded              " << settlement.refund << " credits\n";

  balance = books.credits().balance("ada");
  std::cout << "balance               " << balance.total_credits << " credits\n";

  auto report = books.verify();
  std::cout << "books balance         " << (report.ok ? "yes" : "no") << "\n";
  return report.ok ? 0 : 1;
}
