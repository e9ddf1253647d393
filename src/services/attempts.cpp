#include "services/attempts.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>

namespace accounting::services {
namespace {

/// Doubles with each try and is scattered, so that those who met do not meet again.
std::chrono::microseconds pause_before(int attempt) {
  constexpr std::int64_t first = 1'000;
  constexpr std::int64_t longest = 250'000;
  thread_local std::minstd_rand random(std::random_device{}());
  const std::int64_t most = std::min(longest, first << std::min(attempt, 10));
  return std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(0, most)(random));
}

/// Instead of the exception's own text, which may quote what is stored.
constexpr const char* unreadable = "a stored value could not be read, or the library is at fault";

bool is_for_callers(const std::exception& error) {
  return dynamic_cast<const AccountingError*>(&error) != nullptr ||
         dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
}

}  // namespace

void give_up(store::FailureKind kind, const std::string& what, bool may_repeat) {
  switch (kind) {
    case store::FailureKind::try_again:
      throw StoreError(what + " and kept doing so; nothing was changed", true);
    case store::FailureKind::timed_out:
      throw StoreError(what + "; nothing was changed", true);
    case store::FailureKind::connection_lost:
    case store::FailureKind::turned_away:
      throw ConnectionLost(what + "; nothing was changed");
    case store::FailureKind::refused:
      throw StoreError(what + "; nothing was changed");
    case store::FailureKind::commit_unknown:
      break;
  }
  throw OutcomeUnknown(
      may_repeat ? "the database did not confirm the commit; the same call again answers what this "
                   "one did, or does it"
                 : "the database did not confirm the commit; the call may have taken effect",
      may_repeat);
}

void throw_unreadable(Books& books, const std::exception&) {
  books.log(LogLevel::error, unreadable);
  throw StoreError("a stored value could not be read; nothing was changed (run verify)");
}

std::chrono::microseconds Attempts::pause_after(const std::exception_ptr& failed) {
  try {
    std::rethrow_exception(failed);
  } catch (const store::StoreFailure& failure) {
    return pause_after(failure);
  } catch (const std::exception& error) {
    const bool is_known = is_for_callers(error);
    if (in_doubt_) {
      // Whatever ended a later try says nothing of the one that may have taken effect.
      books_->log(LogLevel::error, is_known ? error.what() : unreadable);
      give_up(store::FailureKind::commit_unknown, error.what(), true);
    }
    if (is_known) {
      throw;
    }
    throw_unreadable(*books_, error);
  }
}

std::chrono::microseconds Attempts::pause_after(const store::StoreFailure& failure) {
  const bool may_repeat = after_unknown_ == AfterUnknownCommit::try_again;
  if (failure.kind() == store::FailureKind::commit_unknown) {
    in_doubt_ = true;
  }
  const bool allowed =
      failure.kind() != store::FailureKind::turned_away && (!in_doubt_ || may_repeat);
  // A server that stays away is not waited for longer than for one connection.
  const auto now = books_->pacing().now();
  const bool stays_away = failure.kind() == store::FailureKind::connection_lost &&
                          now - began_ > books_->options().connect_timeout;
  const auto pause = pause_before(++made_);
  const bool too_late = now + pause >= deadline();
  if (!allowed || made_ >= books_->options().max_attempts || stays_away || too_late) {
    give_up(in_doubt_ ? store::FailureKind::commit_unknown : failure.kind(), failure.what(),
            may_repeat);
  }
  books_->log(LogLevel::warning, std::string(failure.what()) + "; trying again");
  return pause;
}

void Attempts::after(const std::exception_ptr& failed) {
  books_->pacing().wait(pause_after(failed));
}

}  // namespace accounting::services
