#include "accounts.hpp"

#include <cstdio>

namespace accounting::bench {
namespace {

constexpr std::int64_t plenty = 1'000'000'000'000'000;

std::vector<AllocateRequest> grants(const std::vector<std::string>& ids, std::int64_t each) {
  std::vector<AllocateRequest> requests;
  for (const std::string& id : ids) {
    for (std::int64_t number = 0; number < each; ++number) {
      requests.push_back({.user_id = id,
                          .credits = plenty / each,
                          .allocated_by = "bench",
                          .never_expires = true});
    }
  }
  return requests;
}

}  // namespace

void prepare(Accounting& books, const Settings& settings) {
  books.migrate();
  if (books.pricing().list({.model_id = model}).empty()) {
    books.pricing().set({.model_id = model, .price_per_1k_tokens = "2.5", .created_by = "bench"});
  }
  const std::vector<std::string> ids = account_ids(settings);
  // In one transaction, because a thousand commits would take their time.
  books.transact([&](Transaction& transaction) {
    for (const std::string& id : ids) {
      transaction.accounts().sync({.user_id = id, .email = id + "@example.org", .username = id});
    }
  });
  books.credits().allocate_many(grants(ids, settings.allocations));
}

std::vector<std::string> account_ids(const Settings& settings) {
  if (!settings.user.empty()) {
    return {settings.user};
  }
  std::vector<std::string> ids;
  for (std::int64_t number = 1; number <= settings.accounts; ++number) {
    char id[32];
    std::snprintf(id, sizeof(id), "user-%05lld", static_cast<long long>(number));
    ids.emplace_back(id);
  }
  return ids;
}

Accounting open_prepared(const Settings& settings) {
  Accounting books = open_books(settings);
  if (settings.database == "sqlite://") {
    prepare(books, settings);
  }
  return books;
}

Picker::Picker(const std::vector<std::string>& ids, std::int64_t caller)
    : ids_(&ids), state_(0x9e3779b97f4a7c15U * static_cast<std::uint64_t>(caller + 1)) {}

const std::string& Picker::next() noexcept {
  // xorshift64: cheap beside the cheapest call.
  state_ ^= state_ << 13U;
  state_ ^= state_ >> 7U;
  state_ ^= state_ << 17U;
  return (*ids_)[state_ % ids_->size()];
}

}  // namespace accounting::bench
