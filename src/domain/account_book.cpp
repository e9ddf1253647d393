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

void add_to(CreditAllocation& row, const Effect& effect, std::int64_t amount) {
  row.remaining_credits += effect.remaining * amount;
  row.held_credits += effect.held * amount;
  row.consumed_credits += effect.consumed * amount;
  row.revoked_credits += effect.revoked * amount;
  row.moved_credits += effect.moved * amount;
}

}  // namespace

AccountBook::AccountBook(std::string user_id, AccountState& state, Timestamp now)
    : user_id_(std::move(user_id)), state_(state), now_(now), before_(state.counters) {}

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
  AllocationChange& change = allocation_changes_[allocation_id];
  change.id = allocation_id;
  add_to(change.change, effect, amount);
  if (const auto named = state_.named_allocations.find(allocation_id);
      named != state_.named_allocations.end()) {
    add_to(named->second, effect, amount);
  }
  // Credits that moved count again in the allocation that they moved to.
  state_.counters.allocated_credits -= effect.moved * amount;
  pending_.entries.push_back({.sequence = ++state_.counters.last_entry_sequence,
                              .user_id = user_id_,
                              .allocation_id = allocation_id,
                              .kind = kind,
                              .credits = effect.remaining * amount,
                              .held_credits = effect.held * amount,
                              .session_id = reason.session_id,
                              .usage_id = reason.usage_id,
                              .actor = reason.actor,
                              .created_at = now_});
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
  pending_.new_allocations.push_back(opened);
  add_allocation(opened);
  // A later command of the batch may name it.
  state_.named_allocations.emplace(opened.id, opened);
  pending_.entries.push_back({.sequence = ++state_.counters.last_entry_sequence,
                              .user_id = user_id_,
                              .allocation_id = opened.id,
                              .kind = EntryKind::allocate,
                              .credits = opened.total_credits,
                              .held_credits = 0,
                              .session_id = reason.session_id,
                              .usage_id = reason.usage_id,
                              .actor = reason.actor,
                              .created_at = now_});
  return opened;
}

CreditAllocation AccountBook::revoke(std::int64_t allocation_id, const Revoke& request,
                                     const Reason& reason) {
  AllocationState& revoked = allocation(allocation_id);
  post(allocation_id, EntryKind::revoke, revoked.remaining, reason);
  revoked.revoked = true;
  AllocationChange& change = allocation_changes_[allocation_id];
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

UsageRecord AccountBook::record_usage(const UsageDetails& usage, std::int64_t collected) {
  UsageRecord record{.id = ++state_.counters.last_usage_id,
                     .user_id = user_id_,
                     .timestamp = now_,
                     .service = usage.service,
                     .operation = usage.operation,
                     .credits = usage.credits,
                     .collected_credits = collected,
                     .metadata = usage.metadata};
  state_.counters.used_credits += usage.credits;
  pending_.usage_records.push_back(record);

  const std::string model = is_chat(usage.service) ? usage.operation : std::string();
  const auto same = [&](const RollupChange& rollup) {
    return rollup.service == usage.service && rollup.model == model;
  };
  auto rollup = std::find_if(pending_.rollups.begin(), pending_.rollups.end(), same);
  if (rollup == pending_.rollups.end()) {
    pending_.rollups.push_back({.user_id = user_id_,
                                .day = std::chrono::floor<std::chrono::days>(now_),
                                .service = usage.service,
                                .model = model});
    rollup = std::prev(pending_.rollups.end());
  }
  rollup->records += 1;
  rollup->credits += usage.credits;
  return record;
}

SessionRecord& AccountBook::begin_session(SessionRecord record) {
  const std::string session_id = record.session.session_id;
  changed_sessions_[session_id] = true;
  return state_.sessions.insert_or_assign(session_id, std::move(record)).first->second;
}

SessionRecord& AccountBook::change_session(const std::string& session_id) {
  changed_sessions_.try_emplace(session_id, false);
  return state_.sessions.at(session_id);
}

void AccountBook::add_slices(SessionRecord& record, const std::vector<Slice>& slices) {
  for (const Slice& slice : slices) {
    record.slices.push_back(slice);
    pending_.slices.push_back({.user_id = user_id_,
                               .session_id = record.session.session_id,
                               .position = static_cast<std::int64_t>(record.slices.size()),
                               .slice = slice});
  }
}

void AccountBook::remember(const std::string& key, KeyRecord record) {
  pending_.keys.push_back({.user_id = user_id_, .record = record});
  state_.keys.insert_or_assign(key, std::move(record));
}

void AccountBook::collect(Changes& changes) {
  if (state_.counters != before_) {
    changes.counters.push_back({.user_id = user_id_, .before = before_, .after = state_.counters});
  }
  for (auto& [id, change] : allocation_changes_) {
    change.user_id = user_id_;
    changes.allocations.push_back(std::move(change));
  }
  for (const auto& [session_id, is_new] : changed_sessions_) {
    changes.sessions.push_back({.record = state_.sessions.at(session_id), .is_new = is_new});
  }
  changes.append(std::move(pending_));
}

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

}  // namespace accounting::domain
