// Charges: alone, in threads, and many in one call.
#include "accounts.hpp"
#include "cases.hpp"

namespace accounting::bench {
namespace {

ChargeRequest request(const std::string& user_id) {
  return {.user_id = user_id, .service = "chat", .operation = model, .credits = 3};
}

/// A process that has been at work for a while has met its users.
void meet(Credits& credits, const std::vector<std::string>& ids) {
  std::vector<ChargeRequest> requests;
  for (const std::string& user_id : ids) {
    requests.push_back(request(user_id));
  }
  for (const auto& outcome : credits.charge_many(requests)) {
    static_cast<void>(outcome.value());
  }
}

}  // namespace

Figures charge(const Settings& settings) {
  Accounting books = open_prepared(settings);
  Credits credits = books.credits();
  const auto ids = account_ids(settings);
  meet(credits, ids);
  return measure(settings, [&](std::int64_t caller) -> Call {
    return [&, picker = Picker(ids, caller)]() mutable { credits.charge(request(picker.next())); };
  });
}

Figures charge_many(const Settings& settings) {
  Accounting books = open_prepared(settings);
  Credits credits = books.credits();
  const auto ids = account_ids(settings);
  const auto make_call = [&](std::int64_t caller) -> Call {
    return [&, picker = Picker(ids, caller)]() mutable {
      std::vector<ChargeRequest> requests;
      for (std::int64_t number = 0; number < settings.batch; ++number) {
        requests.push_back(request(picker.next()));
      }
      for (const auto& outcome : credits.charge_many(requests)) {
        static_cast<void>(outcome.value());
      }
    };
  };
  return measure(settings, make_call, settings.batch);
}

}  // namespace accounting::bench
