#include "findings.hpp"

#include "call.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace accounting::testing {
namespace {

constexpr std::int64_t kPage = 1'000;
constexpr std::size_t kThreads = 4;

std::vector<std::string> all_accounts(Accounting& books) {
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

/// Reads one account.
class AccountFinder {
 public:
  AccountFinder(Accounting& books, const std::string& user) : books_(books), user_(user) {}

  Findings find() {
    find_usage();
    find_allocations();
    find_deductions();
    for (const StreamingSession& session : books_.sessions().active(user_)) {
      add_session(session);
    }
    return std::move(found_);
  }

 private:
  void find_usage() {
    std::int64_t last = 0;
    for (std::vector<UsageRecord> page; last == 0 || !page.empty();) {
      page = books_.usage().list({.user_id = user_, .after = last, .limit = kPage});
      for (const UsageRecord& record : page) {
        last = record.id;
        if (record.service == kService) {
          note_twice(found_.charges.emplace(record.operation, record.id).second, record.operation);
        } else {
          const auto metadata = nlohmann::json::parse(record.metadata.value());
          add_session(books_.sessions().get(
              {.session_id = metadata.at("session_id").get<std::string>(), .user_id = user_}));
        }
      }
      if (page.empty()) {
        return;
      }
    }
  }

  void find_allocations() {
    for (std::int64_t page = 1, pages = 1; page <= pages; ++page) {
      const auto history =
          books_.credits().history({.user_id = user_, .page = page, .limit = kPage});
      pages = history.total_pages;
      for (const CreditAllocation& allocation : history.items) {
        if (allocation.notes != kFirstAllocation) {
          note_twice(
              found_.allocations.emplace(allocation.notes, AllocationName(user_, allocation.id))
                  .second,
              allocation.notes);
        }
        if (allocation.revoked_at) {
          found_.revoked.emplace(user_, allocation.id);
        }
      }
    }
  }

  void find_deductions() {
    std::int64_t last = 0;
    while (true) {
      const auto page = books_.credits().entries({.user_id = user_, .after = last, .limit = kPage});
      if (page.empty()) {
        return;
      }
      last = page.back().sequence;
      for (const CreditEntry& entry : page) {
        found_.deducted[user_] -= entry.kind == EntryKind::deduct ? entry.credits : 0;
      }
    }
  }

  void add_session(const StreamingSession& session) {
    note_twice(found_.sessions.emplace(session.session_id, session).second, session.session_id);
  }

  void note_twice(bool is_first, const std::string& call) {
    if (!is_first) {
      found_.problems.push_back(call + " took effect twice");
    }
  }

  Accounting& books_;
  const std::string& user_;
  Findings found_;
};

}  // namespace

void share_among_threads(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      for (std::size_t index = next++; index < count; index = next++) {
        work(index);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back(run);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

Findings find_all(Accounting& books) {
  const std::vector<std::string> users = all_accounts(books);
  Findings all;
  std::mutex mutex;
  share_among_threads(users.size(), [&](std::size_t index) {
    Findings found = AccountFinder(books, users[index]).find();
    const std::lock_guard lock(mutex);
    all.charges.merge(found.charges);
    all.allocations.merge(found.allocations);
    all.revoked.merge(found.revoked);
    all.sessions.merge(found.sessions);
    all.deducted.merge(found.deducted);
    // What is left over was there already, in another account.
    for (const auto& [call, row] : found.charges) {
      all.problems.push_back(call + " took effect in two accounts");
    }
    for (const auto& [call, row] : found.allocations) {
      all.problems.push_back(call + " took effect in two accounts");
    }
    all.problems.insert(all.problems.end(), found.problems.begin(), found.problems.end());
  });
  return all;
}

}  // namespace accounting::testing
