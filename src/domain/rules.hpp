// The rules of each command over one account: check everything first, then change it.
#pragma once

#include "domain/account_book.hpp"
#include "domain/command.hpp"
#include "domain/state.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace accounting::domain {

/// What a rule comes to; made in place, since answers are large.
template <class A>
Result answer(A&& answered) {
  return Result(std::in_place_type<Answer>, std::forward<A>(answered));
}

Refusal refuse_argument(std::string argument, std::string expected);
Refusal refuse_short(std::int64_t required, std::int64_t available);

/// How long an allocation lasts; none: it never expires.
struct Lifetime {
  Timestamp effective_at;
  std::optional<Timestamp> expires_at;
};
/// The lifetime that a request asks for, or why it cannot be had.
std::variant<Lifetime, Refusal> lifetime_of(const Allocate& request, Timestamp now,
                                            const Policy& policy);

/// An instant `days` later, at most the last that can be stored.
Timestamp days_after(Timestamp instant, std::int64_t days);

// credit_rules.cpp
Result allocate(AccountBook& book, const Allocate& request, const Reason& reason,
                const Policy& policy);
Result deduct(AccountBook& book, const Deduct& request, const Reason& reason);
Result charge(AccountBook& book, const ChargeUsage& request, const Reason& reason);
Result record(AccountBook& book, const RecordUsage& request);
Result revoke(AccountBook& book, const Revoke& request, const Reason& reason);

// session_rules.cpp
Result initialize(AccountBook& book, const Initialize& request, const Reason& reason,
                  const std::optional<TokenPrices>& prices, const Policy& policy);
Result report(AccountBook& book, const Report& request);
Result extend(AccountBook& book, const Extend& request, const Reason& reason);
Result finalize(AccountBook& book, const Finalize& request, const Reason& reason);
Result abort(AccountBook& book, const Abort& request, const Reason& reason);
Result expire(AccountBook& book, const Expire& request, const Reason& reason);

/// The settlement that an ended session came to.
Settlement settlement_of(const SessionRecord& record);

/// A hold split at `used`: what is consumed of each slice, first taken first, and what goes back
/// of each, last taken first.
struct Split {
  std::vector<Slice> consumed;
  std::vector<Slice> back;
};
Split split_slices(const std::vector<Slice>& slices, std::int64_t used);

/// What a session holds for an estimate: the estimate and `buffer` basis points more, rounded up;
/// none where that is above 10^15.
std::optional<std::int64_t> with_buffer(std::int64_t estimated_credits, std::int64_t buffer);

}  // namespace accounting::domain
