// Needs: what is loaded for commands; no more than they may need, and more at every attempt.
#include "domain/needs.hpp"
#include "unit/desk.hpp"

#include <set>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

domain::AccountNeeds needs_of(const domain::Action& action, int attempt = 0) {
  const std::vector<domain::Command> commands{command(action)};
  return domain::needs_of(commands, attempt).accounts.at("ada");
}

}  // namespace

TEST_CASE("how many active allocations a command asks for") {
  struct Row {
    domain::Action action;
    std::int64_t first;
  };
  const std::vector<Row> rows = {
      {domain::Deduct{}, 32}, {domain::ChargeUsage{}, 32}, {domain::Initialize{}, 32},
      {domain::Extend{}, 32}, {domain::Finalize{}, 4},     {domain::Abort{}, 4},
      {domain::Expire{}, 4},  {domain::Allocate{}, 0},     {domain::RecordUsage{}, 0},
      {domain::Revoke{}, 0},  {domain::Report{}, 4},
  };
  REQUIRE(rows.size() == std::variant_size_v<domain::Action>);
  for (const auto& [action, first] : rows) {
    CAPTURE(action.index());
    CHECK(needs_of(action, 0).active_allocations == first);
    CHECK(needs_of(action, 1).active_allocations == first * 32);
    CHECK(needs_of(action, 3).active_allocations == first * 32 * 32 * 32);
    // However often: it neither overflows nor shrinks.
    CHECK(needs_of(action, 1'000).active_allocations >= needs_of(action, 3).active_allocations);
  }
}

TEST_CASE("a batch needs what its commands name, each account once") {
  std::vector<domain::Command> commands{
      command(domain::Deduct{3}, "k-1"),          command(domain::Finalize{"s-1", 5}),
      command(domain::Initialize{"s-2", "m", 5}), command(domain::Report{"s-3", 5}),
      command(domain::Revoke{7, "admin"}),        command(domain::Expire{"s-4"}),
      command(domain::Extend{"s-5", 5}, "k-2"),   command(domain::Abort{"s-1", 5}),
  };
  commands.push_back(command(domain::Finalize{"s-9", 5}));
  commands.back().user_id = "bob";
  const domain::Needs needs = domain::needs_of(commands, 0);
  CHECK(needs.accounts.size() == 2);
  const domain::AccountNeeds& ada = needs.accounts.at("ada");
  CHECK(ada.keys == std::set<std::string>{"k-1", "k-2"});
  CHECK(ada.sessions == std::set<std::string>{"s-1", "s-2", "s-3", "s-4", "s-5"});
  CHECK(ada.allocations == std::set<std::int64_t>{7});
  CHECK(ada.active_allocations == 32);
  CHECK(needs.accounts.at("bob").sessions == std::set<std::string>{"s-9"});
  CHECK(needs.accounts.at("bob").active_allocations == 4);
  CHECK(needs.models == std::set<std::string>{"m"});
}

TEST_CASE("accounts are named in user_id order, the order in which they are locked") {
  std::vector<domain::Command> commands;
  for (const char* user : {"bob", "Ada", "ada", "é", "cy", "bob"}) {
    commands.push_back(command(domain::Deduct{1}));
    commands.back().user_id = user;
  }
  std::vector<std::string> order;
  for (const auto& [user_id, account] : domain::needs_of(commands, 0).accounts) {
    order.push_back(user_id);
  }
  CHECK(order == std::vector<std::string>{"Ada", "ada", "bob", "cy", "é"});
}

}  // namespace accounting::testing
