// Charges: alone, in threads, and many in one call.
#include "accounts.hpp"
#include "cases.hpp"

namespace accounting::bench {
namespace {

ChargeRequest request(const std::string& user_id) {
  return {.user_id = user_id, .service = "chat", .operation = model, .credits = 3};
}

}  // namespace

Figures charge(const Settings& settings) {
  Accounting books = open_prepared(settings);
  Credits credits = books.credits();
  const auto ids = account_ids(settings);
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
