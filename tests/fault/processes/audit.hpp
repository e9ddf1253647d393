// The audit: judges from the logs of workers, which alone know what was answered, that nothing
// acknowledged was lost (I7), after `verify` has judged the rest.
#pragma once

#include "call_log.hpp"
#include "findings.hpp"

#include <accounting/accounting.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace accounting::testing {

class LogAudit {
 public:
  LogAudit(Accounting& books, std::vector<LoggedCall> calls);

  /// Compares books and logs, makes each of the calls again, or every n-th of them, and compares
  /// once more: a repetition is answered as before and changes nothing, and what was left open
  /// either is there or comes about now, once.
  void run(std::size_t repeat_every);

  /// One line of counts.
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  void compare();
  void verify();
  void judge_call(const LoggedCall& logged);
  void judge_presence(const LoggedCall& logged, bool present);
  void judge_sessions();
  void judge_end(const StreamingSession& session);
  void judge_deductions();
  void judge_that_all_was_asked_for();
  void repeat(LoggedCall& logged);
  void problem(const std::string& text);
  [[nodiscard]] bool was_asked(const std::string& id) const { return index_.contains(id); }

  Accounting& books_;
  std::vector<LoggedCall> calls_;
  std::map<std::string, std::size_t> index_;                    ///< of a call, by its id
  std::map<std::string, std::vector<std::size_t>> of_session_;  ///< what went on with it
  Findings found_;
  VerifyReport report_;
  std::mutex mutex_;
  std::vector<std::string> problems_;
  std::int64_t open_ = 0;
  std::int64_t applied_ = 0;  ///< of the open ones
  std::int64_t repeated_ = 0;
};

}  // namespace accounting::testing
