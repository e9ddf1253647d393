// The engine alone: commands decided over loaded state, and what they write chained by hashes,
// without a database.
#include "accounts.hpp"
#include "cases.hpp"
#include "domain/ledger.hpp"
#include "services/journal_chain.hpp"

#include <stdexcept>
#include <utility>

namespace accounting::bench {
namespace {

constexpr Timestamp now = std::chrono::sys_days(std::chrono::year{2026} / 1 / 1);
// Several, so that their state is not all in the nearest cache.
constexpr std::int64_t batches = 16;

struct LoadedBatch {
  std::vector<domain::Command> commands;
  domain::State state;
};

domain::AccountState loaded_account() {
  domain::AccountState account;
  account.counters.last_allocation_id = 1;
  account.counters.last_entry_sequence = 1;
  account.counters.allocated_credits = 1'000'000'000'000'000;
  account.allocations.push_back(
      {.position = {.expires_at = std::nullopt, .allocated_at = now, .id = 1},
       .effective_at = now,
       .remaining = account.counters.allocated_credits});
  account.all_loaded = true;
  return account;
}

/// Charges of accounts at random, with those accounts loaded.
LoadedBatch loaded_batch(Picker& picker, std::int64_t size) {
  LoadedBatch batch;
  for (std::int64_t number = 0; number < size; ++number) {
    const std::string& user_id = picker.next();
    batch.state.accounts.try_emplace(user_id, loaded_account());
    batch.commands.push_back(
        {.user_id = user_id,
         .actor = "host",
         .key = std::nullopt,
         .action = domain::ChargeUsage{{.service = "chat", .operation = model, .credits = 3}}});
  }
  return batch;
}

void check(const domain::Decision& decision, const LoadedBatch& batch) {
  if (decision.results.size() != batch.commands.size() ||
      decision.changes.usage_records.size() != batch.commands.size()) {
    throw std::runtime_error("the engine has refused a charge");
  }
}

/// What is decided is not handed out: the memory that it leaves would be given back each time.
void decide(LoadedBatch& batch, const Policy& policy) {
  check(domain::decide(batch.state, batch.commands, now, policy), batch);
}

domain::Changes changes_of(LoadedBatch& batch, const Policy& policy) {
  auto decision = domain::decide(batch.state, batch.commands, now, policy);
  check(decision, batch);
  return std::move(decision.changes);
}

std::vector<LoadedBatch> loaded_batches(const Settings& settings,
                                        const std::vector<std::string>& ids, std::int64_t caller) {
  Picker picker(ids, caller);
  std::vector<LoadedBatch> loaded;
  for (std::int64_t number = 0; number < batches; ++number) {
    loaded.push_back(loaded_batch(picker, settings.batch));
  }
  return loaded;
}

}  // namespace

Figures engine(const Settings& settings) {
  const auto ids = account_ids(settings);
  const Policy policy;
  return measure(
      settings,
      [&](std::int64_t caller) -> Call {
        // A copy lies together in memory, as what has just been loaded does.
        std::vector<LoadedBatch> loaded = loaded_batches(settings, ids, caller);
        return [&policy, loaded, next = std::size_t{0}]() mutable {
          decide(loaded[next++ % loaded.size()], policy);
        };
      },
      settings.batch);
}

Figures hash_chain(const Settings& settings) {
  const auto ids = account_ids(settings);
  const Policy policy;
  return measure(
      settings,
      [&](std::int64_t caller) -> Call {
        std::vector<domain::Changes> decided;
        for (LoadedBatch& batch : loaded_batches(settings, ids, caller)) {
          decided.push_back(changes_of(batch, policy));
        }
        return [decided, next = std::size_t{0}]() mutable {
          services::chain_entries(decided[next++ % decided.size()]);
        };
      },
      settings.batch);
}

}  // namespace accounting::bench
