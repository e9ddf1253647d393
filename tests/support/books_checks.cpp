// What tests check of books after every test, and how they name errors.
#include "support/books.hpp"

#include <array>
#include <cstdio>
#include <map>
#include <stdexcept>

namespace accounting::testing {
namespace {

void check_account(Accounting& accounting, const std::string& user_id) {
  CAPTURE(user_id);
  struct Sums {
    std::int64_t credits = 0;
    std::int64_t held = 0;
  };
  std::map<std::int64_t, Sums> journal;
  std::int64_t sequence = 0;
  for (;;) {
    const auto entries =
        accounting.credits().entries({.user_id = user_id, .after = sequence, .limit = 1'000});
    for (const auto& entry : entries) {
      REQUIRE(entry.sequence == ++sequence);
      journal[entry.allocation_id].credits += entry.credits;
      journal[entry.allocation_id].held += entry.held_credits;
    }
    if (entries.empty()) {
      break;
    }
  }
  std::int64_t held = 0;
  for (std::int64_t page = 1, pages = 1; page <= pages; ++page) {
    const auto history =
        accounting.credits().history({.user_id = user_id, .page = page, .limit = 1'000});
    pages = history.total_pages;
    for (const auto& item : history.items) {
      CAPTURE(item.id);
      CHECK(journal[item.id].credits == item.remaining_credits);
      CHECK(journal[item.id].held == item.held_credits);
      CHECK(item.total_credits == item.remaining_credits + item.held_credits +
                                      item.consumed_credits + item.revoked_credits +
                                      item.moved_credits);
      held += item.held_credits;
    }
  }
  const Balance balance = accounting.credits().balance(user_id);
  std::int64_t total = 0;
  for (const auto& item : balance.active_allocations) {
    CHECK(item.remaining_credits > 0);
    total += item.remaining_credits;
  }
  CHECK(balance.total_credits == total);
  CHECK(balance.held_credits == held);
}

}  // namespace

void check_books_balance(Accounting& accounting) {
  const VerifyReport report = accounting.verify();
  for (const auto& problem : report.problems) {
    FAIL_CHECK(problem.invariant << " of " << problem.user_id << ": " << problem.detail);
  }
  CHECK(report.ok);
  for (std::int64_t page = 1, pages = 1; page <= pages; ++page) {
    const auto accounts = accounting.accounts().list({.page = page, .limit = 1'000});
    pages = accounts.total_pages;
    for (const auto& account : accounts.items) {
      check_account(accounting, account.user_id);
    }
  }
}

std::string describe(const AccountingError& error) {
  const auto* argument = dynamic_cast<const InvalidArgument*>(&error);
  const auto* shortfall = dynamic_cast<const InsufficientCredits*>(&error);
  const bool typed = [&] {
    switch (error.code()) {
      case ErrorCode::invalid_argument:
        return argument != nullptr;
      case ErrorCode::not_found:
        return dynamic_cast<const NotFound*>(&error) != nullptr;
      case ErrorCode::conflict:
        return dynamic_cast<const Conflict*>(&error) != nullptr;
      case ErrorCode::insufficient_credits:
        return shortfall != nullptr;
      case ErrorCode::price_not_found:
        return dynamic_cast<const PriceNotFound*>(&error) != nullptr;
      case ErrorCode::session_closed:
        return dynamic_cast<const SessionClosed*>(&error) != nullptr;
      case ErrorCode::unauthenticated:
        return dynamic_cast<const Unauthenticated*>(&error) != nullptr;
      case ErrorCode::forbidden:
        return dynamic_cast<const Forbidden*>(&error) != nullptr;
      case ErrorCode::invalid_api_key:
        return dynamic_cast<const InvalidApiKey*>(&error) != nullptr;
      case ErrorCode::migration_error:
        return dynamic_cast<const MigrationError*>(&error) != nullptr;
      case ErrorCode::connection_lost:
        return dynamic_cast<const ConnectionLost*>(&error) != nullptr;
      case ErrorCode::outcome_unknown:
        return dynamic_cast<const OutcomeUnknown*>(&error) != nullptr;
      case ErrorCode::store_error:
        return dynamic_cast<const StoreError*>(&error) != nullptr;
      default:
        return false;
    }
  }();
  std::string text(to_string(error.code()));
  if (!typed) {
    throw std::logic_error("the type of this error is not that of its code: " + text);
  }
  if (argument != nullptr) {
    text += "(" + argument->argument() + ")";
  }
  if (shortfall != nullptr) {
    text += "(required " + std::to_string(shortfall->required()) + ", available " +
            std::to_string(shortfall->available()) + ")";
  }
  return text;
}

}  // namespace accounting::testing

doctest::String doctest::StringMaker<accounting::Timestamp>::convert(
    const accounting::Timestamp& instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(instant - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text.data();
}

namespace accounting {
namespace {

doctest::String at(const std::optional<Timestamp>& instant) { return doctest::toString(instant); }

}  // namespace

std::ostream& operator<<(std::ostream& out, const CreditAllocation& allocation) {
  return out << '#' << allocation.id << " of " << allocation.user_id << ": total "
             << allocation.total_credits << " = remaining " << allocation.remaining_credits
             << " + held " << allocation.held_credits << " + consumed "
             << allocation.consumed_credits << " + revoked " << allocation.revoked_credits
             << " + moved " << allocation.moved_credits << ", by " << allocation.allocated_by
             << " at " << at(allocation.allocated_at) << ", from " << at(allocation.effective_at)
             << " to " << at(allocation.expires_at) << ", revoked " << at(allocation.revoked_at)
             << ' ' << allocation.revoked_by.value_or("") << " '" << allocation.notes << "'";
}

std::ostream& operator<<(std::ostream& out, const UsageRecord& record) {
  return out << '#' << record.id << " of " << record.user_id << " at " << at(record.timestamp)
             << ": " << record.service << '/' << record.operation << ' ' << record.credits << " ("
             << record.collected_credits << " collected) " << record.metadata.value_or("none");
}

std::ostream& operator<<(std::ostream& out, const StreamingSession& session) {
  return out << session.user_id << '/' << session.session_id << ' ' << session.model_id << ' '
             << session.status << ": tokens " << session.estimated_tokens << ", reported "
             << doctest::toString(session.reported_tokens) << ", estimated "
             << session.estimated_credits << " allocated " << session.allocated_credits << " used "
             << session.used_credits << ", started " << at(session.started_at) << " last "
             << at(session.last_activity_at) << " expires " << at(session.expires_at)
             << " completed " << at(session.completed_at);
}

}  // namespace accounting
