#include "shop.hpp"

#include "random.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>

namespace chat_day {

namespace {

using accounting::Accounting;
using accounting::AllocateRequest;
using accounting::Price;

enum class Life { hours, day, week, month, for_ever };

/// Credits for a part of what a user of that rank is expected to need.
struct Package {
  std::string_view name;
  std::int64_t percent;
  Life life;
  bool from_midday = false;  ///< can be spent from the middle of the trace on
};

/// What users have bought: a user's plan is the rank modulo the number of plans. Some plans do not
/// last for the day, so that requests are refused.
constexpr std::array<std::array<Package, 2>, 5> plans = {{
    {{{"welcome bonus", 60, Life::hours}, {"monthly credits", 90, Life::month}}},
    {{{"week pass", 40, Life::week}, {"credits for ever", 150, Life::for_ever}}},
    {{{"day pass", 50, Life::day}, {"monthly credits", 50, Life::month}}},
    {{{"morning credits", 45, Life::week}, {"midday credits", 60, Life::for_ever, true}}},
    {{{"trial", 50, Life::hours}, {"day pass", 35, Life::day}}},
}};

// Nobody buys credits for less than a few requests.
constexpr double fewest_requests = 5;

// Few commits for many allocations, and none of them large.
constexpr std::size_t allocations_per_call = 500;

std::optional<Price> own_price(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional<Price>(text);
}

/// What a request of the trace costs on average, over the models as they are asked for.
std::int64_t usual_cost(const Accounting& books, const Script& script) {
  std::int64_t credits = 0;
  std::int64_t popularity = 0;
  for (std::size_t model = 0; model < models.size(); ++model) {
    const Turn mean{.model = model, .input = script.mean_context};
    credits += models[model].popularity *
               books.pricing().calculate({.model_id = std::string(models[model].id),
                                          .tokens = mean.tokens(script.mean_generated)});
    popularity += models[model].popularity;
  }
  return credits / popularity;
}

AllocateRequest order(const Package& package, const std::string& user_id, const Tenant& tenant,
                      double usual, const Script& script) {
  const auto span = script.last - script.first;
  AllocateRequest request{.user_id = user_id, .allocated_by = tenant.name};
  // Multiplications and divisions only, which every machine rounds alike.
  request.credits = std::clamp(std::llround(usual * static_cast<double>(package.percent) / 100),
                               1LL, 1'000'000'000'000'000LL);
  request.notes = package.name;
  request.idempotency_key = user_id + " " + std::string(package.name);
  switch (package.life) {
    case Life::hours:
      request.expires_at = script.first + span * 2 / 5;
      break;
    case Life::day:
      request.expiry_days = 1;
      break;
    case Life::week:
      request.expiry_days = 7;
      break;
    case Life::month:
      break;  // as the policy says: 30 days
    case Life::for_ever:
      request.never_expires = true;
      break;
  }
  if (package.from_midday) {
    request.effective_at = script.first + span / 2;
  }
  return request;
}

std::int64_t sell(Accounting& books, std::vector<AllocateRequest>& orders) {
  std::int64_t credits = 0;
  if (orders.empty()) {
    return credits;
  }
  for (const auto& allocation : books.credits().allocate_many(orders)) {
    credits += allocation.total_credits;
  }
  orders.clear();
  return credits;
}

}  // namespace

std::string Tenant::user_id(std::int64_t rank) const {
  std::string number = std::to_string(rank + 1);
  number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
  return name + "/user-" + number;
}

void set_prices(Accounting& books) {
  for (const Model& model : models) {
    // One start for all runs, whatever day they bill: setting the same rule again is no change.
    books.pricing().set({.model_id = std::string(model.id),
                         .price_per_1k_tokens = Price(model.price),
                         .created_by = "chat-day",
                         .effective_from = accounting::Timestamp(),
                         .output = own_price(model.output),
                         .cached_input = own_price(model.cached_input)});
  }
}

Tenant open_tenant(Accounting& books) {
  for (std::int64_t number = 1;; ++number) {
    const std::string name = "chat-day-" + std::to_string(number);
    try {
      (void)books.accounts().get(name);
      continue;  // an earlier run's
    } catch (const accounting::NotFound&) {
    }
    const auto synced = books.accounts().sync({.user_id = name,
                                               .email = name + "@example.org",
                                               .username = name,
                                               .role = accounting::Role::admin});
    if (synced.created) {
      return {.name = name};
    }
  }
}

std::int64_t sell_packages(Accounting& books, const Tenant& tenant, const Script& script) {
  std::set<std::int64_t> ranks;
  for (const Turn& turn : script.turns) {
    ranks.insert(turn.user);
  }
  const Zipf zipf(script.users);
  const auto cost = static_cast<double>(usual_cost(books, script));
  const auto requests = static_cast<double>(script.turns.size());

  std::int64_t credits = 0;
  std::vector<AllocateRequest> orders;
  for (const std::int64_t rank : ranks) {
    const std::string user_id = tenant.user_id(rank);
    books.accounts().sync({.user_id = user_id,
                           .email = "user-" + std::to_string(rank + 1) + "@example.org",
                           .username = "User " + std::to_string(rank + 1)});
    const double usual = cost * std::max(requests * zipf.share(rank), fewest_requests);
    for (const Package& package : plans[static_cast<std::size_t>(rank) % plans.size()]) {
      orders.push_back(order(package, user_id, tenant, usual, script));
    }
    if (orders.size() >= allocations_per_call) {
      credits += sell(books, orders);
    }
  }
  return credits + sell(books, orders);
}

}  // namespace chat_day
