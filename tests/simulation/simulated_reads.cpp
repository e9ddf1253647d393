// The queries of the simulated database.
#include "property/account_queries.hpp"
#include "simulation/simulated_database.hpp"

#include <stdexcept>

namespace accounting::testing {
namespace {

/// Identity and statistics over everybody have tests of their own.
[[noreturn]] void not_simulated() { throw std::logic_error("this is not simulated"); }

template <class Account, class Answer>
auto where_there(const Account* account, Answer answer) {
  return account == nullptr ? std::nullopt : std::optional(answer(*account));
}

}  // namespace

template <class Interface>
void SimulatedReads<Interface>::about_to_read() {
  if (database_.watcher->about_to(Point::read) == Fate::dies_after) {
    throw ProcessDied();
  }
}

template <class Interface>
const domain::AccountRows* SimulatedReads<Interface>::view(const std::string& user_id) const {
  const SimulatedUnit* writer = database_.last_writer;
  if (database_.bug == StoreBug::shows_uncommitted && writer != nullptr) {
    return writer->view(user_id);
  }
  return database_.tables.find(user_id);
}

template <class Interface>
std::optional<UserAccount> SimulatedReads<Interface>::account(const std::string& user_id) {
  this->about_to_read();
  const auto found = database_.accounts.find(user_id);
  return found == database_.accounts.end() ? std::nullopt : std::optional(found->second);
}

template <class Interface>
std::optional<Balance> SimulatedReads<Interface>::balance(const std::string& user_id,
                                                          Timestamp now) {
  this->about_to_read();
  return where_there(this->view(user_id), [&](const auto& rows) { return balance_of(rows, now); });
}

template <class Interface>
std::optional<std::int64_t> SimulatedReads<Interface>::active_credits(const std::string& user_id,
                                                                      Timestamp now) {
  this->about_to_read();
  return where_there(this->view(user_id),
                     [&](const auto& rows) { return balance_of(rows, now).total_credits; });
}

template <class Interface>
std::optional<Page<CreditAllocation>> SimulatedReads<Interface>::history(
    const HistoryRequest& request) {
  this->about_to_read();
  return where_there(this->view(request.user_id), [&](const auto& rows) {
    return history_of(rows, request.page, request.limit);
  });
}

template <class Interface>
std::optional<std::vector<CreditEntry>> SimulatedReads<Interface>::entries(
    const EntriesRequest& request) {
  this->about_to_read();
  return where_there(this->view(request.user_id), [&](const auto& rows) {
    return entries_of(rows, request.after, request.limit);
  });
}

template <class Interface>
std::optional<std::optional<StreamingSession>> SimulatedReads<Interface>::session(
    const GetSessionRequest& request) {
  this->about_to_read();
  return where_there(this->view(request.user_id),
                     [&](const auto& rows) { return session_of(rows, request.session_id); });
}

template <class Interface>
std::optional<std::vector<StreamingSession>> SimulatedReads<Interface>::active_sessions(
    const std::string& user_id) {
  this->about_to_read();
  return where_there(this->view(user_id),
                     [](const auto& rows) { return active_sessions_of(rows); });
}

template <class Interface>
std::vector<std::pair<std::string, std::string>> SimulatedReads<Interface>::stale_sessions(
    Timestamp now, std::int64_t limit) {
  this->about_to_read();
  database_.watcher->looked_for_stale_sessions(now, limit);
  std::vector<StreamingSession> stale;
  for (const auto& each : database_.tables.accounts()) {
    add_stale_sessions(*this->view(each.first), now, stale);
  }
  return in_order_of_life(std::move(stale), limit);
}

template <class Interface>
std::optional<std::vector<UsageRecord>> SimulatedReads<Interface>::usage(
    const ListUsageRequest& request) {
  this->about_to_read();
  return where_there(this->view(request.user_id), [&](const auto& rows) {
    return usage_of(rows, {.start = request.start, .end = request.end}, request.after,
                    request.limit);
  });
}

template <class Interface>
std::optional<UserStats> SimulatedReads<Interface>::user_stats(const std::string& user_id,
                                                               const store::TimeRange& range) {
  this->about_to_read();
  return where_there(this->view(user_id), [&](const auto& rows) { return stats_of(rows, range); });
}

template <class Interface>
Page<UserAccount> SimulatedReads<Interface>::accounts(const ListAccountsRequest&) {
  not_simulated();
}
template <class Interface>
std::vector<StreamingSession> SimulatedReads<Interface>::all_active_sessions() {
  not_simulated();
}
template <class Interface>
SystemStats SimulatedReads<Interface>::system_stats(const store::TimeRange&) {
  not_simulated();
}
template <class Interface>
std::optional<PricingRule> SimulatedReads<Interface>::rule_in_force(const std::string&, Timestamp) {
  not_simulated();
}
template <class Interface>
std::vector<PricingRule> SimulatedReads<Interface>::rules(const std::optional<std::string>&) {
  not_simulated();
}
template <class Interface>
std::optional<domain::ApiKeyRecord> SimulatedReads<Interface>::valid_api_key(const std::string&,
                                                                             Timestamp) {
  not_simulated();
}
template <class Interface>
std::optional<std::vector<ApiKey>> SimulatedReads<Interface>::api_keys(const std::string&) {
  not_simulated();
}
template <class Interface>
Page<AuditEntry> SimulatedReads<Interface>::audit(const ListAuditRequest&) {
  not_simulated();
}
template <class Interface>
std::vector<store::JournalHead> SimulatedReads<Interface>::journal_heads() {
  not_simulated();
}

template <class Interface>
void SimulatedReads<Interface>::each_account(
    const std::function<void(const domain::AccountRows&)>&) {
  not_simulated();
}

std::optional<domain::ApiKeyRecord> SimulatedUnit::api_key(const std::string&, std::int64_t) {
  not_simulated();
}
std::int64_t SimulatedUnit::next_api_key(const std::string&) { not_simulated(); }
void SimulatedUnit::insert_api_key(const domain::ApiKeyRecord&) { not_simulated(); }
void SimulatedUnit::update_api_key(const domain::ApiKeyRecord&) { not_simulated(); }
void SimulatedUnit::touch_api_key(const std::string&, Timestamp, Timestamp) { not_simulated(); }

template class SimulatedReads<store::Reads>;
template class SimulatedReads<store::Unit>;

}  // namespace accounting::testing
