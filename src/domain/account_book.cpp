#include "domain/account_book.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <utility>

namespace accounting::domain {
namespace {

/// The service names whose operation is a model.
bool is_chat(const std::string& service) {
  return service == "chat" || service.starts_with("chat-");
}

void add_to(Effect& sum, const Effect& effect, std::int64_t amount) {
  sum.remaining += effect.remaining * amount;
  sum.held += effect.held * amount;
  sum.consumed += effect.consumed * amount;
  sum.revoked += effect.revoked * amount;
  sum.moved += effect.moved * amount;
}

void add_to(Effect& sum, const Effect& other) { add_to(sum, other, 1); }

void add_to(CreditAllocation& row, const Effect& effect, std::int64_t amount) {
  row.remaining_credits += effect.remaining * amount;
  row.held_credits += effect.held * amount;
  row.consumed_credits += effect.consumed * amount;
  row.revoked_credits += effect.revoked * amount;
  row.moved_credits += effect.moved * amount;
}

}  // namespace

AccountBook::AccountBook(const std::string& user_id, AccountState& state, Timestamp now,
                         Changes& changes)
    : user_id_(user_id),
      state_(state),
      now_(now),
      before_(state.counters),
      changes_(changes),
      first_allocation_(changes.allocations.size()),
      first_rollup_(changes.rollups.size()) {}

TakePlan AccountBook::plan_take(std::int64_t credits) const {
  TakePlan plan;
  for (const AllocationState& allocation : state_.allocations) {
    if (plan.found == credits) {
      return plan;
    }
    const bool within_loaded =
        state_.all_loaded || (state_.loaded_up_to && allocation.position <= *state_.loaded_up_to);
    if (!within_loaded) {
      break;
    }
    if (allocation.active(now_)) {
      const std::int64_t part = std::min(credits - plan.found, allocation.remaining);
      plan.slices.push_back({.allocation_id = allocation.position.id, .credits = part});
      plan.found += part;
    }
  }
  plan.need_more = plan.found < credits && !state_.all_loaded;
  return plan;
}

void AccountBook::take(const std::vector<Slice>& slices, EntryKind kind, const Reason& reason) {
  for (const Slice& slice : slices) {
    post(slice.allocation_id, kind, slice.credits, reason);
  }
}

void AccountBook::post(std::int64_t allocation_id, EntryKind kind, std::int64_t amount,
                       const Reason& reason) {
  const Effect effect = effect_of(kind);
  AllocationState& moved = allocation(allocation_id);
  moved.remaining += effect.remaining * amount;
  add_to(change_of(allocation_id).change, effect, amount);
  if (const auto named = state_.named_allocations.find(allocation_id);
      named != state_.named_allocations.end()) {
    add_to(named->second, effect, amount);
  }
  // Credits that moved count again in the allocation that they moved to.
  state_.counters.allocated_credits -= effect.moved * amount;
  write_entry(allocation_id, kind, amount, reason);
}

void AccountBook::refund(const Slice& slice, const Reason& reason) {
  post(slice.allocation_id, EntryKind::refund, slice.credits, reason);
  if (allocation(slice.allocation_id).revoked) {
    post(slice.allocation_id, EntryKind::revoke, slice.credits, reason);
  }
}

CreditAllocation AccountBook::open_allocation(CreditAllocation opened, const Reason& reason) {
  opened.id = ++state_.counters.last_allocation_id;
  opened.user_id = user_id_;
  opened.allocated_at = now_;
  opened.remaining_credits = opened.total_credits;
  changes_.new_allocations.push_back(opened);
  add_allocation(opened);
  // A later command of the batch may name it.
  state_.named_allocations.emplace(opened.id, opened);
  write_entry(opened.id, EntryKind::allocate, opened.total_credits, reason);
  return opened;
}

CreditAllocation AccountBook::revoke(std::int64_t allocation_id, const Revoke& request,
                                     const Reason& reason) {
  AllocationState& revoked = allocation(allocation_id);
  post(allocation_id, EntryKind::revoke, revoked.remaining, reason);
  revoked.revoked = true;
  AllocationChange& change = change_of(allocation_id);
  change.revoked_at = now_;
  change.revoked_by = request.revoked_by;

  CreditAllocation& named = state_.named_allocations.at(allocation_id);
  named.revoked_at = now_;
  named.revoked_by = request.revoked_by;
  return named;
}

std::int64_t AccountBook::next_usage_id() const { return state_.counters.last_usage_id + 1; }

bool AccountBook::can_allocate(std::int64_t credits) const {
  return credits <= std::numeric_limits<std::int64_t>::max() - state_.counters.allocated_credits;
}

bool AccountBook::can_use(std::int64_t credits) const {
  return credits <= std::numeric_limits<std::int64_t>::max() - state_.counters.used_credits;
}

const UsageRecord& AccountBook::record_usage(const UsageDetails& usage, std::int64_t collected) {
  // Filled in where it stands: a row is made for every charge, and moving it costs as much again.
  UsageRecord& record = changes_.usage_records.emplace_back();
  record.id = ++state_.counters.last_usage_id;
  record.user_id = user_id_;
  record.timestamp = now_;
  record.service = usage.service;
  record.operation = usage.operation;
  record.credits = usage.credits;
  record.collected_credits = collected;
  record.metadata = usage.metadata;
  state_.counters.used_credits += usage.credits;

  RollupChange& rollup = rollup_of(usage);
  rollup.records += 1;
  rollup.credits += usage.credits;
  return record;
}

SessionRecord& AccountBook::begin_session(SessionRecord record) {
  const std::string session_id = record.session.session_id;
  changed_sessions_[session_id] = std::nullopt;
  return state_.sessions.insert_or_assign(session_id, std::move(record)).first->second;
}

SessionRecord& AccountBook::change_session(const std::string& session_id) {
  SessionRecord& record = state_.sessions.at(session_id);
  changed_sessions_.try_emplace(session_id, progress_of(record.session));
  return record;
}

void AccountBook::add_slices(SessionRecord& record, const std::vector<Slice>& slices) {
  for (const Slice& slice : slices) {
    record.slices.push_back(slice);
    changes_.slices.push_back({.user_id = user_id_,
                               .session_id = record.session.session_id,
                               .position = static_cast<std::int64_t>(record.slices.size()),
                               .slice = slice});
  }
}

void AccountBook::remember(const std::string& key, KeyRecord record) {
  changes_.keys.push_back({.user_id = user_id_, .record = record});
  state_.keys.insert_or_assign(key, std::move(record));
}

void AccountBook::finish() {
  if (state_.counters != before_) {
    changes_.counters.push_back(
        {.user_id = user_id_, .before = std::move(before_), .after = state_.counters});
  }
  add_up_allocations();
  for (const auto& [session_id, before] : changed_sessions_) {
    changes_.sessions.push_back({.record = state_.sessions.at(session_id), .before = before});
  }
}

void AccountBook::drop() { changes_.drop_last(user_id_); }

AllocationState& AccountBook::allocation(std::int64_t id) {
  const auto found = std::find_if(state_.allocations.begin(), state_.allocations.end(),
                                  [id](const auto& each) { return each.position.id == id; });
  if (found == state_.allocations.end()) {
    throw std::logic_error("a movement of an allocation that was not loaded");
  }
  return *found;
}

void AccountBook::add_allocation(const CreditAllocation& added) {
  state_.counters.allocated_credits += added.total_credits;
  const AllocationState loaded{.position = {.expires_at = added.expires_at,
                                            .allocated_at = added.allocated_at,
                                            .id = added.id},
                               .effective_at = added.effective_at,
                               .remaining = added.remaining_credits,
                               .revoked = false};
  const auto place = std::upper_bound(
      state_.allocations.begin(), state_.allocations.end(), loaded,
      [](const auto& left, const auto& right) { return left.position < right.position; });
  state_.allocations.insert(place, loaded);
}

/// Where to note a change of the allocation. There may be several of one until `finish`.
AllocationChange& AccountBook::change_of(std::int64_t allocation_id) {
  auto& changes = changes_.allocations;
  if (changes.size() == first_allocation_ || changes.back().id != allocation_id) {
    AllocationChange& change = changes.emplace_back();
    change.user_id = user_id_;
    change.id = allocation_id;
  }
  return changes.back();
}

RollupChange& AccountBook::rollup_of(const UsageDetails& usage) {
  auto& rollups = changes_.rollups;
  const std::string_view model = is_chat(usage.service) ? usage.operation : std::string_view();
  const auto found = std::find_if(rollups.begin() + static_cast<std::ptrdiff_t>(first_rollup_),
                                  rollups.end(), [&](const RollupChange& each) {
                                    return each.service == usage.service && each.model == model;
                                  });
  if (found != rollups.end()) {
    return *found;
  }
  RollupChange& rollup = rollups.emplace_back();
  rollup.user_id = user_id_;
  rollup.day = std::chrono::floor<std::chrono::days>(now_);
  rollup.service = usage.service;
  rollup.model = model;
  return rollup;
}

void AccountBook::write_entry(std::int64_t allocation_id, EntryKind kind, std::int64_t amount,
                              const Reason& reason) {
  const Effect effect = effect_of(kind);
  CreditEntry& entry = changes_.entries.emplace_back();
  entry.sequence = ++state_.counters.last_entry_sequence;
  entry.user_id = user_id_;
  entry.allocation_id = allocation_id;
  entry.kind = kind;
  entry.credits = effect.remaining * amount;
  entry.held_credits = effect.held * amount;
  entry.session_id = std::optional<std::string>(reason.session_id);
  entry.usage_id = reason.usage_id;
  entry.actor = reason.actor;
  entry.created_at = now_;
}

/// Leaves one change of each allocation, in order of their ids.
void AccountBook::add_up_allocations() {
  auto& changes = changes_.allocations;
  if (changes.size() <= first_allocation_ + 1) {
    return;
  }
  const auto begin = changes.begin() + static_cast<std::ptrdiff_t>(first_allocation_);
  std::stable_sort(begin, changes.end(),
                   [](const auto& left, const auto& right) { return left.id < right.id; });
  auto last = begin;
  for (auto each = std::next(begin); each != changes.end(); ++each) {
    if (each->id != last->id) {
      if (++last != each) {  // a text moved onto itself is lost
        *last = std::move(*each);
      }
      continue;
    }
    add_to(last->change, each->change);
    if (each->revoked_at) {
      last->revoked_at = each->revoked_at;
      last->revoked_by = std::move(each->revoked_by);
    }
  }
  changes.erase(std::next(last), changes.end());
}

}  // namespace accounting::domain
