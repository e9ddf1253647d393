// Streaming sessions, from the hold to the settlement.
#include "accounts.hpp"
#include "cases.hpp"

#include <chrono>

namespace accounting::bench {
namespace {

void run_session(Sessions& sessions, const std::string& session_id, const std::string& user_id) {
  sessions.initialize(
      {.session_id = session_id, .user_id = user_id, .model_id = model, .estimated_tokens = 1'200});
  sessions.report({.session_id = session_id, .user_id = user_id, .tokens_so_far = 600});
  sessions.finalize({.session_id = session_id, .user_id = user_id, .actual_tokens = 870});
}

}  // namespace

Figures session(const Settings& settings) {
  Accounting books = open_prepared(settings);
  Sessions sessions = books.sessions();
  const auto ids = account_ids(settings);
  // No run may repeat the names of an earlier one: it would measure replays.
  const auto run = std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  return measure(settings, [&](std::int64_t caller) -> Call {
    const std::string prefix = run + "-" + std::to_string(caller) + "-";
    return [&, prefix, picker = Picker(ids, caller), number = 0]() mutable {
      run_session(sessions, prefix + std::to_string(++number), picker.next());
    };
  });
}

}  // namespace accounting::bench
