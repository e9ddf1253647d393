#include "call.hpp"

#include <array>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace accounting::testing {
namespace {

constexpr std::array kNames = {"charge", "allocate", "revoke",   "transfer", "initialize",
                               "report", "extend",   "finalize", "abort",    "expire"};

std::string at(Timestamp instant) { return std::to_string(instant.time_since_epoch().count()); }

std::string text_of(const Deduction& deduction) {
  std::string text = "took";
  for (const Slice& slice : deduction.slices) {
    text += " " + std::to_string(slice.allocation_id) + ":" + std::to_string(slice.credits);
  }
  return text;
}

std::string text_of(const CreditAllocation& allocation) {
  return "allocation " + std::to_string(allocation.id) + " of " +
         std::to_string(allocation.total_credits) + " at " + at(allocation.allocated_at);
}

std::string text_of(const Settlement& settlement) {
  return std::string(to_string(settlement.status)) + " used " +
         std::to_string(settlement.actual_credits) + " refund " +
         std::to_string(settlement.refund) + " overage " + std::to_string(settlement.overage) +
         " uncollected " + std::to_string(settlement.uncollected);
}

ChargeRequest charge_for(const WorkerCall& call) {
  return {.user_id = call.user,
          .service = kService,
          .operation = call.id,
          .credits = call.amount,
          .idempotency_key = call.id};
}

std::string text_of(const Charge& charge) {
  return "usage " + std::to_string(charge.usage_record.id) + " at " +
         at(charge.usage_record.timestamp) + " " + text_of(charge.deduction);
}

AllocateRequest allocation_for(const WorkerCall& call, const std::string& user) {
  return {.user_id = user,
          .credits = call.amount,
          .allocated_by = kService,
          .expiry_days = 1 + call.amount % 30,
          .notes = call.id,
          .idempotency_key = call.id};
}

std::string revoke(Accounting& books, const WorkerCall& call) {
  const CreditAllocation allocation = books.credits().revoke(
      {.allocation_id = std::stoll(call.subject), .user_id = call.user, .revoked_by = kService});
  return "revoked " + std::to_string(allocation.id) + " at " + at(*allocation.revoked_at);
}

std::string transfer(Accounting& books, const WorkerCall& call) {
  return books.transact(
      [&call](Transaction& transaction) {
        const Deduction taken = transaction.credits().deduct(
            {.user_id = call.user, .credits = call.amount, .idempotency_key = call.id});
        const CreditAllocation given =
            transaction.credits().allocate(allocation_for(call, call.subject));
        return text_of(given) + " " + text_of(taken);
      },
      {call.user, call.subject});
}

std::string initialize(Accounting& books, const WorkerCall& call) {
  const StreamingSession session = books.sessions().initialize({.session_id = call.id,
                                                                .user_id = call.user,
                                                                .model_id = kModel,
                                                                .estimated_tokens = call.amount});
  return "began " + at(session.started_at);
}

std::string extend(Accounting& books, const WorkerCall& call) {
  const StreamingSession session = books.sessions().extend({.session_id = call.subject,
                                                            .user_id = call.user,
                                                            .additional_tokens = call.amount,
                                                            .idempotency_key = call.id});
  return "estimated " + std::to_string(session.estimated_tokens.number()) + " holds " +
         std::to_string(session.allocated_credits);
}

std::string expire(Accounting& books) {
  std::string text = "expired";
  for (const Settlement& settlement : books.sessions().expire_stale()) {
    text += " " + settlement.session_id + ":" + std::to_string(settlement.actual_credits);
  }
  return text;
}

}  // namespace

std::string to_string(const WorkerCall& call) {
  return std::string(kNames.at(static_cast<std::size_t>(call.kind))) + " " + call.user + " " +
         call.subject + " " + std::to_string(call.amount);
}

WorkerCall read_call(std::istream& in) {
  std::string name;
  WorkerCall call;
  if (in >> call.id >> name >> call.user >> call.subject >> call.amount) {
    for (std::size_t kind = 0; kind < kNames.size(); ++kind) {
      if (name == kNames[kind]) {
        call.kind = static_cast<CallKind>(kind);
        return call;
      }
    }
  }
  throw std::runtime_error("not a call: " + call.id + " " + name);
}

std::string perform(Accounting& books, const WorkerCall& call) {
  switch (call.kind) {
    case CallKind::charge:
      return text_of(books.credits().charge(charge_for(call)));
    case CallKind::allocate:
      return text_of(books.credits().allocate(allocation_for(call, call.user)));
    case CallKind::revoke:
      return revoke(books, call);
    case CallKind::transfer:
      return transfer(books, call);
    case CallKind::initialize:
      return initialize(books, call);
    case CallKind::report:
      books.sessions().report({call.subject, call.user, call.amount});
      return "reported";
    case CallKind::extend:
      return extend(books, call);
    case CallKind::finalize:
      return text_of(books.sessions().finalize({call.subject, call.user, call.amount}));
    case CallKind::abort:
      return text_of(books.sessions().abort({call.subject, call.user, call.amount}));
    case CallKind::expire:
      return expire(books);
  }
  throw std::logic_error("a call of no kind");
}

std::vector<std::string> perform_together(Accounting& books,
                                          const std::vector<WorkerCall>& charges) {
  std::vector<ChargeRequest> requests;
  for (const WorkerCall& call : charges) {
    requests.push_back(charge_for(call));
  }
  std::vector<std::string> answers;
  for (const Outcome<Charge>& outcome : books.credits().charge_many(requests)) {
    answers.push_back(text_of(outcome.value()));
  }
  return answers;
}

bool answers_again(CallKind kind) {
  // After its end a session takes no report; of stale sessions each is answered once.
  return kind != CallKind::report && kind != CallKind::expire;
}

bool goes_on_with_session(CallKind kind) {
  return kind == CallKind::report || kind == CallKind::extend || kind == CallKind::finalize ||
         kind == CallKind::abort;
}

std::string account_name(std::int64_t number) { return "u" + std::to_string(number); }

}  // namespace accounting::testing
