#include "simulation/simulated_database.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace accounting::testing {
namespace {

[[noreturn]] void throw_busy() {
  throw store::StoreFailure(store::FailureKind::timed_out, "a lock was not had in time");
}

/// Nobody waits for a lock, since whoever has it cannot go on before: the timeout is there at once.
bool is_held(const SimulatedUnit* holder, const SimulatedUnit* by) {
  return holder != nullptr && holder != by;
}

}  // namespace

std::unique_ptr<store::Reads> SimulatedStore::read(store::Deadline) {
  return std::make_unique<SimulatedReads<store::Reads>>(database_, current_);
}

std::unique_ptr<store::Unit> SimulatedStore::begin(store::Deadline) {
  Frame* frame = current_;
  const Fate fate = database_.watcher->about_to(Point::begin);
  auto unit = std::make_unique<SimulatedUnit>(database_, frame);
  database_.watcher->began(*unit);
  if (fate == Fate::dies_after) {
    unit->failed = true;
    throw ProcessDied();
  }
  return unit;
}

SimulatedUnit::SimulatedUnit(SimulatedDatabase& database, Frame* caller)
    : SimulatedReads<store::Unit>(database, caller),
      began_at(database.watcher->now()),
      prices_locked_at(began_at) {
  database_.open_units += 1;
}

SimulatedUnit::~SimulatedUnit() {
  if (!ended) {
    database_.watcher->rolled_back(*this);
    if (database_.bug == StoreBug::forgets_to_roll_back) {
      for (const auto& [user_id, rows] : changed_.accounts()) {
        database_.tables.put(rows);
      }
    }
    release();
  }
  database_.open_units -= 1;
}

/// Whatever fails breaks the unit.
Fate SimulatedUnit::step(Point point) {
  if (failed || ended) {
    database_.watcher->report("a transaction is used after it failed or ended");
    throw StoreError("the transaction has failed");
  }
  used = true;
  failed = true;
  const Fate fate = database_.watcher->about_to(point);
  if (fate == Fate::dies_after && point != Point::commit) {
    throw ProcessDied();
  }
  failed = false;
  return fate;
}

const domain::AccountRows* SimulatedUnit::view(const std::string& user_id) const {
  const domain::AccountRows* own = changed_.find(user_id);
  return own != nullptr ? own : database_.tables.find(user_id);
}

void SimulatedUnit::lock(const std::string& user_id) {
  const SimulatedUnit*& holder = database_.locks[user_id];
  if (is_held(holder, this) && database_.bug != StoreBug::ignores_locks) {
    failed = true;
    database_.watcher->lock_was_refused(*this);
    throw_busy();
  }
  holder = this;
}

domain::State SimulatedUnit::load(const domain::Needs& needs, Timestamp now) {
  step(Point::load);
  if (++loads_ > 1 && frame != nullptr) {
    database_.watcher->loaded_again();
  }
  domain::State state;
  for (const auto& [user_id, wanted] : needs.accounts) {
    if (!database_.accounts.contains(user_id) && !changed_accounts_.contains(user_id)) {
      continue;
    }
    if (needs.leave_out_held && is_held(database_.locks[user_id], this) &&
        database_.bug != StoreBug::ignores_locks) {
      database_.watcher->left_out();
      state.held.insert(user_id);
      continue;
    }
    lock(user_id);
    const std::int64_t some =
        std::max<std::int64_t>(1, wanted.active_allocations / database_.prefix_divisor);
    const std::int64_t limit = wanted.active_allocations == 0 ? 0 : some;
    MemoryStore::load_account(*view(user_id), wanted, now, limit, state.accounts[user_id]);
  }
  rules_seen = changed_rules_ ? changed_rules_ : database_.rules;
  MemoryStore::load_rules(*rules_seen, needs, now, state);
  return state;
}

void SimulatedUnit::apply(const domain::Changes& changes, MemoryStore& target) {
  for (const domain::CountersChange& change : changes.counters) {
    users_written.insert(change.user_id);
  }
  for (const domain::SessionChange& change : changes.sessions) {
    users_written.insert(change.record.session.user_id);
  }
  for (const domain::NewKey& key : changes.keys) {
    users_written.insert(key.user_id);
  }
  try {
    for (const std::string& user_id : users_written) {
      const bool may_write =
          database_.bug == StoreBug::ignores_locks || database_.locks[user_id] == this;
      if (!may_write) {
        database_.watcher->report("an account is written to without its lock: " + user_id);
      }
      if (target.find(user_id) == nullptr) {
        target.put(*database_.tables.find(user_id));
      }
    }
    target.apply(changes);
    if (database_.bug == StoreBug::takes_twice) {
      target.apply({.allocations = changes.allocations});
    }
  } catch (const std::exception& error) {
    failed = true;
    database_.watcher->report(std::string("the database refuses: ") + error.what());
    throw StoreError("a stored row is not as the ledger left it");
  }
  database_.last_writer = this;
}

void SimulatedUnit::store(const domain::Changes& changes) {
  step(Point::store);
  apply(changes, changed_);
}

void SimulatedUnit::store_and_commit(const domain::Changes& changes) {
  const Fate fate = step(Point::commit);
  // What is sure to be stored need not be written down twice.
  const bool at_once = changed_.accounts().empty() && fate != Fate::dropped &&
                       database_.bug != StoreBug::loses_commits;
  apply(changes, at_once ? database_.tables : changed_);
  finish(fate);
}

bool SimulatedUnit::commit_if_unchanged(const domain::Changes& changes, const Rules& rules) {
  const Fate fate = step(Point::commit);
  const bool unchanged = is_unchanged(changes, rules);
  database_.watcher->decided_from_memory(unchanged);
  if (!unchanged && database_.bug != StoreBug::forgets_conditions) {
    failed = true;
    if (fate == Fate::dies_after) {
      throw ProcessDied();
    }
    if (fate != Fate::goes_well) {
      throw store::StoreFailure(store::FailureKind::commit_unknown,
                                "the answer to COMMIT was lost");
    }
    return false;
  }
  for (const domain::CountersChange& change : changes.counters) {
    lock(change.user_id);
  }
  rules_seen = database_.rules;
  apply(changes, changed_);
  finish(fate);
  return true;
}

bool SimulatedUnit::is_unchanged(const domain::Changes& changes, const Rules& rules) const {
  const auto is_free_and_same = [&](const domain::CountersChange& change) {
    const auto held = database_.locks.find(change.user_id);
    const bool is_free = held == database_.locks.end() || !is_held(held->second, this) ||
                         database_.bug == StoreBug::ignores_locks;
    const domain::AccountRows* rows = view(change.user_id);
    return is_free && rows != nullptr && rows->counters == change.before;
  };
  const auto is_new = [&](const domain::NewKey& added) {
    const domain::AccountRows* rows = view(added.user_id);
    return std::ranges::none_of(rows->keys, [&](const domain::KeyRecord& record) {
      return record.key == added.record.key;
    });
  };
  return std::ranges::all_of(changes.counters, is_free_and_same) &&
         std::ranges::all_of(changes.keys, is_new) &&
         std::ranges::all_of(changes.sessions, [&](const domain::SessionChange& change) {
           return is_unchanged(change, rules);
         });
}

bool SimulatedUnit::is_unchanged(const domain::SessionChange& change, const Rules& rules) const {
  const StreamingSession& session = change.record.session;
  const auto& stored = view(session.user_id)->sessions;
  const auto found = std::ranges::find_if(stored, [&](const domain::SessionRecord& each) {
    return each.session.session_id == session.session_id;
  });
  if (change.before) {
    const bool is_open = found != stored.end() && !found->ending;
    return is_open && (database_.bug == StoreBug::forgets_progress ||
                       domain::progress_of(found->session) == *change.before);
  }
  const auto is_in_force = [&](const PricingRule& rule) {
    const PricingRule& seen = rules.at(session.model_id);
    return rule.model_id == seen.model_id && rule.id == seen.id &&
           rule.effective_from <= session.started_at &&
           (!rule.effective_to || session.started_at < *rule.effective_to);
  };
  return found == stored.end() && (database_.bug == StoreBug::forgets_rules ||
                                   std::ranges::any_of(*database_.rules, is_in_force));
}

void SimulatedUnit::commit() { finish(step(Point::commit)); }

void SimulatedUnit::finish(Fate fate) {
  database_.commits += 1;
  const bool lost = database_.bug == StoreBug::loses_commits && database_.commits % 7 == 0;
  if (fate == Fate::dropped) {
    failed = true;
    throw store::StoreFailure(store::FailureKind::commit_unknown, "the answer to COMMIT was lost");
  }
  if (!lost) {
    for (const auto& [user_id, rows] : changed_.accounts()) {
      database_.tables.put(rows);
    }
    for (const auto& [user_id, account] : changed_accounts_) {
      database_.accounts.insert_or_assign(user_id, account);
    }
    if (changed_rules_) {
      database_.rules = changed_rules_;
    }
  }
  database_.audit_entries += audit_entries_;
  database_.watcher->committed(*this);
  ended = true;
  release();
  if (fate == Fate::answer_lost) {
    throw store::StoreFailure(store::FailureKind::commit_unknown, "the answer to COMMIT was lost");
  }
  if (fate == Fate::dies_after) {
    throw ProcessDied();
  }
  database_.watcher->acknowledged(*this);
}

void SimulatedUnit::release() {
  std::erase_if(database_.locks, [this](const auto& each) { return each.second == this; });
  database_.price_lock = database_.price_lock == this ? nullptr : database_.price_lock;
  database_.last_writer = database_.last_writer == this ? nullptr : database_.last_writer;
}

std::optional<UserAccount> SimulatedUnit::lock_account(const std::string& user_id) {
  step(Point::load);
  const auto found = database_.accounts.find(user_id);
  if (found == database_.accounts.end()) {
    return std::nullopt;
  }
  lock(user_id);
  return found->second;
}

bool SimulatedUnit::insert_account(const UserAccount& account) {
  step(Point::store);
  if (database_.accounts.contains(account.user_id)) {
    database_.watcher->insert_was_late();
    return false;
  }
  lock(account.user_id);
  changed_accounts_.insert_or_assign(account.user_id, account);
  changed_.add_account(account.user_id);
  return true;
}

void SimulatedUnit::update_account(const UserAccount& account) {
  step(Point::store);
  changed_accounts_.insert_or_assign(account.user_id, account);
}

std::vector<PricingRule> SimulatedUnit::lock_rules(const std::string& model_id) {
  step(Point::load);
  if (is_held(database_.price_lock, this)) {
    failed = true;
    database_.watcher->lock_was_refused(*this);
    throw_busy();
  }
  database_.price_lock = this;
  prices_locked_at = database_.watcher->now();
  std::vector<PricingRule> rules;
  for (const PricingRule& rule : *database_.rules) {
    if (rule.model_id == model_id) {
      rules.push_back(rule);
    }
  }
  std::sort(rules.begin(), rules.end(), [](const auto& left, const auto& right) {
    return left.effective_from < right.effective_from;
  });
  return rules;
}

void SimulatedUnit::store_price(const domain::PriceChange& change) {
  step(Point::store);
  std::vector<PricingRule> rules = *database_.rules;
  for (PricingRule& rule : rules) {
    const bool closes =
        change.closes && rule.model_id == change.closes->model_id && rule.id == change.closes->id;
    if (closes) {
      rule.effective_to = change.closes->effective_to;
    }
  }
  rules.push_back(change.rule);
  changed_rules_ = std::make_shared<const std::vector<PricingRule>>(std::move(rules));
}

void SimulatedUnit::append_audit(const AuditEntry&) {
  step(Point::store);
  audit_entries_ += 1;
}

}  // namespace accounting::testing
