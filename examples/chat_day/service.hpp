// ChatService: plays the script of a day against the books, as a chat service would live it.
#pragma once

#include "figures.hpp"
#include "script.hpp"
#include "shop.hpp"

#include <accounting/accounting.hpp>

#include <cstdint>
#include <functional>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace chat_day {

/// The library's defaults, but that a client who is silent for ten minutes counts as gone.
accounting::Policy service_policy();

/// Sessions of different users, and of one user, run at the same time: every step of every request
/// waits in a queue until the day's clock reaches it. One thread, so that a day can be repeated.
class ChatService {
 public:
  /// Told how many requests have begun, and the time of day.
  using Progress = std::function<void(std::int64_t begun, accounting::Timestamp now)>;

  /// All of these must outlive the service.
  ChatService(accounting::Accounting& books, accounting::ManualClock& clock, const Tenant& tenant,
              const Script& script, Figures& figures);

  /// Lives the day to its end: afterwards no session is open.
  void run(const Progress& progress);

 private:
  /// A step of a turn: 0 begins it, the next ones report, the last one ends it.
  struct Event {
    accounting::Timestamp time;
    std::size_t turn = 0;
    std::int64_t step = 0;

    /// Soonest first; of the same instant, the earlier request.
    friend bool operator>(const Event& a, const Event& b) {
      return a.time != b.time ? a.time > b.time : a.turn > b.turn;
    }
  };
  /// What a running session holds and expects.
  struct Open {
    std::int64_t allocated = 0;
    std::int64_t expected = 0;  ///< generated tokens that the estimate covers
  };

  void play(const Event& event);
  bool begin(std::size_t turn);
  void report(std::size_t turn, std::int64_t step);
  void extend(std::size_t turn, std::int64_t step);
  void end(std::size_t turn);
  void settle(std::size_t turn, const accounting::Settlement& settlement);
  void await_sweep();
  void sweep_until(accounting::Timestamp time);
  void sweep();

  [[nodiscard]] std::string user_id(std::size_t turn) const;
  [[nodiscard]] std::string session_id(std::size_t turn) const;

  accounting::Accounting& books_;
  accounting::ManualClock& clock_;
  const Tenant& tenant_;
  const Script& script_;
  Figures& figures_;

  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::set<accounting::Timestamp> sweeps_;
  std::unordered_map<std::size_t, Open> open_;
  std::unordered_map<std::string, std::size_t> vanished_;  ///< turns, by session id
};

}  // namespace chat_day
