// How long a charge takes in C++, for charge_cost.py to compare with Python's. Prints the
// microseconds of one charge: the best of several rounds, since noise only ever adds.
#include <accounting/accounting.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>

int main(int, char** arguments) {
  const int rounds = std::atoi(arguments[1]);
  const int charges = std::atoi(arguments[2]);

  auto books = accounting::Accounting::open({.database = "sqlite://"});
  books.accounts().sync({.user_id = "ada", .email = "ada@example.org", .username = "Ada"});
  books.credits().allocate(
      {.user_id = "ada", .credits = 1'000'000'000, .allocated_by = "admin", .expiry_days = 30});

  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int charge = 0; charge < charges; ++charge) {
      books.credits().charge({.user_id = "ada",
                              .service = "chat",
                              .operation = "some-model",
                              .credits = 3,
                              .metadata = R"({"request":"r-1","tokens":1200})"});
    }
    const std::chrono::duration<double, std::micro> elapsed =
        std::chrono::steady_clock::now() - begin;
    best = std::min(best, elapsed.count() / charges);
  }
  std::printf("%.2f\n", best);
}
