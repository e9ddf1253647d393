// Reference call: one command at work on its account, and the few ways in which credits move.
#pragma once

#include "property/memory_store.hpp"
#include "property/reference_books.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

namespace accounting::testing {

struct ReferenceBooks::Call {
  const domain::Command& command;
  ReferenceAccount& account;
  Timestamp now;
  const Policy& policy;
  std::optional<std::string> session_id = {};
  std::optional<std::int64_t> usage_id = {};

  [[nodiscard]] CreditAllocation& allocation(std::int64_t id) const {
    return account.allocations.at(static_cast<std::size_t>(id - 1));
  }

  [[nodiscard]] ReferenceSession* session(const std::string& wanted) const {
    for (ReferenceSession& each : account.sessions) {
      if (each.session.session_id == wanted) {
        return &each;
      }
    }
    return nullptr;
  }

  [[nodiscard]] bool can_spend(const CreditAllocation& each) const {
    return !each.revoked_at && each.remaining_credits > 0 && each.effective_at <= now &&
           (!each.expires_at || *each.expires_at > now);
  }

  [[nodiscard]] std::int64_t balance() const {
    std::int64_t sum = 0;
    for (const CreditAllocation& each : account.allocations) {
      sum += can_spend(each) ? each.remaining_credits : 0;
    }
    return sum;
  }

  /// Where `credits` come from, or as many as there are.
  [[nodiscard]] std::vector<Slice> spend(std::int64_t credits) const {
    using Place = std::tuple<bool, Timestamp, Timestamp, std::int64_t>;
    std::vector<Place> places;
    for (const CreditAllocation& each : account.allocations) {
      if (can_spend(each)) {
        places.emplace_back(!each.expires_at, each.expires_at.value_or(Timestamp()),
                            each.allocated_at, each.id);
      }
    }
    std::sort(places.begin(), places.end());
    std::vector<Slice> slices;
    for (const Place& place : places) {
      const std::int64_t id = std::get<3>(place);
      const std::int64_t part = std::min(credits, allocation(id).remaining_credits);
      if (part > 0) {
        slices.push_back({.allocation_id = id, .credits = part});
        credits -= part;
      }
    }
    return slices;
  }

  void write(EntryKind kind, std::int64_t allocation_id, std::int64_t credits,
             std::int64_t held) const {
    account.entries.push_back({.sequence = static_cast<std::int64_t>(account.entries.size()) + 1,
                               .user_id = account.user_id,
                               .allocation_id = allocation_id,
                               .kind = kind,
                               .credits = credits,
                               .held_credits = held,
                               .session_id = session_id,
                               .usage_id = usage_id,
                               .actor = command.actor,
                               .created_at = now});
  }

  CreditAllocation& open(CreditAllocation opened) const {
    opened.id = static_cast<std::int64_t>(account.allocations.size()) + 1;
    opened.user_id = account.user_id;
    opened.remaining_credits = opened.total_credits;
    opened.allocated_at = now;
    account.allocations.push_back(opened);
    write(EntryKind::allocate, opened.id, opened.total_credits, 0);
    return account.allocations.back();
  }

  void pay(const std::vector<Slice>& slices, EntryKind kind) const {
    for (const auto& [id, credits] : slices) {
      allocation(id).remaining_credits -= credits;
      allocation(id).consumed_credits += credits;
      write(kind, id, -credits, 0);
    }
  }

  void hold(const std::vector<Slice>& slices) const {
    for (const auto& [id, credits] : slices) {
      allocation(id).remaining_credits -= credits;
      allocation(id).held_credits += credits;
      write(EntryKind::hold, id, -credits, credits);
    }
  }

  void settle(const Slice& slice) const {
    allocation(slice.allocation_id).held_credits -= slice.credits;
    allocation(slice.allocation_id).consumed_credits += slice.credits;
    write(EntryKind::settle, slice.allocation_id, 0, -slice.credits);
  }

  /// What comes back to a revoked allocation is revoked too.
  void refund(const Slice& slice) const {
    CreditAllocation& source = allocation(slice.allocation_id);
    source.held_credits -= slice.credits;
    write(EntryKind::refund, source.id, slice.credits, -slice.credits);
    if (source.revoked_at) {
      source.revoked_credits += slice.credits;
      write(EntryKind::revoke, source.id, -slice.credits, 0);
    } else {
      source.remaining_credits += slice.credits;
    }
  }

  void move_out(const Slice& slice) const {
    allocation(slice.allocation_id).held_credits -= slice.credits;
    allocation(slice.allocation_id).moved_credits += slice.credits;
    write(EntryKind::move, slice.allocation_id, 0, -slice.credits);
  }

  UsageRecord record(const domain::UsageDetails& usage, std::int64_t collected) const {
    const bool chat = usage.service == "chat" || usage.service.substr(0, 5) == "chat-";
    const domain::RollupRow row{.day = day_text(now),
                                .service = usage.service,
                                .model = chat ? usage.operation : "",
                                .records = 1,
                                .credits = usage.credits};
    const auto same =
        std::find_if(account.rollups.begin(), account.rollups.end(), [&](const auto& each) {
          return std::tie(each.day, each.service, each.model) ==
                 std::tie(row.day, row.service, row.model);
        });
    if (same == account.rollups.end()) {
      account.rollups.push_back(row);
    } else {
      same->records += 1;
      same->credits += row.credits;
    }
    account.usage_records.push_back(
        {.id = static_cast<std::int64_t>(account.usage_records.size()) + 1,
         .user_id = account.user_id,
         .timestamp = now,
         .service = usage.service,
         .operation = usage.operation,
         .credits = usage.credits,
         .collected_credits = collected,
         .metadata = usage.metadata});
    return account.usage_records.back();
  }
};

inline domain::Refusal refused(ErrorCode code, std::string argument = {}) {
  return {.code = code, .message = {}, .argument = std::move(argument)};
}

inline domain::Refusal refused_short(std::int64_t required, std::int64_t available) {
  return {.code = ErrorCode::insufficient_credits,
          .message = {},
          .argument = {},
          .required = required,
          .available = available};
}

}  // namespace accounting::testing
