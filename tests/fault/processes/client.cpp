#include "client.hpp"

#include <algorithm>
#include <thread>

namespace accounting::testing {
namespace {

constexpr std::chrono::milliseconds kPause(20);

bool is_refusal(const AccountingError& error) {
  return dynamic_cast<const StoreError*>(&error) == nullptr;
}

std::string words_of(const AccountingError& error) {
  return std::string(to_string(error.code())) + ": " + error.what();
}

}  // namespace

void Tally::add(const Tally& other) {
  calls += other.calls;
  acknowledged += other.acknowledged;
  refused += other.refused;
  failed += other.failed;
  unknown += other.unknown;
  retries += other.retries;
  longest = std::max(longest, other.longest);
}

LoggingClient::LoggingClient(Accounting& books, const std::string& log,
                             std::chrono::milliseconds patience)
    : books_(books), log_(log), patience_(patience) {}

std::optional<std::string> LoggingClient::make(const WorkerCall& call) {
  const auto began = std::chrono::steady_clock::now();
  ++tally_.calls;
  log_.begin(call);
  std::optional<std::string> answer = make_until(call, began + patience_);
  tally_.longest = std::max(tally_.longest, std::chrono::duration_cast<std::chrono::microseconds>(
                                                std::chrono::steady_clock::now() - began));
  return answer;
}

void LoggingClient::make_together(const std::vector<WorkerCall>& charges) {
  for (const WorkerCall& call : charges) {
    log_.begin(call);
  }
  const std::vector<std::string> answers = perform_together(books_, charges);
  for (std::size_t place = 0; place < charges.size(); ++place) {
    log_.end(charges[place], CallEnd::acknowledged, answers[place]);
  }
  const auto count = std::ssize(charges);
  tally_.calls += count;
  tally_.acknowledged += count;
}

std::optional<std::string> LoggingClient::make_until(
    const WorkerCall& call, std::chrono::steady_clock::time_point give_up) {
  bool in_doubt = false;
  while (true) {
    try {
      std::string answer = perform(books_, call);
      log_.end(call, CallEnd::acknowledged, answer);
      ++tally_.acknowledged;
      return answer;
    } catch (const AccountingError& error) {
      if (is_refusal(error)) {
        log_.end(call, CallEnd::refused, words_of(error));
        ++tally_.refused;
        return std::nullopt;
      }
      const bool is_unknown = error.code() == ErrorCode::outcome_unknown;
      in_doubt = in_doubt || is_unknown;
      // `transact` cannot know that all of its work carries keys; the caller does.
      const bool may_repeat = error.retryable() || is_unknown;
      if (!may_repeat || std::chrono::steady_clock::now() >= give_up) {
        log_.end(call, in_doubt ? CallEnd::unknown : CallEnd::failed, words_of(error));
        ++(in_doubt ? tally_.unknown : tally_.failed);
        std::this_thread::sleep_for(kPause);
        return std::nullopt;
      }
      ++tally_.retries;
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace accounting::testing
