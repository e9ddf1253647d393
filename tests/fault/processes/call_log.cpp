#include "call_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace accounting::testing {
namespace {

constexpr std::array kWords = {"intent", "acknowledged", "refused", "failed", "unknown"};

CallEnd read_end(const std::string& word) {
  for (std::size_t end = 0; end < kWords.size(); ++end) {
    if (word == kWords[end]) {
      return static_cast<CallEnd>(end);
    }
  }
  throw std::runtime_error("not a line of a log: " + word);
}

void read_line(const std::string& line, std::map<std::string, LoggedCall>& calls) {
  std::istringstream in(line);
  std::string word;
  in >> word;
  const CallEnd end = read_end(word);
  if (end == CallEnd::open) {
    const WorkerCall call = read_call(in);
    if (!calls.try_emplace(call.id, LoggedCall{call, end, {}}).second) {
      throw std::runtime_error("two calls are named " + call.id);
    }
    return;
  }
  std::string id;
  in >> id >> std::ws;
  LoggedCall& logged = calls.at(id);
  logged.end = end;
  std::getline(in, logged.words);
}

}  // namespace

CallLog::CallLog(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (file_ < 0) {
    throw std::runtime_error("the log cannot be written: " + path);
  }
}

CallLog::~CallLog() { ::close(file_); }

void CallLog::begin(const WorkerCall& call) {
  write_line("intent " + call.id + " " + to_string(call));
}

void CallLog::end(const WorkerCall& call, CallEnd end, const std::string& words) {
  write_line(std::string(kWords.at(static_cast<std::size_t>(end))) + " " + call.id + " " + words);
}

void CallLog::write_line(const std::string& text) const {
  const std::string line = text + "\n";
  if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::runtime_error("the log cannot be written");
  }
}

std::vector<LoggedCall> read_logs(const std::string& directory) {
  std::vector<LoggedCall> all;
  std::map<std::string, LoggedCall> calls;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream in(entry.path());
    std::string line;
    // A last line without its end was cut short by death: what it says was not said.
    while (std::getline(in, line) && !in.eof()) {
      read_line(line, calls);
    }
  }
  for (auto& [id, logged] : calls) {
    all.push_back(std::move(logged));
  }
  return all;
}

}  // namespace accounting::testing
