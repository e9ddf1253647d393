// Transactions that clients hold open, and what happens to their processes and clocks.
#include "services/attempts.hpp"
#include "simulation/world.hpp"

#include <utility>

namespace accounting::testing {

void World::act(Client& client, const Begin& deed) {
  services::Books& books = *client.books;
  try {
    client.open = services::with_attempts(
        books, services::AfterUnknownCommit::give_up, [&](store::Deadline deadline) {
          auto open = std::make_shared<services::OpenTransaction>(
              client.books, std::set<std::string>(), deadline);
          domain::Needs needs;
          for (const std::string& user_id : deed.users) {
            needs.accounts[user_id];
          }
          if (!needs.accounts.empty() &&
              open->unit().load(needs, open->now()).accounts.size() != needs.accounts.size()) {
            throw NotFound("there is no account with that user_id");
          }
          return open;
        });
  } catch (const StoreError& error) {
    const Trouble trouble = std::get<Trouble>(reply_of(error));
    check_trouble(client, trouble, true);
    tally_.troubles[trouble.code] += 1;
    return;
  } catch (const NotFound&) {
    return;
  }
  check_answered(true);
  auto& unit = static_cast<SimulatedUnit&>(client.open->unit());
  unit.frame = nullptr;
  open_.emplace(frame_->client, &unit);
  client.inside = std::make_shared<const services::Context>(client.books, client.open);
  client.transaction.emplace(client.inside);
}

void World::act(Client& client, const Commit&) {
  const bool failed_before = client.transaction_failed;
  try {
    client.transaction->commit();
    if (failed_before || !frame_->failures.empty()) {
      complain("a failed transaction is committed");
    }
  } catch (const StoreError& error) {
    const Trouble trouble = std::get<Trouble>(reply_of(error));
    tally_.troubles[trouble.code] += 1;
    check_transaction_trouble(failed_before, trouble);
  }
  act(client, RollBack{});
}

void World::act(Client& client, const RollBack&) {
  client.transaction.reset();
  client.inside.reset();
  client.open.reset();
  client.transaction_failed = false;
  if (open_.contains(frame_->client)) {
    complain("a transaction outlives its rollback");
  }
}

void World::act(Client& client, const Restart& deed) {
  const std::size_t policy = deed.policy;
  stop(client);
  start(client, policy);
}

void World::act(Client& client, const Jump& deed) {
  if (!deed.everywhere) {
    client.clock->set(deed.now);
    return;
  }
  for (Client& each : clients_) {
    each.clock->set(deed.now);
  }
}

}  // namespace accounting::testing
