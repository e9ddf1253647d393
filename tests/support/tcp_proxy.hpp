// TcpProxy: stands between a client and a PostgreSQL server, counts round trips, and breaks the
// connection on cue.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace accounting::testing {

/// What happens once a client's bytes hold the word COMMIT.
enum class AtCommit {
  pass,             ///< nothing
  drop,             ///< both sides are hung up on, and the server never sees it
  drop_answer,      ///< the server gets it, and its answer never reaches the client
  cut_answer,       ///< the client gets the first byte of the answer only
  hold_answer,      ///< the answer never reaches the client, and nobody hangs up
  stall_answer,     ///< the client gets the first byte of the answer, and nobody hangs up
  close_to_client,  ///< half of the line: the client is told that no more comes, and may send on
  close_to_server   ///< the other half: the server is told so, and its answer reaches the client
};

class TcpProxy {
 public:
  explicit TcpProxy(const std::string& server_url);
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;
  ~TcpProxy();

  /// The server's URL by way of the proxy.
  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  /// Where it listens, on 127.0.0.1.
  [[nodiscard]] const std::string& port() const noexcept { return port_; }
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
  /// What clients have sent so far.
  [[nodiscard]] std::int64_t bytes_from_clients() const noexcept { return bytes_from_clients_; }
  /// From now on, keeps what clients have the server run.
  void keep_statements() noexcept { keeps_statements_ = true; }
  /// The statements that were kept since it was last asked: their texts, in order.
  std::vector<std::string> take_statements();
  /// How often a client spoke after the server had answered, or first.
  [[nodiscard]] std::int64_t round_trips() const noexcept { return round_trips_; }
  /// Takes what both sides send and passes nothing on: from now on, or from the moment when a
  /// client has spoken `round_trips` times more. Hangs up after a while, so that who waits without
  /// end fails its test instead of stopping it.
  void fall_silent(std::int64_t round_trips = 0) noexcept {
    silent_from_ = round_trips_ + round_trips;
  }
  /// Passes so many bytes more from clients on, then reads nothing from anyone; hangs up as above.
  void stop_reading(std::int64_t after_bytes) noexcept {
    last_byte_read_ = bytes_from_clients_ + after_bytes;
  }
  /// Reads and passes on again, for clients that come from now on, and hangs up on the others.
  void speak_again() noexcept {
    silent_from_ = never;
    last_byte_read_ = never;
  }
  /// For how long a client has heard nothing; of the first where there are several.
  [[nodiscard]] std::chrono::milliseconds silent_for() const noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() -
                                                                 silent_since_.load());
  }
  /// From now on everything takes that much longer, each way.
  void delay(std::chrono::milliseconds time) noexcept { delay_ = time; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] bool reads() const noexcept { return bytes_from_clients_ < last_byte_read_; }
  [[nodiscard]] bool is_silent() const noexcept { return !reads() || round_trips_ > silent_from_; }
  void keep(const std::string& statement);
  void accept_clients();
  void serve(int client);

  std::string server_host_;
  std::string server_port_;
  std::string port_;
  std::string url_;
  int listener_ = -1;
  std::atomic<AtCommit> at_commit_ = AtCommit::pass;
  std::atomic<bool> once_ = false;
  std::atomic<int> others_first_ = 0;
  std::atomic<int> faults_ = 0;
  std::atomic<std::int64_t> round_trips_ = 0;
  std::atomic<std::int64_t> silent_from_ = never;     ///< round trip
  std::atomic<std::int64_t> last_byte_read_ = never;  ///< from clients
  std::atomic<std::int64_t> bytes_from_clients_ = 0;
  std::atomic<Clock::time_point> silent_since_ = Clock::time_point::max();
  std::atomic<std::chrono::milliseconds> delay_{};
  std::atomic<bool> closing_ = false;
  std::atomic<bool> keeps_statements_ = false;
  std::mutex mutex_;
  std::vector<std::string> statements_;
  std::vector<std::thread> servants_;
  std::thread acceptor_;
};

}  // namespace accounting::testing
