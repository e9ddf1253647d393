// What a stranger writes first: opens books in memory, gives credits, bills one streamed answer.
#include <accounting/accounting.hpp>

#include <iostream>

int main() {
  auto books = accounting::Accounting::open({.database = "sqlite://"});
  books.accounts().sync({.user_id = "ada", .email = "ada@example.org", .username = "Ada"});
  books.credits().allocate(
      {.user_id = "ada", .credits = 1'000, .allocated_by = "admin", .expiry_days = 30});
  books.pricing().set({.model_id = "m", .price_per_1k_tokens = "0.5", .created_by = "admin"});
  books.sessions().initialize(
      {.session_id = "s-1", .user_id = "ada", .model_id = "m", .estimated_tokens = 1'200});
  const auto settlement =
      books.sessions().finalize({.session_id = "s-1", .user_id = "ada", .actual_tokens = 87'000});
  const bool ok = books.verify().ok;
  std::cout << "used " << settlement.actual_credits << ", verify " << (ok ? "ok" : "failed")
            << '\n';
  // An error must be caught as what it is, across the library's border too.
  try {
    (void)books.credits().balance({.user_id = "nobody"});
  } catch (const accounting::NotFound&) {
    return ok && settlement.actual_credits == 44 ? 0 : 1;
  }
  return 1;
}
