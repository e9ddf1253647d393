// Wire: what a PostgreSQL client tells the server to run, read from the bytes that it sends.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace accounting::testing {

/// Reads one client's bytes, from its first on. Only without TLS.
class WireReader {
 public:
  using Heard = std::function<void(const std::string& text)>;

  /// Takes what the client sends next; each statement that it has run is heard, as its text.
  void take(std::string_view bytes, const Heard& heard);

 private:
  void read(char type, std::string_view body, const Heard& heard);

  bool started_ = false;
  std::string unread_;
  std::map<std::string, std::string, std::less<>> prepared_;  ///< by name; the last unnamed one
};

}  // namespace accounting::testing
