// The player: a seeded mix of all calls, as one thread of a host would make them.
#pragma once

#include "client.hpp"
#include "settings.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace accounting::testing {

class MixPlayer {
 public:
  /// `name` begins the ids of its calls, so no other player may bear it.
  MixPlayer(LoggingClient& client, std::string name, const WorkerSettings& settings,
            std::uint64_t seed);

  /// Makes the next call.
  void play();

 private:
  struct OpenSession {
    std::string id;
    std::string user;
    std::int64_t estimated = 0;
    std::int64_t reported = 0;
  };
  struct OwnAllocation {
    std::string user;
    std::string id;
  };

  [[nodiscard]] std::int64_t between(std::int64_t least, std::int64_t most);
  [[nodiscard]] WorkerCall next(CallKind kind);
  void charge();
  void give();
  void allocate();
  void revoke();
  void transfer();
  void begin_session();
  void go_on_with_session();

  LoggingClient& client_;
  std::string name_;
  std::mt19937_64 random_;
  const WorkerSettings& settings_;
  std::int64_t made_ = 0;
  std::vector<OpenSession> sessions_;
  std::vector<OwnAllocation> allocations_;
};

}  // namespace accounting::testing
