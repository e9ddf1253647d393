#include "history.hpp"

#include <chrono>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace accounting::testing {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr Timestamp kBegin =
    std::chrono::sys_days{std::chrono::year{2026} / std::chrono::January / 1};

const std::vector<std::string> kUsers = {"ada", "bob", "zoë"};

template <class Call>
void refused(Call&& call) {
  try {
    call();
  } catch (const AccountingError&) {
    return;
  }
  throw std::logic_error("a call of the history that is to be refused was not");
}

// --- the calls that are repeated -----------------------------------------------------------------

CreditAllocation top_up(const Accounting& books) {
  return books.credits().allocate({.user_id = "ada",
                                   .credits = 500,
                                   .allocated_by = "shop",
                                   .never_expires = true,
                                   .notes = "it's a \"note\" {with} \\ everything — ok",
                                   .idempotency_key = "order-1"});
}

Charge image(const Accounting& books) {
  return books.credits().charge({.user_id = "ada",
                                 .service = "images",
                                 .operation = "one",
                                 .credits = 120,
                                 .metadata = R"({"size":"1024","n":[1,2],"é":null})",
                                 .idempotency_key = "image-1"});
}

Deduction fee(const Accounting& books) {
  return books.credits().deduct({.user_id = "ada", .credits = 30, .idempotency_key = "fee-1"});
}

UsageRecord note(const Accounting& books) {
  return books.usage().record({.user_id = "bob",
                               .service = "search",
                               .operation = "web",
                               .credits = 7,
                               .idempotency_key = "note-1"});
}

StreamingSession more(const Accounting& books) {
  return books.sessions().extend({.session_id = "long",
                                  .user_id = "ada",
                                  .additional_tokens = 40,
                                  .idempotency_key = "more-1"});
}

Settlement completed(const Accounting& books) {
  return books.sessions().finalize(
      {.session_id = "done", .user_id = "ada", .actual_tokens = TokenCounts{10, 20, 5}});
}

Settlement failed(const Accounting& books) {
  return books.sessions().finalize(
      {.session_id = "failed", .user_id = "ada", .actual_tokens = 15, .success = false});
}

Settlement aborted(const Accounting& books) {
  return books.sessions().abort({.session_id = "stopped", .user_id = "bob", .tokens_generated = 9});
}

/// More than is there: a part of it stays uncollected.
Settlement overdrawn(const Accounting& books) {
  return books.sessions().finalize({.session_id = "over", .user_id = "zoë", .actual_tokens = 400});
}

Settlement moved(const Accounting& books) {
  return books.sessions().finalize({.session_id = "moved", .user_id = "zoë", .actual_tokens = 30});
}

CreditAllocation revoked(const Accounting& books) {
  return books.credits().revoke({.allocation_id = 2, .user_id = "ada", .revoked_by = "admin"});
}

PricingRule dearer(const Accounting& books) {
  return books.pricing().set({.model_id = "big",
                              .price_per_1k_tokens = "2000.5",
                              .created_by = "admin",
                              .effective_from = kBegin + days(2),
                              .input = "1000.0000000001",
                              .output = "3000"});
}

// --- as text -------------------------------------------------------------------------------------

std::string at(const std::optional<Timestamp>& instant) {
  return instant ? std::to_string((*instant - kBegin).count()) : "-";
}

std::string text_of(const CreditAllocation& item) {
  std::ostringstream text;
  text << "allocation " << item.id << " of " << item.user_id << ": " << item.total_credits << " = "
       << item.remaining_credits << " + " << item.held_credits << " + " << item.consumed_credits
       << " + " << item.revoked_credits << " + " << item.moved_credits << " by "
       << item.allocated_by << " at " << at(item.allocated_at) << " from " << at(item.effective_at)
       << " to " << at(item.expires_at) << " revoked " << at(item.revoked_at) << " "
       << item.revoked_by.value_or("-") << " '" << item.notes << "'\n";
  return text.str();
}

std::string text_of(const UsageRecord& record) {
  std::ostringstream text;
  text << "usage " << record.id << " of " << record.user_id << " at " << at(record.timestamp)
       << ": " << record.service << "/" << record.operation << " " << record.credits
       << " collected " << record.collected_credits << " " << record.metadata.value_or("-") << "\n";
  return text.str();
}

std::string text_of(const StreamingSession& session) {
  std::ostringstream text;
  text << "session " << session.session_id << " of " << session.user_id << " " << session.model_id
       << " " << to_string(session.status) << ": estimated " << session.estimated_credits
       << " allocated " << session.allocated_credits << " used " << session.used_credits
       << " started " << at(session.started_at) << " last " << at(session.last_activity_at)
       << " expires " << at(session.expires_at) << " completed " << at(session.completed_at)
       << "\n";
  return text.str();
}

std::string text_of(const Settlement& settlement) {
  std::ostringstream text;
  text << "settlement of " << settlement.session_id << ": " << to_string(settlement.status)
       << " estimated " << settlement.estimated_credits << " allocated "
       << settlement.allocated_credits << " actual " << settlement.actual_credits << " refund "
       << settlement.refund << " overage " << settlement.overage << " uncollected "
       << settlement.uncollected << "\n";
  return text.str();
}

std::string text_of(const Deduction& deduction) {
  std::string text = "deduction of " + std::to_string(deduction.credits) + ":";
  for (const Slice& slice : deduction.slices) {
    text += " " + std::to_string(slice.credits) + " of " + std::to_string(slice.allocation_id);
  }
  return text + "\n";
}

std::string text_of(const PricingRule& rule) {
  std::ostringstream text;
  const auto price = [](const std::optional<Price>& given) {
    return given ? given->to_string() : "-";
  };
  text << "price " << rule.model_id << " " << rule.id << ": "
       << rule.price_per_1k_tokens.to_string() << " " << price(rule.input) << " "
       << price(rule.output) << " " << price(rule.cached_input) << " from "
       << at(rule.effective_from) << " to " << at(rule.effective_to) << "\n";
  return text.str();
}

std::string text_of(const CreditEntry& entry) {
  std::ostringstream text;
  text << "entry " << entry.sequence << " of " << entry.user_id << ": " << to_string(entry.kind)
       << " " << entry.credits << " held " << entry.held_credits << " of " << entry.allocation_id
       << " session " << entry.session_id.value_or("-") << " usage "
       << (entry.usage_id ? std::to_string(*entry.usage_id) : "-") << " by " << entry.actor
       << " at " << at(entry.created_at) << "\n";
  return text.str();
}

std::string text_of(const std::string& what, const CreditsByName& credits) {
  std::string text = what;
  for (const auto& [name, amount] : credits) {
    text += " " + name + "=" + std::to_string(amount);
  }
  return text + "\n";
}

std::string describe_account(const Accounting& books, const std::string& user_id) {
  const UserAccount account = books.accounts().get({.user_id = user_id});
  std::string text = "account " + account.user_id + " " + account.email + " " + account.username +
                     " " + std::string(to_string(account.role)) + " created " +
                     at(account.created_at) + " updated " + at(account.updated_at) + "\n";
  const Balance balance = books.credits().balance(user_id);
  text += "balance " + std::to_string(balance.total_credits) + " held " +
          std::to_string(balance.held_credits) + "\n";
  for (const auto& item : books.credits().history({.user_id = user_id, .limit = 1'000}).items) {
    text += text_of(item);
  }
  for (const auto& entry : books.credits().entries({.user_id = user_id, .limit = 1'000})) {
    text += text_of(entry);
  }
  for (const auto& session : books.sessions().active(user_id)) {
    text += text_of(session);
  }
  for (const auto& record : books.usage().list({.user_id = user_id, .limit = 1'000})) {
    text += text_of(record);
  }
  const UserStats stats = books.usage().user_stats({.user_id = user_id});
  return text + text_of("by service", stats.by_service) + text_of("by day", stats.by_day) +
         text_of("by model", stats.by_model);
}

// --- the history ---------------------------------------------------------------------------------

void set_up(const Accounting& books) {
  for (const std::string& user_id : kUsers) {
    books.accounts().sync({.user_id = user_id,
                           .email = user_id + "@example.org",
                           .username = "User " + user_id,
                           .role = user_id == "bob" ? Role::supervisor : Role::user});
  }
  for (const char* model : {"big", "small"}) {
    books.pricing().set({.model_id = model, .price_per_1k_tokens = "1000", .created_by = "admin"});
  }
  dearer(books);
}

void begin(const Accounting& books, const std::string& session_id, const std::string& user_id,
           const Tokens& tokens) {
  books.sessions().initialize({.session_id = session_id,
                               .user_id = user_id,
                               .model_id = "big",
                               .estimated_tokens = tokens});
}

void play_ada(const Accounting& books, ManualClock& clock) {
  books.credits().allocate(
      {.user_id = "ada", .credits = 50, .allocated_by = "admin", .expiry_days = 1});
  books.credits().allocate(
      {.user_id = "ada", .credits = 290, .allocated_by = "admin", .expiry_days = 20});
  top_up(books);
  books.credits().allocate({.user_id = "ada",
                            .credits = 77,
                            .allocated_by = "admin",
                            .expiry_days = 90,
                            .effective_at = kBegin + days(30)});
  clock.advance(hours(3));
  fee(books);
  image(books);
  begin(books, "done", "ada", TokenCounts{20, 20, 20});
  begin(books, "failed", "ada", 30);
  begin(books, "long", "ada", 10);
  clock.advance(minutes(1));
  more(books);
  books.sessions().report({.session_id = "long", .user_id = "ada", .tokens_so_far = 12});
  completed(books);
  failed(books);
  revoked(books);
  refused([&] { books.credits().deduct({.user_id = "ada", .credits = 1'000'000}); });
}

void play_others(const Accounting& books, ManualClock& clock) {
  books.credits().allocate(
      {.user_id = "bob", .credits = 200, .allocated_by = "admin", .expiry_days = 5});
  books.credits().allocate(
      {.user_id = "zoë", .credits = 150, .allocated_by = "admin", .expiry_days = 400});
  note(books);
  begin(books, "stopped", "bob", 40);
  begin(books, "stale", "bob", 25);
  books.sessions().report({.session_id = "stale", .user_id = "bob", .tokens_so_far = 6});
  aborted(books);
  begin(books, "over", "zoë", 50);
  overdrawn(books);
  clock.advance(hours(2));
  books.sessions().expire_stale();
  clock.advance(days(3));  // past the first allocation's end and into the dearer price
  books.credits().allocate(
      {.user_id = "zoë", .credits = 600, .allocated_by = "admin", .expiry_days = 400});
  begin(books, "open", "zoë", 60);
  begin(books, "open", "bob", 10);
  books.credits().charge(
      {.user_id = "zoë", .service = "chat", .operation = "small", .credits = 11});
}

}  // namespace

void play_history(const Options& options, ManualClock& clock) {
  clock.set(kBegin);
  Options migrating = options;
  migrating.migrate = true;
  const Accounting books = Accounting::open(migrating);
  set_up(books);
  play_ada(books, clock);
  play_others(books, clock);
  // Sessions of the original's policy: one whose refund moves, one that goes on.
  Options original = options;
  original.policy = Policy::original();
  const Accounting moving = Accounting::open(original);
  begin(moving, "moved", "zoë", 40);
  begin(moving, "moving", "zoë", 20);
  moved(moving);
  clock.set(history_end());
}

Timestamp history_end() { return kBegin + days(4); }

std::string describe_history(const Accounting& books) {
  std::string text;
  for (const std::string& user_id : kUsers) {
    text += describe_account(books, user_id);
  }
  for (const auto& rule : books.pricing().list()) {
    text += text_of(rule);
  }
  const SystemStats stats = books.usage().system_stats();
  return text + text_of("all by user", stats.by_user) + text_of("all by day", stats.by_day) +
         text_of("all by model", stats.by_model);
}

std::string replay_history(const Accounting& books) {
  const Charge charge = image(books);
  return text_of(top_up(books)) + text_of(charge.usage_record) + text_of(charge.deduction) +
         text_of(fee(books)) + text_of(note(books)) + text_of(more(books)) +
         text_of(completed(books)) + text_of(failed(books)) + text_of(aborted(books)) +
         text_of(overdrawn(books)) + text_of(moved(books)) + text_of(revoked(books)) +
         text_of(dearer(books));
}

}  // namespace accounting::testing
