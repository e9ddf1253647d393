#include "simulation/world.hpp"

#include "domain/invariants.hpp"
#include "property/comparison.hpp"
#include "services/journal_chain.hpp"

#include <algorithm>
#include <utility>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto connect_timeout = 5s;

/// Time passes only where somebody waits.
class SimulatedPacing final : public services::Pacing {
 public:
  explicit SimulatedPacing(World& world) : world_(world) {}

  [[nodiscard]] std::chrono::steady_clock::time_point now() override { return world_.monotonic; }
  // Not by the duration: that is random.
  void wait(std::chrono::microseconds) override {
    world_.monotonic += 1ms;
    world_.about_to(Point::wait);
  }
  // There is nobody else who could call.
  std::cv_status wait_until(std::condition_variable&, std::unique_lock<std::mutex>&,
                            std::chrono::steady_clock::time_point until) override {
    world_.monotonic = std::max(world_.monotonic, until);
    return std::cv_status::timeout;
  }

 private:
  World& world_;
};

/// Puts a frame in force for as long as its call runs.
class Inside {
 public:
  Inside(Frame*& current, Frame& frame) : current_(current), before_(current) { current = &frame; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { current_ = before_; }

 private:
  Frame*& current_;
  Frame* before_;
};

UserAccount account_at_first(const std::string& user_id, Timestamp now) {
  return {.user_id = user_id,
          .email = "a@example.org",
          .username = user_id,
          .role = Role::user,
          .created_at = now,
          .updated_at = now};
}

}  // namespace

World::World(const History& history, Tally& tally, StoreBug bug, std::string* log)
    : history_(history), tally_(tally), log_(log) {
  database_.bug = bug;
  database_.watcher = this;
  database_.prefix_divisor = history.prefix_divisor;
  database_.rules = std::make_shared<const std::vector<PricingRule>>(history.rules);
  for (const std::string& user_id : history.users) {
    database_.tables.add_account(user_id);
    database_.accounts.emplace(user_id, account_at_first(user_id, history.start));
  }
  oracle_.emplace(history, database_, tally);
  clients_.resize(history.clients);
  for (Client& client : clients_) {
    client.clock = std::make_shared<ManualClock>(history.start);
    start(client, 0);
  }
}

World::~World() {
  for (Client& client : clients_) {
    stop(client);
  }
}

void World::start(Client& client, std::size_t policy) {
  client.policy = policy;
  Options options;
  options.policy = history_.policies.at(policy);
  options.clock = client.clock;
  options.max_attempts = history_.max_attempts;
  options.connect_timeout = connect_timeout;
  client.books = std::make_shared<services::Books>(
      std::make_shared<SimulatedStore>(database_, frame_), std::move(options),
      std::make_unique<SimulatedPacing>(*this));
  client.context = std::make_shared<const services::Context>(client.books);
}

/// Everything that only the process knew is gone.
void World::stop(Client& client) {
  client.transaction.reset();
  client.inside.reset();
  client.open.reset();
  client.context.reset();
  client.books.reset();
  client.transaction_failed = false;
}

Complaint World::play() {
  tally_.runs += 1;
  std::size_t steps = 0;
  for (const Turn& turn : history_.turns) {
    run(turn);
    if (++steps % 32 == 0 && !problem_) {
      check_everything();
    }
    if (problem_) {
      return problem_;
    }
  }
  settle();
  if (!problem_) {
    check_everything();
  }
  return problem_;
}

/// In the end nothing disturbs, and whoever was left in doubt asks again.
void World::settle() {
  for (std::size_t index = 0; index < clients_.size() && !problem_; ++index) {
    run({.client = index, .deed = RollBack{}, .mishaps = {}});
  }
  for (std::size_t index = 0; index < clients_.size(); ++index) {
    for (std::size_t left = clients_[index].in_doubt.size(); left > 0 && !problem_; --left) {
      run({.client = index, .deed = Retry{}, .mishaps = {}});
    }
    if (!clients_[index].in_doubt.empty()) {
      complain("a call is not answered although nothing disturbs it");
    }
  }
}

bool World::has_nothing_to_do(const Client& client, const Deed& deed) {
  const auto is = [&]<class Kind>(std::in_place_type_t<Kind>) {
    return std::holds_alternative<Kind>(deed);
  };
  if (client.transaction) {
    // These stand for themselves.
    return is(std::in_place_type<Begin>) || is(std::in_place_type<Retry>) ||
           is(std::in_place_type<Sync>) || is(std::in_place_type<SetPrice>);
  }
  return is(std::in_place_type<Commit>) || is(std::in_place_type<RollBack>) ||
         (is(std::in_place_type<Retry>) && client.in_doubt.empty());
}

void World::run(const Turn& turn) {
  if (problem_ || std::find(at_work_.begin(), at_work_.end(), turn.client) != at_work_.end()) {
    return;  // the process is busy
  }
  Client& client = clients_.at(turn.client);
  if (has_nothing_to_do(client, turn.deed)) {
    return;
  }
  at_work_.push_back(turn.client);
  tally_.steps += 1;
  tally_.deeds[turn.deed.index()] += 1;
  if (log_ != nullptr) {
    say(text_of(turn));
  }
  Frame frame;
  frame.turn = &turn;
  frame.client = turn.client;
  frame.began = monotonic;
  std::optional<Deed> retried;
  if (std::holds_alternative<Retry>(turn.deed)) {
    retried = client.in_doubt.front();
  }
  {
    const Inside inside(frame_, frame);
    try {
      std::visit([&](const auto& deed) { act(client, deed); }, turn.deed);
    } catch (const ProcessDied&) {
      died(client, retried ? *retried : turn.deed);
    } catch (const std::exception& error) {
      report(std::string("the library let out: ") + error.what());
    }
  }
  at_work_.pop_back();
  if (!problem_) {
    std::vector<std::string> users;
    for (const domain::Command& command : frame.commands) {
      users.push_back(command.user_id);
    }
    if (frame.sync) {
      users.push_back(frame.sync->user_id);
    }
    check_step(users);
  }
}

void World::died(Client& client, const Deed& deed) {
  const Frame& frame = *frame_;
  const bool was_inside = client.transaction.has_value();
  const bool effective = std::any_of(frame.decided.begin(), frame.decided.end(),
                                     [](const Decided& each) { return each.effects > 0; });
  (effective ? tally_.unknown_applied : tally_.unknown_dropped) += 1;
  const bool replays = !frame.commands.empty() &&
                       std::all_of(frame.commands.begin(), frame.commands.end(), domain::replays);
  const std::size_t policy = client.policy;
  say("  the process died");
  stop(client);
  start(client, policy);
  // Whoever had called asks again, where that is safe.
  const bool is_call = std::holds_alternative<Call>(deed) ||
                       std::holds_alternative<CallMany>(deed) ||
                       std::holds_alternative<CallAtOnce>(deed);
  if (!was_inside && replays && is_call) {
    client.in_doubt.push_back(deed);
  }
}

// --- what happens on the way ---------------------------------------------------------------------

Fate World::about_to(Point point) {
  Frame& frame = *frame_;
  const int nth = ++frame.met[static_cast<std::size_t>(point)];
  tally_.points_met[static_cast<std::size_t>(point)] += 1;
  for (const Mishap& mishap : frame.turn->mishaps) {
    if (mishap.point != point || mishap.nth != nth || problem_) {
      continue;
    }
    tally_.steps += 1;
    tally_.mishaps[static_cast<std::size_t>(point)][static_cast<std::size_t>(mishap.kind)] += 1;
    if (log_ != nullptr) {
      say("  at " + std::string(name_of(point)) + " " + std::to_string(nth) + ": " +
          std::string(name_of(mishap.kind)));
    }
    const auto failed = [&](Failure::Kind kind) {
      frame.failures.push_back({kind, monotonic - frame.began});
    };
    switch (mishap.kind) {
      case MishapKind::meanwhile:
        for (const Turn& turn : mishap.meanwhile) {
          run(turn);
        }
        break;
      case MishapKind::try_again:
        failed(Failure::Kind::try_again);
        throw store::StoreFailure(store::FailureKind::try_again, "the database asks");
      case MishapKind::server_away:
        monotonic += connect_timeout + 1s;
        [[fallthrough]];
      case MishapKind::connection_lost:
        failed(Failure::Kind::connection_lost);
        throw store::StoreFailure(store::FailureKind::connection_lost, "the connection broke");
      case MishapKind::refused:
        failed(Failure::Kind::refused);
        throw StoreError("the database has no space left; nothing was changed");
      case MishapKind::busy:
        failed(Failure::Kind::busy);
        throw store::StoreFailure(store::FailureKind::timed_out, "a lock was not had in time");
      case MishapKind::commit_lost_applied:
        failed(Failure::Kind::commit_unknown);
        return Fate::answer_lost;
      case MishapKind::commit_lost_dropped:
        failed(Failure::Kind::commit_unknown);
        return Fate::dropped;
      case MishapKind::dies:
        throw ProcessDied();
      case MishapKind::dies_after:
        return Fate::dies_after;
    }
  }
  return Fate::goes_well;
}

void World::began(SimulatedUnit& unit) { unit.client = frame_->client; }

void World::lock_was_refused(SimulatedUnit&) {
  tally_.lock_timeouts += 1;
  say("  an account is locked by another");
  frame_->failures.push_back({Failure::Kind::busy, monotonic - frame_->began});
}

void World::left_out() {
  tally_.left_out += 1;
  say("  an account that another has locked is left out");
  frame_->left_out = true;
}

void World::insert_was_late() {
  say("  another created the account first");
  frame_->failures.push_back({Failure::Kind::try_again, monotonic - frame_->began});
}

void World::looked_for_stale_sessions(Timestamp now, std::int64_t limit) {
  frame_->carry(oracle_->stale(frame_->client, now, limit), Sharing::halves);
}

void World::committed(SimulatedUnit& unit) {
  if (unit.frame == nullptr) {
    oracle_->transaction_committed(unit.client);
    open_.erase(unit.client);
    return;
  }
  const Policy& policy = history_.policies.at(clients_[unit.client].policy);
  complain(oracle_->committed(*unit.frame, unit, policy));
}

void World::acknowledged(SimulatedUnit& unit) {
  if (unit.frame != nullptr) {
    for (const std::size_t index : unit.frame->last_committed) {
      unit.frame->decided[index].acknowledged = true;
    }
  }
}

void World::rolled_back(SimulatedUnit& unit) noexcept {
  if (unit.frame == nullptr) {
    oracle_->transaction_rolled_back(unit.client);
    open_.erase(unit.client);
  } else if (!unit.failed && unit.used) {
    const Policy& policy = history_.policies.at(clients_[unit.client].policy);
    oracle_->looked_only(*unit.frame, unit, policy);
  }
}

void World::report(const std::string& problem) { complain(problem); }

Timestamp World::now() const { return clients_.at(frame_->client).clock->now(); }

// --- whether all is well -------------------------------------------------------------------------

void World::complain(Complaint problem) {
  if (problem && !problem_) {
    say("  WRONG: " + *problem);
    problem_ = std::move(problem);
  }
}

void World::say(const std::string& line) {
  if (log_ != nullptr) {
    *log_ += std::string(at_work_.size() * 2, ' ') + line + "\n";
  }
}

void World::check_step(const std::vector<std::string>& users) {
  for (const std::string& user_id : users) {
    complain(oracle_->compare(user_id, open_));
  }
  const auto wrongly_open =
      at_work_.empty() && database_.open_units != static_cast<int>(open_.size());
  if (wrongly_open) {
    complain("a transaction is left open after its call");
  }
}

void World::check_everything() {
  complain(oracle_->compare_world());
  for (const auto& [user_id, rows] : database_.tables.accounts()) {
    complain(oracle_->compare(user_id, open_));
    complain(unbalanced(rows));
    std::vector<Problem> problems = domain::check_invariants(rows);
    const std::vector<Problem> chain = services::check_chain(rows);
    problems.insert(problems.end(), chain.begin(), chain.end());
    if (!problems.empty()) {
      complain(problems.front().invariant + " " + user_id + ": " + problems.front().detail);
    }
  }
}

}  // namespace accounting::testing
