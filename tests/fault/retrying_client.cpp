#include "fault/retrying_client.hpp"

namespace accounting::testing {

void CallCounts::ended(End end) {
  const std::lock_guard lock(mutex_);
  ++totals_.calls;
  totals_.answered += end == End::answered ? 1 : 0;
  totals_.refused += end == End::refused ? 1 : 0;
  totals_.given_up += end == End::given_up ? 1 : 0;
}

void CallCounts::failed(const std::string& name, bool may_be_repeated) {
  const std::lock_guard lock(mutex_);
  ++(may_be_repeated ? totals_.failures : totals_.unexpected)[name];
  totals_.repeats += may_be_repeated ? 1 : 0;
}

CallCounts::Totals CallCounts::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

std::string to_string(const CallCounts::Totals& totals) {
  std::string text = std::to_string(totals.calls) + " calls, " + std::to_string(totals.answered) +
                     " answered, " + std::to_string(totals.refused) + " refused, " +
                     std::to_string(totals.given_up) + " given up; errors repeated:";
  for (const auto& [name, times] : totals.failures) {
    text += " " + name + " " + std::to_string(times);
  }
  text += totals.failures.empty() ? " none" : "";
  for (const auto& [name, times] : totals.unexpected) {
    text += "; UNEXPECTED " + name + " " + std::to_string(times);
  }
  return text;
}

void RetryingClient::note_refusal(const AccountingError& error) {
  // What a mix of calls may be refused for; anything else is a fault of the library or the test.
  switch (error.code()) {
    case ErrorCode::insufficient_credits:
    case ErrorCode::session_closed:
      break;
    default:
      counts_->failed(describe(error), false);
  }
  counts_->ended(CallCounts::End::refused);
}

void RetryingClient::pause() {
  std::uniform_int_distribution<int> milliseconds(0, 20);
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds(random_)));
}

}  // namespace accounting::testing
