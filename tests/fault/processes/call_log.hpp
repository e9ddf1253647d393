// The log of a worker: what it was about to ask, and what it was answered. Each line is one write,
// so that it is in the kernel's hands, and outlives the worker, before the next step is taken.
#pragma once

#include "call.hpp"

#include <string>
#include <vector>

namespace accounting::testing {

/// How a call ended, as its caller knows it.
enum class CallEnd {
  open,          ///< the caller died before it was answered
  acknowledged,  ///< done, with an answer
  refused,       ///< by a rule of the books; nothing was changed
  failed,        ///< by the database; nothing was changed
  unknown        ///< the answer was lost, and could not be had again
};

struct LoggedCall {
  WorkerCall call;
  CallEnd end = CallEnd::open;
  std::string words;  ///< the answer, or the error
};

/// Writes one file. Belongs to one thread: a line that death cuts short is then the last one.
class CallLog {
 public:
  /// Appends to the file. Throws std::runtime_error where it cannot be written.
  explicit CallLog(const std::string& path);
  CallLog(const CallLog&) = delete;
  CallLog& operator=(const CallLog&) = delete;
  ~CallLog();

  void begin(const WorkerCall& call);
  void end(const WorkerCall& call, CallEnd end, const std::string& words);

 private:
  void write_line(const std::string& text) const;

  int file_;
};

/// All calls in the logs of a directory.
std::vector<LoggedCall> read_logs(const std::string& directory);

}  // namespace accounting::testing
