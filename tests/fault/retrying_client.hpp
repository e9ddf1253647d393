// RetryingClient: calls the books as a careful host does, and counts what it was told.
#pragma once

#include "support/books.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

namespace accounting::testing {

/// What calls came to. Thread-safe.
class CallCounts {
 public:
  struct Totals {
    std::int64_t calls = 0;
    std::int64_t answered = 0;
    std::int64_t refused = 0;   ///< by the rules: short of credits, a session that has ended …
    std::int64_t given_up = 0;  ///< failed as often as the client was ready to repeat them
    std::int64_t repeats = 0;
    std::map<std::string, std::int64_t> failures;    ///< that a client repeats, by name
    std::map<std::string, std::int64_t> unexpected;  ///< all other errors, by name
  };

  enum class End { answered, refused, given_up };
  void ended(End end);
  void failed(const std::string& name, bool may_be_repeated);

  [[nodiscard]] Totals totals() const;

 private:
  mutable std::mutex mutex_;
  Totals totals_;
};

/// One line of what was counted.
std::string to_string(const CallCounts::Totals& totals);

/// What may be made again by a caller who does not know its outcome.
enum class Repeat {
  what_the_error_says,  ///< as `retryable()` says
  after_unknown_too     ///< a transaction whose steps all carry keys
};

template <class Answer>
struct Reply {
  std::optional<Answer> answer;  ///< none: refused or given up
  bool in_doubt = false;         ///< given up, and it may have taken effect
};

/// Belongs to one thread.
class RetryingClient {
 public:
  RetryingClient(CallCounts& counts, std::uint64_t seed)
      : counts_(&counts), random_(static_cast<std::minstd_rand::result_type>(seed)) {}

  /// Makes a call, and makes it again while its error says that this may help.
  template <class Call>
  auto operator()(Call&& call, Repeat repeat = Repeat::what_the_error_says) {
    Reply<std::invoke_result_t<Call&>> reply;
    for (int attempt = 1;; ++attempt) {
      try {
        reply.answer = call();
        reply.in_doubt = false;
        counts_->ended(CallCounts::End::answered);
        return reply;
      } catch (const StoreError& error) {
        const bool unknown = error.code() == ErrorCode::outcome_unknown;
        const bool again = error.retryable() || (unknown && repeat == Repeat::after_unknown_too);
        counts_->failed(describe(error), again);
        reply.in_doubt = reply.in_doubt || unknown;
        if (!again || attempt == kMostAttempts) {
          counts_->ended(CallCounts::End::given_up);
          return reply;
        }
      } catch (const AccountingError& error) {
        note_refusal(error);
        return reply;
      }
      pause();
    }
  }

 private:
  static constexpr int kMostAttempts = 20;

  void note_refusal(const AccountingError& error);
  void pause();

  CallCounts* counts_;
  std::minstd_rand random_;
};

}  // namespace accounting::testing
