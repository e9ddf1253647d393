// How histories are made from a seed.
#include "property/composer.hpp"
#include "property/random.hpp"
#include "simulation/history.hpp"

#include <algorithm>
#include <utility>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::array<const char*, 4> everybody{"ada", "bob", "cy", "nobody"};
constexpr std::int64_t most_at_once = 5;
constexpr std::array<const char*, 3> priced{"ruled", "listed", "other"};

/// A history in the making. The commands come from the composer; who makes them, in what order, and
/// what goes wrong meanwhile is decided here.
class HistoryComposer {
 public:
  explicit HistoryComposer(std::uint64_t seed)
      : random_(seed ^ 0x5DEECE66DU), composer_(random_.next()) {
    history_.seed = seed;
  }

  History compose() {
    Sequence world = composer_.compose_world();
    history_.users = std::move(world.users);
    history_.rules = std::move(world.rules);
    history_.policies = std::move(world.policies);
    history_.clients = static_cast<std::size_t>(random_.between(1, 4));
    history_.max_attempts = random_.chance(50) ? 8 : random_.between(1, 3);
    history_.prefix_divisor = random_.chance(50) ? 32 : 1;
    history_.start = composer_.now();
    mishap_percent_ = random_.chance(10) ? 0 : random_.between(2, 60);
    meanwhile_percent_ = random_.chance(30) ? 0 : random_.between(5, 50);
    transaction_percent_ = random_.chance(40) ? 0 : random_.between(2, 12);
    price_percent_ = random_.chance(80) ? 1 : random_.between(5, 25);
    for (std::int64_t left = random_.between(20, 160); left > 0; --left) {
      history_.turns.push_back(turn(0));
    }
    return std::move(history_);
  }

 private:
  Turn turn(int depth) {
    const auto client = static_cast<std::size_t>(random_.next() % history_.clients);
    Turn made{.client = client, .deed = deed(client), .mishaps = {}};
    // Those that jump or restart pass no point.
    const bool passes =
        !std::holds_alternative<Restart>(made.deed) && !std::holds_alternative<Jump>(made.deed);
    if (passes && random_.chance(mishap_percent_)) {
      for (std::int64_t left = random_.chance(60) ? 1 : random_.between(2, 4); left > 0; --left) {
        made.mishaps.push_back(mishap(depth));
      }
    }
    const bool shared = std::holds_alternative<CallMany>(made.deed) ||
                        std::holds_alternative<CallAtOnce>(made.deed);
    if (shared && random_.chance(mishap_percent_)) {
      made.mishaps.push_back({.point = random_.chance(50) ? Point::load : Point::commit,
                              .nth = 1,
                              .kind = MishapKind::refused,
                              .meanwhile = {}});
    }
    return made;
  }

  Deed deed(std::size_t client) {
    // It may have failed to begin, or have ended otherwise: then this is nothing.
    if (in_transaction_[client] && random_.chance(25)) {
      in_transaction_[client] = false;
      return random_.chance(75) ? Deed(Commit{}) : Deed(RollBack{});
    }
    if (random_.chance(transaction_percent_)) {
      in_transaction_[client] = true;
      return begin();
    }
    if (random_.chance(price_percent_)) {
      return set_price();
    }
    const std::int64_t kind = random_.between(1, 100);
    if (kind <= 57) {
      return call();
    }
    // Rarely: what the oracle has to try for one of these takes as long as many other calls.
    if (kind <= 58) {
      return call_at_once();
    }
    if (kind <= 64) {
      return call_many();
    }
    if (kind <= 66) {
      domain::Command command = composed();
      const bool sweeps = std::holds_alternative<domain::Expire>(command.action);
      return sweeps ? Deed(ExpireStale{}) : Deed(CallDirect{std::move(command)});
    }
    if (kind <= 76) {
      return query();
    }
    if (kind <= 84) {
      return Retry{};
    }
    if (kind <= 94) {
      return Jump{jump(), random_.chance(85)};
    }
    if (kind <= 96) {
      return sync();
    }
    return kind <= 97 ? Deed(set_price()) : Deed(Restart{policy_index()});
  }

  Begin begin() {
    Begin begin;
    for (const std::string& user : history_.users) {
      if (random_.chance(40)) {
        begin.users.push_back(user);
      }
    }
    if (random_.chance(3)) {
      begin.users.emplace_back("nobody");
    }
    return begin;
  }

  Timestamp jump() {
    composer_.set_now(composer_.next_instant());
    return composer_.now();
  }

  std::size_t policy_index() {
    return static_cast<std::size_t>(random_.next() % history_.policies.size());
  }

  domain::Command composed() {
    domain::Command command = composer_.command(history_.policies.front());
    command.actor = "host";
    return command;
  }

  Deed call() {
    domain::Command command = composed();
    if (std::holds_alternative<domain::Expire>(command.action)) {
      return ExpireStale{};
    }
    return Call{std::move(command)};
  }

  /// Some of one kind that can be had together.
  Deed call_many() {
    std::vector<domain::Command> commands;
    for (std::int64_t tries = 0; tries < 24 && commands.size() < 5; ++tries) {
      domain::Command command = composed();
      const std::size_t kind = command.action.index();
      const bool fits = commands.empty() ? kind == 0 || kind == 2 || kind == 3
                                         : kind == commands.front().action.index();
      if (fits) {
        commands.push_back(std::move(command));
      }
      if (commands.size() > 1 && random_.chance(15)) {
        break;
      }
    }
    if (commands.empty()) {
      return ExpireStale{};
    }
    return CallMany{std::move(commands)};
  }

  Deed call_at_once() {
    std::vector<domain::Command> commands;
    for (std::int64_t left = random_.between(2, most_at_once); left > 0;) {
      domain::Command command = composed();
      if (!std::holds_alternative<domain::Expire>(command.action)) {
        commands.push_back(std::move(command));
        --left;
      }
    }
    return CallAtOnce{std::move(commands)};
  }

  Query query() {
    return {.kind = static_cast<QueryKind>(random_.between(0, query_kinds - 1)),
            .user_id = random_.pick(everybody),
            .session_id = "s-" + std::to_string(random_.between(0, 4)),
            .number = random_.between(1, random_.chance(50) ? 3 : 100),
            .since_when = history_.start + random_.between(0, 40) * 1h};
  }

  Sync sync() {
    SyncRequest request{.user_id = random_.pick(everybody),
                        .email = random_.chance(70) ? "a@example.org" : "b@example.org",
                        .username = "somebody",
                        .role = std::nullopt};
    if (random_.chance(30)) {
      request.role = random_.chance(50) ? Role::admin : Role::user;
    }
    return {std::move(request)};
  }

  SetPrice set_price() {
    SetPriceRequest request{.model_id = random_.pick(priced),
                            .price_per_1k_tokens = random_.chance(50) ? "1" : "2.5",
                            .created_by = "admin"};
    if (random_.chance(60)) {
      request.effective_from = composer_.now() + random_.between(-4, 4) * 1h;
    }
    if (random_.chance(30)) {
      request.effective_to =
          request.effective_from.value_or(composer_.now()) + random_.between(0, 9) * 1h;
    }
    return {std::move(request)};
  }

  Mishap mishap(int depth) {
    Mishap made;
    made.nth = random_.chance(75) ? 1 : static_cast<int>(random_.between(1, 4));
    if (depth < 2 && random_.chance(meanwhile_percent_)) {
      made.kind = MishapKind::meanwhile;
      made.point = static_cast<Point>(random_.between(0, points - 1));
      for (std::int64_t left = random_.between(1, 2); left > 0; --left) {
        made.meanwhile.push_back(turn(depth + 1));
      }
      return made;
    }
    const std::int64_t kind = random_.between(1, 100);
    if (kind <= 30) {
      made.point = Point::commit;
      made.kind =
          random_.chance(50) ? MishapKind::commit_lost_applied : MishapKind::commit_lost_dropped;
      return made;
    }
    made.point = static_cast<Point>(random_.between(0, points - 2));
    if (kind <= 44) {
      made.kind = random_.chance(50) ? MishapKind::dies : MishapKind::dies_after;
      made.point = random_.chance(50) ? Point::commit : made.point;
      return made;
    }
    static constexpr std::array<MishapKind, 7> failures{
        MishapKind::try_again,   MishapKind::try_again, MishapKind::connection_lost,
        MishapKind::server_away, MishapKind::refused,   MishapKind::refused,
        MishapKind::busy};
    made.kind = random_.pick(failures);
    return made;
  }

  Random random_;
  Composer composer_;
  History history_;
  std::array<bool, 4> in_transaction_{};
  std::int64_t mishap_percent_ = 0;
  std::int64_t meanwhile_percent_ = 0;
  std::int64_t transaction_percent_ = 0;
  std::int64_t price_percent_ = 0;
};

}  // namespace

History random_history(std::uint64_t seed) { return HistoryComposer(seed).compose(); }

}  // namespace accounting::testing
