// The queries that clients make.
#include "property/account_queries.hpp"
#include "simulation/world.hpp"

#include <utility>

namespace accounting::testing {
template <class Found, class Expected>
void World::check_query(const Found& found, const Expected& expected) {
  if (!(plain(found) == plain(expected))) {
    complain("a query answers something else than the reference");
  }
}

void World::query_account(Client& client, const Query& deed) {
  const SharedContext context = client.transaction ? client.inside : client.context;
  const Timestamp now =
      client.transaction ? open_.at(frame_->client)->began_at : client.clock->now();
  const std::string& user = deed.user_id;
  const Credits credits(context);
  const auto expect = [&](const auto& found, const auto& answer) {
    const ReferenceAccount* account = oracle_->seen_by(frame_->client, user);
    if (account == nullptr) {
      complain("a query answers for an account that is not there");
      return;
    }
    check_query(found, answer(*account));
  };
  switch (deed.kind) {
    case QueryKind::balance:
      return expect(credits.balance({.user_id = user}),
                    [&](const auto& account) { return balance_of(account, now); });
    case QueryKind::check:
      return expect(credits.check({.user_id = user, .credits = deed.number}),
                    [&](const auto& account) {
                      return balance_of(account, now).total_credits >= deed.number;
                    });
    case QueryKind::history:
      return expect(credits.history({.user_id = user, .page = deed.number, .limit = 2}),
                    [&](const auto& account) { return history_of(account, deed.number, 2); });
    case QueryKind::entries:
      return expect(credits.entries({.user_id = user, .after = 2, .limit = deed.number}),
                    [&](const auto& account) { return entries_of(account, 2, deed.number); });
    case QueryKind::session:
      return expect(
          std::optional(Sessions(context).get({.session_id = deed.session_id, .user_id = user})),
          [&](const auto& account) { return session_of(account, deed.session_id); });
    case QueryKind::active:
      return expect(Sessions(context).active(user),
                    [](const auto& account) { return active_sessions_of(account); });
    case QueryKind::usage:
      return expect(
          Usage(context).list({.user_id = user, .start = deed.since_when, .limit = deed.number}),
          [&](const auto& account) {
            return usage_of(account, {.start = deed.since_when, .end = {}}, 0, deed.number);
          });
    case QueryKind::user_stats:
      return expect(Usage(context).user_stats({.user_id = user, .start = deed.since_when}),
                    [&](const auto& account) {
                      return stats_of(account, {.start = deed.since_when, .end = {}});
                    });
  }
}

void World::act(Client& client, const Query& deed) {
  const bool failed_before = client.transaction_failed;
  try {
    query_account(client, deed);
    if (client.transaction && (failed_before || !frame_->failures.empty())) {
      complain("a failed transaction goes on as if nothing had happened");
    } else if (!client.transaction) {
      check_answered(true);
    }
  } catch (const StoreError& error) {
    const Trouble trouble = std::get<Trouble>(reply_of(error));
    tally_.troubles[trouble.code] += 1;
    if (client.transaction) {
      check_transaction_trouble(failed_before, trouble);
      client.transaction_failed = true;
    } else {
      check_trouble(client, trouble, true);
    }
  } catch (const NotFound&) {
    const ReferenceAccount* account = oracle_->seen_by(frame_->client, deed.user_id);
    if (account != nullptr &&
        (deed.kind != QueryKind::session || session_of(*account, deed.session_id))) {
      complain("a query does not find what is there");
    }
  }
}

}  // namespace accounting::testing
