#include "player.hpp"

#include <sstream>
#include <utility>

namespace accounting::testing {
namespace {

// Few, so that what a player remembers stays as small in ten minutes as in one.
constexpr std::size_t kMostSessions = 6;
constexpr std::size_t kMostAllocations = 20;

}  // namespace

MixPlayer::MixPlayer(LoggingClient& client, std::string name, const WorkerSettings& settings,
                     std::uint64_t seed)
    : client_(client), name_(std::move(name)), random_(seed), settings_(settings) {}

std::int64_t MixPlayer::between(std::int64_t least, std::int64_t most) {
  return least +
         static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most - least + 1));
}

WorkerCall MixPlayer::next(CallKind kind) {
  return {.kind = kind,
          .id = name_ + "." + std::to_string(++made_),
          .user = account_name(between(0, settings_.accounts - 1))};
}

void MixPlayer::play() {
  if (between(0, 999) < settings_.grants) {
    return give();
  }
  const std::int64_t dice = between(0, 99);
  if (dice < 50) {
    charge();
  } else if (dice < 51) {
    WorkerCall call = next(CallKind::expire);
    call.user = "-";
    client_.make(call);
  } else if (dice < 66) {
    begin_session();
  } else {
    go_on_with_session();
  }
}

void MixPlayer::give() {
  const std::int64_t dice = between(0, 11);
  if (dice < 8) {
    transfer();
  } else if (dice < 11) {
    allocate();
  } else {
    revoke();
  }
}

void MixPlayer::charge() {
  WorkerCall call = next(CallKind::charge);
  call.amount = between(1, 9);
  client_.make(call);
}

void MixPlayer::allocate() {
  WorkerCall call = next(CallKind::allocate);
  call.amount = between(1, 500);
  if (const auto answer = client_.make(call)) {
    std::istringstream words(*answer);
    std::string id;
    words >> id >> id;  // "allocation", then its number
    if (allocations_.size() < kMostAllocations) {
      allocations_.push_back({call.user, id});
    }
  }
}

void MixPlayer::revoke() {
  if (allocations_.empty()) {
    return allocate();
  }
  WorkerCall call = next(CallKind::revoke);
  const auto chosen = allocations_.begin() + between(0, std::ssize(allocations_) - 1);
  call.user = chosen->user;
  call.subject = chosen->id;
  allocations_.erase(chosen);
  client_.make(call);
}

void MixPlayer::transfer() {
  WorkerCall call = next(CallKind::transfer);
  call.subject = account_name(between(0, settings_.accounts - 1));
  call.amount = between(20, 200);
  if (call.subject == call.user) {
    return charge();
  }
  client_.make(call);
}

void MixPlayer::begin_session() {
  if (sessions_.size() >= kMostSessions) {
    return go_on_with_session();
  }
  WorkerCall call = next(CallKind::initialize);
  call.amount = between(50, 500);
  if (client_.make(call)) {
    sessions_.push_back({call.id, call.user, call.amount, 0});
  }
}

void MixPlayer::go_on_with_session() {
  if (sessions_.empty()) {
    return begin_session();
  }
  const auto session = sessions_.begin() + between(0, std::ssize(sessions_) - 1);
  const std::int64_t dice = between(0, 9);
  const bool ends = dice >= 6;
  WorkerCall call = next(ends ? (dice < 9 ? CallKind::finalize : CallKind::abort)
                              : (dice < 5 ? CallKind::report : CallKind::extend));
  call.user = session->user;
  call.subject = session->id;
  if (call.kind == CallKind::report) {
    session->reported += between(1, 60);
    call.amount = session->reported;
  } else if (call.kind == CallKind::extend) {
    call.amount = between(1, 100);
  } else {
    call.amount = between(0, session->estimated * 2);
  }
  const bool answered = client_.make(call).has_value();
  if (ends || !answered) {
    sessions_.erase(session);
  }
}

}  // namespace accounting::testing
