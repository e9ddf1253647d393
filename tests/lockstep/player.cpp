#include "lockstep/player.hpp"

#include "property/account_queries.hpp"
#include "property/comparison.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <variant>

namespace accounting::testing {
namespace {

constexpr Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

/// A database that fails is never what was expected.
bool is_expected(const Reply& reply, const domain::Result& expected) {
  const auto* result = std::get_if<domain::Result>(&reply);
  return result != nullptr && same_result(*result, expected);
}

std::string text(const std::vector<Settlement>& settlements) {
  std::string list;
  for (const Settlement& settlement : settlements) {
    list += "\n    " + settlement.user_id + " " + settlement.session_id + " " +
            text_of(domain::Answer(settlement));
  }
  return list.empty() ? "nothing" : list;
}

/// Without the names that a sequence gets for itself.
std::string occasion_of(const domain::Action& action) {
  const auto* begins = std::get_if<domain::Initialize>(&action);
  return begins == nullptr ? text_of(action) : "initialize " + begins->session_id;
}

}  // namespace

Player::Player(const Sequence& sequence, const Sides& sides, ManualClock& clock, Played& played)
    : sequence_(sequence),
      sides_(sides),
      clock_(clock),
      played_(played),
      reference_(sequence.users, sequence.rules, played.census),
      random_(sequence.seed),
      inquirer_(sequence, reference_, random_, played.queries) {}

std::optional<std::string> Player::play() {
  Problem problem = set_up();
  for (std::size_t index = 0; !problem && index < sequence_.steps.size(); ++index) {
    const Step& step = sequence_.steps[index];
    clock_.set(step.now);
    problem = step.together == Together::no ? play_step(step) : play_in_transaction(step);
    if (problem) {
      problem = "step " + std::to_string(index + 1) + ": " + *problem;
    }
  }
  choose_questions(start, "end");
  problem = problem ? problem : inquirer_.ask_everything();
  problem = problem ? problem : end_what_is_active();
  played_.sequences += 1;
  return problem;
}

void Player::add_usage_to(std::vector<UsageRecord>& used) const {
  for (const std::string& user_id : sequence_.users) {
    const auto& records = reference_.account(user_id).usage_records;
    used.insert(used.end(), records.begin(), records.end());
  }
}

Player::Contexts Player::contexts(const Policy& policy) const {
  return {sides_[0].context(policy), sides_[1].context(policy)};
}

Player::Problem Player::set_up() {
  clock_.set(start);
  const Contexts through = contexts(sequence_.policies.front());
  for (const std::string& user_id : sequence_.users) {
    const UserAccount account{.user_id = user_id,
                              .email = user_id + "@example.org",
                              .username = user_id,
                              .role = Role::user,
                              .created_at = start,
                              .updated_at = start};
    for (const SharedContext& context : through) {
      const SyncResult synced = Accounts(context).sync({user_id, account.email, user_id});
      if (!synced.created || synced.account != account) {
        return "sync of " + user_id + " answers another account";
      }
    }
  }
  for (const PricingRule& rule : sequence_.rules) {
    if (Problem problem = set_price(rule)) {
      return problem;
    }
  }
  inquirer_.ask_through(through, sequence_.policies.front(), start);
  return std::nullopt;
}

Player::Problem Player::set_price(const PricingRule& rule) {
  for (const SharedContext& context : contexts(sequence_.policies.front())) {
    const PricingRule stored =
        Pricing(context).set({.model_id = rule.model_id,
                              .price_per_1k_tokens = rule.price_per_1k_tokens,
                              .created_by = rule.created_by,
                              .effective_from = rule.effective_from,
                              .effective_to = rule.effective_to,
                              .input = rule.input,
                              .output = rule.output,
                              .cached_input = rule.cached_input});
    if (stored != rule) {
      return "the price of " + rule.model_id + " is stored as another";
    }
  }
  return std::nullopt;
}

Player::Problem Player::play_step(const Step& step) {
  return play_commands(step, contexts(sequence_.policies.at(step.policy)));
}

/// Queries inside see what the transaction has done; those after it what is left of that.
Player::Problem Player::play_in_transaction(const Step& step) {
  const Policy& policy = sequence_.policies.at(step.policy);
  std::vector<ReferenceAccount> before;
  for (const std::string& user_id : sequence_.users) {
    before.push_back(reference_.account(user_id));
  }
  Problem problem;
  {
    Contexts inside;
    for (std::size_t side = 0; side < sides_.size(); ++side) {
      auto books = sides_[side].books(policy);
      auto open = std::make_shared<services::OpenTransaction>(
          books, std::set<std::string>(), books->pacing().now() + books->options().call_timeout);
      inside[side] = std::make_shared<const services::Context>(books, std::move(open));
    }
    problem = play_commands(step, inside);
    for (const SharedContext& context : inside) {
      Transaction transaction(context);
      if (!problem && step.together == Together::committed) {
        transaction.commit();
      }
      transaction.rollback();
    }
  }
  if (step.together == Together::rolled_back) {
    for (ReferenceAccount& account : before) {
      reference_.put(std::move(account));
    }
  }
  (step.together == Together::committed ? played_.committed : played_.rolled_back) += 1;
  inquirer_.ask_through(contexts(policy), policy, step.now);
  choose_questions(step.now, "after");
  return problem ? problem : inquirer_.ask_anything();
}

Player::Problem Player::play_commands(const Step& step, const Contexts& contexts) {
  const Policy& policy = sequence_.policies.at(step.policy);
  inquirer_.ask_through(contexts, policy, step.now);
  for (const domain::Command& command : step.commands) {
    const auto* expire = std::get_if<domain::Expire>(&command.action);
    // How many it may end: by its name, so that a shrunk sequence does the same.
    const bool all = expire != nullptr && expire->session_id == "s-0";
    Problem problem = expire == nullptr
                          ? perform_on_both(command, contexts, policy)
                          : sweep(all ? 1'000 : expire->session_id.back() - '0', contexts, policy);
    played_.operations += 1;
    choose_questions(step.now, occasion_of(command.action));
    problem = problem ? problem : inquirer_.ask_anything();
    if (problem) {
      return command.user_id + ": " + text_of(command.action) + ": " + *problem;
    }
  }
  return std::nullopt;
}

Player::Problem Player::perform_on_both(const domain::Command& command, const Contexts& contexts,
                                        const Policy& policy) {
  const Reply sqlite = reply_of([&] { return perform(contexts[0], command); });
  const Reply postgresql = reply_of([&] { return perform(contexts[1], command); });
  const domain::Result expected = reference_.decide(command, clock_.now(), policy);
  note(command, expected);
  if (is_expected(sqlite, expected) && is_expected(postgresql, expected)) {
    return std::nullopt;
  }
  return "\n  SQLite answers     " + said(sqlite) + "\n  PostgreSQL answers " + said(postgresql) +
         "\n  expected           " + text_of(expected);
}

Player::Problem Player::sweep(std::int64_t limit, const Contexts& contexts, const Policy& policy) {
  std::vector<StreamingSession> stale;
  for (const std::string& user_id : sequence_.users) {
    add_stale_sessions(reference_.account(user_id), clock_.now(), stale);
  }
  std::vector<Settlement> expected;
  for (const auto& [user_id, session_id] : in_order_of_life(std::move(stale), limit)) {
    const domain::Command command{.user_id = user_id,
                                  .actor = "host",
                                  .key = std::nullopt,
                                  .action = domain::Expire{.session_id = session_id}};
    const domain::Result result = reference_.decide(command, clock_.now(), policy);
    note(command, result);
    if (const auto* answer = std::get_if<domain::Answer>(&result)) {
      expected.push_back(std::get<Settlement>(*answer));
    }
  }
  played_.swept += std::ssize(expected);
  for (std::size_t side = 0; side < sides_.size(); ++side) {
    const std::vector<Settlement> found = Sessions(contexts[side]).expire_stale({.limit = limit});
    if (found != expected) {
      return sides_[side].name() + ": expire_stale of " + std::to_string(limit) + " ends " +
             text(found) + "\n  expected " + text(expected);
    }
  }
  return std::nullopt;
}

std::vector<StreamingSession> Player::active() const {
  std::vector<StreamingSession> sessions;
  for (const std::string& user_id : sequence_.users) {
    const auto more = active_sessions_of(reference_.account(user_id));
    sessions.insert(sessions.end(), more.begin(), more.end());
  }
  return sessions;
}

/// So that the next sequence's sweeps and lists find none of them: all at once, when they are all
/// stale, and by hand what is refused then, because it reported more than can be paid.
Player::Problem Player::end_what_is_active() {
  for (const StreamingSession& session : active()) {
    clock_.set(std::max(clock_.now(), session.expires_at));
  }
  const Policy& policy = sequence_.policies.front();
  const Contexts through = contexts(policy);
  inquirer_.ask_through(through, policy, clock_.now());
  Problem problem = sweep(1'000, through, policy);
  for (const StreamingSession& session : active()) {
    const domain::Finalize nothing_used{.session_id = session.session_id,
                                        .actual_tokens = no_tokens_like(session.estimated_tokens)};
    problem = problem ? problem
                      : perform_on_both({.user_id = session.user_id,
                                         .actor = "host",
                                         .key = std::nullopt,
                                         .action = nothing_used},
                                        through, policy);
  }
  problem = problem ? problem : inquirer_.ask_everything();
  return problem ? std::optional("at its end: " + *problem) : std::nullopt;
}

void Player::choose_questions(Timestamp now, const std::string& occasion) {
  const auto instant = static_cast<std::uint64_t>(now.time_since_epoch().count());
  random_ = Random(sequence_.seed ^ instant ^ std::hash<std::string>()(occasion));
}

void Player::note(const domain::Command& command, const domain::Result& result) {
  const auto* refusal = std::get_if<domain::Refusal>(&result);
  const int code = refusal == nullptr ? -1 : static_cast<int>(refusal->code);
  played_.refused += refusal == nullptr ? 0 : 1;
  played_.census.replies[{command.action.index(), code}] += 1;
}

}  // namespace accounting::testing
