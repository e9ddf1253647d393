#include "domain/journal_replay.hpp"

#include "domain/wrapping.hpp"

#include <algorithm>
#include <limits>

namespace accounting::domain {
namespace {

BurnPosition position_of(const CreditAllocation& allocation) {
  return {.expires_at = allocation.expires_at,
          .allocated_at = allocation.allocated_at,
          .id = allocation.id};
}

bool takes(EntryKind kind) {
  return kind == EntryKind::deduct || kind == EntryKind::charge || kind == EntryKind::hold ||
         kind == EntryKind::overage;
}

void move_credits(Effect& places, const Effect& effect, std::int64_t amount) {
  places.remaining = wrapping_add(places.remaining, effect.remaining * amount);
  places.held = wrapping_add(places.held, effect.held * amount);
  places.consumed = wrapping_add(places.consumed, effect.consumed * amount);
  places.revoked = wrapping_add(places.revoked, effect.revoked * amount);
  places.moved = wrapping_add(places.moved, effect.moved * amount);
}

}  // namespace

std::optional<std::int64_t> amount_of(const CreditEntry& entry) {
  const Effect effect = effect_of(entry.kind);
  const std::int64_t amount = effect.remaining != 0
                                  ? wrapping_multiply(entry.credits, effect.remaining)
                                  : wrapping_multiply(entry.held_credits, effect.held);
  const bool fits = amount >= 0 && entry.credits == effect.remaining * amount &&
                    entry.held_credits == effect.held * amount;
  return fits ? std::optional(amount) : std::nullopt;
}

JournalReplay::JournalReplay(const std::vector<CreditAllocation>& allocations) {
  for (const CreditAllocation& allocation : allocations) {
    rows_.emplace(allocation.id, &allocation);
    replayed_[allocation.id];
  }
}

std::optional<std::string> JournalReplay::apply(const CreditEntry& entry) {
  const auto row = rows_.find(entry.allocation_id);
  if (row == rows_.end()) {
    return "names allocation " + std::to_string(entry.allocation_id) + ", which is not there";
  }
  const std::optional<std::int64_t> amount = amount_of(entry);
  if (!amount) {
    return "has numbers that do not fit its kind";
  }
  const CreditAllocation& allocation = *row->second;
  std::optional<std::string> problem;
  if (takes(entry.kind)) {
    problem = check_take(entry, allocation);
  }
  ReplayedAllocation& replayed = replayed_[allocation.id];
  move_credits(replayed.places, effect_of(entry.kind), *amount);
  replayed.times_allocated += entry.kind == EntryKind::allocate ? 1 : 0;
  replayed.revoked |= entry.kind == EntryKind::revoke;
  if (!problem && std::min(replayed.places.remaining, replayed.places.held) < 0) {
    problem = "takes more from allocation " + std::to_string(allocation.id) + " than was there";
  }
  if (replayed.places.remaining > 0 && !replayed.revoked) {
    takeable_.insert(position_of(allocation));
  } else {
    takeable_.erase(position_of(allocation));
  }
  return problem;
}

std::optional<std::string> JournalReplay::check_take(const CreditEntry& entry,
                                                     const CreditAllocation& taken) const {
  const Timestamp now = entry.created_at;
  if (taken.expires_at && *taken.expires_at <= now) {
    return "takes from allocation " + std::to_string(taken.id) + ", which had expired";
  }
  if (taken.effective_at > now) {
    return "takes from allocation " + std::to_string(taken.id) + ", which was not effective yet";
  }
  const CreditAllocation* next = next_to_take(now);
  if (next == nullptr) {
    return "takes from allocation " + std::to_string(taken.id) + ", which had nothing to take";
  }
  if (next->id != taken.id) {
    return "takes from allocation " + std::to_string(taken.id) + " although allocation " +
           std::to_string(next->id) + " comes first in burn order";
  }
  return std::nullopt;
}

const CreditAllocation* JournalReplay::next_to_take(Timestamp now) const {
  const BurnPosition first_unexpired{.expires_at = now + std::chrono::microseconds(1),
                                     .allocated_at = Timestamp::min(),
                                     .id = std::numeric_limits<std::int64_t>::min()};
  for (auto next = takeable_.lower_bound(first_unexpired); next != takeable_.end(); ++next) {
    const CreditAllocation* allocation = rows_.at(next->id);
    if (allocation->effective_at <= now) {
      return allocation;
    }
  }
  return nullptr;
}

const ReplayedAllocation& JournalReplay::allocation(std::int64_t id) const {
  return replayed_.at(id);
}

}  // namespace accounting::domain
