#include "fault/call_log.hpp"

#include <algorithm>
#include <vector>

namespace accounting::testing {
namespace {

constexpr std::int64_t kPage = 1'000;

std::vector<std::string> all_users(Accounting& books) {
  std::vector<std::string> users;
  for (std::int64_t page = 1, pages = 1; page <= pages; ++page) {
    const auto accounts = books.accounts().list({.page = page, .limit = kPage});
    pages = accounts.total_pages;
    for (const UserAccount& account : accounts.items) {
      users.push_back(account.user_id);
    }
  }
  return users;
}

std::vector<CreditAllocation> all_allocations(Accounting& books, const std::string& user_id) {
  std::vector<CreditAllocation> allocations;
  for (std::int64_t page = 1, pages = 1; page <= pages; ++page) {
    const auto history =
        books.credits().history({.user_id = user_id, .page = page, .limit = kPage});
    pages = history.total_pages;
    allocations.insert(allocations.end(), history.items.begin(), history.items.end());
  }
  return allocations;
}

/// Hands every item of a list that is read in pieces of a page to `use`.
template <class List, class Number, class Use>
void for_each_item(List list, Number number_of, Use use) {
  std::int64_t after = 0;
  std::int64_t count = kPage;
  while (count == kPage) {
    const auto piece = list(after);
    count = std::ssize(piece);
    for (const auto& item : piece) {
      use(item);
      after = number_of(item);
    }
  }
}

}  // namespace

void CallLog::charged(const Charge& charge) {
  const std::lock_guard lock(mutex_);
  const UsageRecord& record = charge.usage_record;
  const bool first = charges_.emplace(Place{record.user_id, record.id}, record).second;
  if (!first) {
    FAIL_CHECK("two charges were answered with usage record " << record.id << " of "
                                                              << record.user_id);
  }
}

void CallLog::granted(const CreditAllocation& allocation) {
  const std::lock_guard lock(mutex_);
  allocations_.emplace(Place{allocation.user_id, allocation.id}, allocation);
  granted_credits_ += allocation.total_credits;
}

void CallLog::transferred(const std::string& from, const CreditAllocation& to) {
  const std::lock_guard lock(mutex_);
  allocations_.emplace(Place{to.user_id, to.id}, to);
  deducted_[from] += to.total_credits;
  ++transfers_;
}

void CallLog::began(const StreamingSession& session) {
  const std::lock_guard lock(mutex_);
  sessions_.emplace(SessionName{session.user_id, session.session_id}, session);
}

void CallLog::ended(const Settlement& settlement) {
  const std::lock_guard lock(mutex_);
  const SessionName name{settlement.user_id, settlement.session_id};
  const auto [known, first] = ends_.emplace(name, settlement);
  if (!first && known->second != settlement) {
    FAIL_CHECK("a session ended in two ways: " << known->second << " and " << settlement);
  }
}

void CallLog::in_doubt(const std::string& call) {
  const std::lock_guard lock(mutex_);
  in_doubt_.insert(call);
}

CallLog::Totals CallLog::totals() const {
  const std::lock_guard lock(mutex_);
  return {.charges = charges_.size(),
          .grants = allocations_.size() - transfers_,
          .transfers = transfers_,
          .sessions = sessions_.size(),
          .ends = ends_.size(),
          .in_doubt = in_doubt_.size()};
}

std::string to_string(const CallLog::Totals& totals) {
  return std::to_string(totals.charges) + " charges, " + std::to_string(totals.grants) +
         " grants, " + std::to_string(totals.transfers) + " transfers, " +
         std::to_string(totals.sessions) + " sessions, " + std::to_string(totals.ends) +
         " ends acknowledged, " + std::to_string(totals.in_doubt) + " in doubt";
}

bool CallLog::may_be_there(const std::string& text) const {
  return std::ranges::any_of(
      in_doubt_, [&](const std::string& call) { return text.find(call) != std::string::npos; });
}

void CallLog::check_nothing_lost(Accounting& books) const {
  const std::lock_guard lock(mutex_);
  Found found;
  for (const std::string& user_id : all_users(books)) {
    CAPTURE(user_id);
    check_usage(books, user_id, found);
    check_allocations(books, user_id, found);
    check_deductions(books, user_id);
  }
  CHECK(found.charges == charges_.size());
  CHECK(found.allocations == allocations_.size());
  const std::size_t ended = check_sessions(books);
  if (in_doubt_.empty()) {
    CHECK(found.settlements == ended);
    // What transfers deducted is what they allocated, so it stands on neither side.
    CHECK(found.credits == granted_credits_);
  }
}

void CallLog::check_usage(Accounting& books, const std::string& user_id, Found& found) const {
  for_each_item(
      [&](std::int64_t after) {
        return books.usage().list({.user_id = user_id, .after = after, .limit = kPage});
      },
      [](const UsageRecord& record) { return record.id; },
      [&](const UsageRecord& record) {
        found.credits += record.collected_credits;
        const auto known = charges_.find({user_id, record.id});
        if (known != charges_.end()) {
          ++found.charges;
          CHECK(record == known->second);
        } else if (record.service.starts_with("chat-streaming")) {
          ++found.settlements;
        } else if (!may_be_there(record.metadata.value_or(""))) {
          FAIL_CHECK("a charge that nobody made: " << record);
        }
      });
}

void CallLog::check_allocations(Accounting& books, const std::string& user_id, Found& found) const {
  for (const CreditAllocation& allocation : all_allocations(books, user_id)) {
    found.credits +=
        allocation.remaining_credits + allocation.held_credits + allocation.revoked_credits;
    const auto known = allocations_.find({user_id, allocation.id});
    if (known != allocations_.end()) {
      ++found.allocations;
      CHECK(allocation.total_credits == known->second.total_credits);
      CHECK(allocation.notes == known->second.notes);
      CHECK(allocation.allocated_at == known->second.allocated_at);
      CHECK(allocation.expires_at == known->second.expires_at);
    } else if (!may_be_there(allocation.notes)) {
      FAIL_CHECK("an allocation that nobody made: " << allocation);
    }
  }
}

void CallLog::check_deductions(Accounting& books, const std::string& user_id) const {
  if (!in_doubt_.empty()) {
    return;  // a transfer in doubt may have deducted
  }
  std::int64_t deducted = 0;
  for_each_item(
      [&](std::int64_t after) {
        return books.credits().entries({.user_id = user_id, .after = after, .limit = kPage});
      },
      [](const CreditEntry& entry) { return entry.sequence; },
      [&](const CreditEntry& entry) {
        deducted -= entry.kind == EntryKind::deduct ? entry.credits : 0;
      });
  const auto known = deducted_.find(user_id);
  CHECK(deducted == (known == deducted_.end() ? 0 : known->second));
}

std::size_t CallLog::check_sessions(Accounting& books) const {
  std::size_t ended = 0;
  for (const auto& [name, began] : sessions_) {
    const StreamingSession stored =
        books.sessions().get({.session_id = name.second, .user_id = name.first});
    CHECK(stored.started_at == began.started_at);
    ended += stored.status == SessionStatus::active ? 0 : 1;
    const auto end = ends_.find(name);
    if (end != ends_.end()) {
      CHECK(stored.status == end->second.status);
      CHECK(stored.used_credits == end->second.actual_credits);
    } else if (stored.status != SessionStatus::active && stored.status != SessionStatus::expired &&
               !may_be_there(name.second)) {
      // A sweep whose answer was lost may have expired it; nobody else ends a session unasked.
      FAIL_CHECK("an end that nobody was told of: " << stored);
    }
  }
  for (const StreamingSession& session : books.sessions().all_active()) {
    if (!sessions_.contains({session.user_id, session.session_id}) &&
        !may_be_there(session.session_id)) {
      FAIL_CHECK("a session that nobody began: " << session);
    }
  }
  return ended;
}

}  // namespace accounting::testing
