// Attempts: what is tried again after a failure of the database, how often, and what the caller is
// told when it did not help.
#pragma once

#include "domain/command.hpp"
#include "services/context.hpp"
#include "store/store.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <variant>

namespace accounting::services {

/// Whether the work may run again after a commit whose outcome is unknown.
enum class AfterUnknownCommit { give_up, try_again };

/// By when a call that begins now is to be answered. One of many requests has its time for each
/// thousand of them.
inline store::Deadline deadline_of_call(Books& books, std::size_t requests = 1) {
  const std::size_t further = std::max<std::size_t>(requests, 1) - 1;
  return books.pacing().now() +
         books.options().call_timeout * (1 + static_cast<std::int64_t>(further / 1'000));
}

/// Counts the tries of one call; decides after each failure whether there is another.
class Attempts {
 public:
  /// `latest`: the deadline of the call that these are a part of, if any.
  Attempts(Books& books, AfterUnknownCommit after_unknown, std::size_t requests = 1,
           store::Deadline latest = store::Deadline::max())
      : books_(&books),
        after_unknown_(after_unknown),
        began_(books.pacing().now()),
        deadline_(std::min(latest, deadline_of_call(books, requests))) {}

  /// How long to wait before another try where one makes sense, else throws what the caller is to
  /// be told: whatever failed, one of the library's errors.
  std::chrono::microseconds pause_after(const std::exception_ptr& failed);
  /// The same, and waits.
  void after(const std::exception_ptr& failed);
  /// By when the call is to be answered, however many tries it takes.
  [[nodiscard]] store::Deadline deadline() const { return deadline_; }
  void finish_by(store::Deadline deadline) { deadline_ = deadline; }

 private:
  std::chrono::microseconds pause_after(const store::StoreFailure& failure);

  Books* books_;
  AfterUnknownCommit after_unknown_;
  std::chrono::steady_clock::time_point began_;
  store::Deadline deadline_;
  int made_ = 0;
  bool in_doubt_ = false;  ///< an earlier try may have taken effect
};

/// Throws the error that stands for a failure when there is no other try; `what` happened.
[[noreturn]] void give_up(store::FailureKind kind, const std::string& what, bool may_repeat);
/// Throws the error for an exception that no room should have let out.
[[noreturn]] void throw_unreadable(Books& books, const std::exception& error);

/// Runs `work(deadline)` until it succeeds or trying again makes no sense, whatever schema there
/// is. Whatever the database does, the caller sees one of the library's errors.
template <class Work>
auto without_schema(Books& books, Work&& work,
                    AfterUnknownCommit after_unknown = AfterUnknownCommit::try_again,
                    std::size_t requests = 1, store::Deadline latest = store::Deadline::max()) {
  Attempts attempts(books, after_unknown, requests, latest);
  while (true) {
    try {
      return work(attempts.deadline());
    } catch (...) {
      attempts.after(std::current_exception());
    }
  }
}

/// The same over this version's schema only.
template <class Work>
auto with_attempts(Books& books, AfterUnknownCommit after_unknown, Work&& work,
                   std::size_t requests = 1, store::Deadline latest = store::Deadline::max()) {
  return without_schema(
      books,
      [&](store::Deadline deadline) {
        books.require_schema(deadline);
        return work(deadline);
      },
      after_unknown, requests, latest);
}

/// Runs `work(unit)` inside the context's transaction. A failure of the database is noted there,
/// for the one who began the transaction to act on.
template <class Work>
auto inside_transaction(const Context& context, Work&& work) {
  OpenTransaction& transaction = *context.transaction();
  try {
    const CallInside call(transaction);
    return work(call.unit());
  } catch (const store::StoreFailure& failure) {
    transaction.fail(failure.kind());
    if (failure.kind() == store::FailureKind::try_again) {
      throw StoreError(
          "the database asks for another try of the whole transaction; it can only be "
          "rolled back and begun anew",
          true);
    }
    give_up(failure.kind(), failure.what(), false);
  } catch (const StoreError&) {
    transaction.fail(store::FailureKind::refused);
    throw;
  } catch (const AccountingError&) {
    throw;
  } catch (const std::bad_alloc&) {
    transaction.fail(store::FailureKind::refused);  // some of the call may be done
    throw;
  } catch (const std::exception& error) {
    transaction.fail(store::FailureKind::refused);
    throw_unreadable(context.books(), error);
  }
}

/// Runs a query: in the context's transaction, or in a snapshot of its own.
template <class Query>
auto query(const Context& context, Query&& run, store::Deadline latest = store::Deadline::max()) {
  if (context.transaction() != nullptr) {
    return inside_transaction(context, [&](store::Unit& unit) {
      store::Reads& reads = unit;
      return run(reads);
    });
  }
  Books& books = context.books();
  books.refuse_inside_transaction();
  return with_attempts(
      books, AfterUnknownCommit::try_again,
      [&](store::Deadline deadline) {
        const std::unique_ptr<store::Reads> reads = books.store().read(deadline);
        return run(*reads);
      },
      1, latest);
}

template <class Answer>
using OrRefusal = std::variant<Answer, domain::Refusal>;

template <class Answer>
bool is_refused(const Answer&) {
  return false;
}
template <class Answer>
bool is_refused(const OrRefusal<Answer>& answer) {
  return std::holds_alternative<domain::Refusal>(answer);
}

/// Runs `work(unit, now)` in the context's transaction, or in one of its own that is committed
/// after it, but for an OrRefusal that is a refusal. `locked`: the name of what it locks, at which
/// this process takes turns.
template <class Work>
auto write(const Context& context, const std::string& locked, AfterUnknownCommit after_unknown,
           Work&& work) {
  if (context.transaction() != nullptr) {
    return inside_transaction(context,
                              [&](store::Unit& unit) { return work(unit, context.now()); });
  }
  Books& books = context.books();
  books.refuse_inside_transaction();
  return with_attempts(books, after_unknown, [&](store::Deadline deadline) {
    const Turns::Turn turn(books.turns(), {locked}, books.patience(deadline));
    const std::unique_ptr<store::Unit> unit = books.store().begin(deadline);
    auto answer = work(*unit, books.now());
    if (!is_refused(answer)) {
      unit->commit();
    }
    return answer;
  });
}

}  // namespace accounting::services
