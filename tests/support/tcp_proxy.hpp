// TcpProxy: stands between a client and a PostgreSQL server, counts round trips, and breaks the
// connection on cue.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace accounting::testing {

/// What happens once a client's bytes hold the word COMMIT.
enum class AtCommit {
  pass,         ///< nothing
  drop,         ///< both sides are hung up on, and the server never sees it
  drop_answer,  ///< the server gets it, and its answer never reaches the client
  cut_answer,   ///< the client gets the first byte of the answer only
  hold_answer,  ///< the answer never reaches the client, and nobody hangs up
  stall_answer  ///< the client gets the first byte of the answer, and nobody hangs up
};

class TcpProxy {
 public:
  explicit TcpProxy(const std::string& server_url);
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;
  ~TcpProxy();

  /// The server's URL by way of the proxy.
  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  /// From now on, at every COMMIT.
  void at_commit(AtCommit what) noexcept {
    others_first_ = 0;
    once_ = false;
    at_commit_ = what;
  }
  /// At one COMMIT only: the next, or the one after `others` more. A query has one too.
  void at_next_commit(AtCommit what, int others = 0) noexcept {
    others_first_ = others;
    once_ = true;
    at_commit_ = what;
  }
  /// How often something was done to a COMMIT.
  [[nodiscard]] int faults() const noexcept { return faults_; }
  /// How often a client spoke after the server had answered, or first.
  [[nodiscard]] std::int64_t round_trips() const noexcept { return round_trips_; }
  /// From now on takes what both sides send and passes nothing on.
  void fall_silent() noexcept { silent_ = true; }
  /// Passes on again, for clients that come from now on; what was taken meanwhile is gone.
  void speak_again() noexcept { silent_ = false; }
  /// From now on everything takes that much longer, each way.
  void delay(std::chrono::milliseconds time) noexcept { delay_ = time; }

 private:
  void accept_clients();
  void serve(int client);

  std::string server_host_;
  std::string server_port_;
  std::string url_;
  int listener_ = -1;
  std::atomic<AtCommit> at_commit_ = AtCommit::pass;
  std::atomic<bool> once_ = false;
  std::atomic<int> others_first_ = 0;
  std::atomic<int> faults_ = 0;
  std::atomic<std::int64_t> round_trips_ = 0;
  std::atomic<bool> silent_ = false;
  std::atomic<std::chrono::milliseconds> delay_{};
  std::atomic<bool> closing_ = false;
  std::vector<std::thread> servants_;
  std::thread acceptor_;
};

}  // namespace accounting::testing
