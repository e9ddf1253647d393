#include "property/requests.hpp"

#include "property/sequence.hpp"

#include <utility>

namespace accounting::testing {
namespace {

std::optional<std::string> key_of(const domain::Command& command) {
  return command.key ? std::optional(command.key->key) : std::nullopt;
}

AllocateRequest request_of(const domain::Command& command, const domain::Allocate& action) {
  return {.user_id = command.user_id,
          .credits = action.credits,
          .allocated_by = action.allocated_by,
          .expiry_days = action.expiry_days,
          .expires_at = action.expires_at,
          .never_expires = action.never_expires,
          .effective_at = action.effective_at,
          .notes = action.notes,
          .idempotency_key = key_of(command)};
}

template <class Request>
Request usage_request(const domain::Command& command, const domain::UsageDetails& usage) {
  return {.user_id = command.user_id,
          .service = usage.service,
          .operation = usage.operation,
          .credits = usage.credits,
          .metadata = usage.metadata,
          .idempotency_key = key_of(command)};
}

struct Performer {
  const SharedContext& context;
  const domain::Command& command;

  domain::Answer operator()(const domain::Allocate& action) const {
    return Credits(context).allocate(request_of(command, action));
  }
  domain::Answer operator()(const domain::Deduct& action) const {
    return Credits(context).deduct({.user_id = command.user_id,
                                    .credits = action.credits,
                                    .idempotency_key = key_of(command)});
  }
  domain::Answer operator()(const domain::ChargeUsage& action) const {
    return Credits(context).charge(usage_request<ChargeRequest>(command, action.usage));
  }
  domain::Answer operator()(const domain::RecordUsage& action) const {
    return Usage(context).record(usage_request<RecordRequest>(command, action.usage));
  }
  domain::Answer operator()(const domain::Revoke& action) const {
    return Credits(context).revoke({.allocation_id = action.allocation_id,
                                    .user_id = command.user_id,
                                    .revoked_by = action.revoked_by});
  }
  domain::Answer operator()(const domain::Initialize& action) const {
    return Sessions(context).initialize({.session_id = action.session_id,
                                         .user_id = command.user_id,
                                         .model_id = action.model_id,
                                         .estimated_tokens = action.estimated_tokens});
  }
  domain::Answer operator()(const domain::Report& action) const {
    return Sessions(context).report({.session_id = action.session_id,
                                     .user_id = command.user_id,
                                     .tokens_so_far = action.tokens_so_far});
  }
  domain::Answer operator()(const domain::Extend& action) const {
    return Sessions(context).extend({.session_id = action.session_id,
                                     .user_id = command.user_id,
                                     .additional_tokens = action.additional_tokens,
                                     .idempotency_key = key_of(command)});
  }
  domain::Answer operator()(const domain::Finalize& action) const {
    return Sessions(context).finalize({.session_id = action.session_id,
                                       .user_id = command.user_id,
                                       .actual_tokens = action.actual_tokens,
                                       .success = action.success});
  }
  domain::Answer operator()(const domain::Abort& action) const {
    return Sessions(context).abort({.session_id = action.session_id,
                                    .user_id = command.user_id,
                                    .tokens_generated = action.tokens_generated});
  }
  domain::Answer operator()(const domain::Expire&) const {
    throw std::logic_error("sessions expire by a sweep only");
  }
};

}  // namespace

domain::Answer perform(const SharedContext& context, const domain::Command& command) {
  return std::visit(Performer{context, command}, command.action);
}

std::vector<domain::Answer> perform_together(const SharedContext& context,
                                             const std::vector<domain::Command>& commands) {
  if (std::holds_alternative<domain::Allocate>(commands.front().action)) {
    std::vector<AllocateRequest> requests;
    for (const domain::Command& command : commands) {
      requests.push_back(request_of(command, std::get<domain::Allocate>(command.action)));
    }
    const auto allocations = Credits(context).allocate_many(requests);
    return {allocations.begin(), allocations.end()};
  }
  std::vector<RecordRequest> requests;
  for (const domain::Command& command : commands) {
    requests.push_back(
        usage_request<RecordRequest>(command, std::get<domain::RecordUsage>(command.action).usage));
  }
  const std::int64_t count = Usage(context).record_many(requests);
  return std::vector<domain::Answer>(static_cast<std::size_t>(count), UsageRecord{});
}

std::vector<Reply> charge_many(const SharedContext& context,
                               const std::vector<domain::Command>& commands) {
  std::vector<ChargeRequest> requests;
  for (const domain::Command& command : commands) {
    requests.push_back(
        usage_request<ChargeRequest>(command, std::get<domain::ChargeUsage>(command.action).usage));
  }
  std::vector<Reply> replies;
  for (const Outcome<Charge>& outcome : Credits(context).charge_many(requests)) {
    replies.push_back(reply_of([&] { return domain::Answer(outcome.value()); }));
  }
  return replies;
}

Reply reply_of(const AccountingError& error) {
  if (dynamic_cast<const StoreError*>(&error) != nullptr) {
    return Trouble{.code = error.code(), .retryable = error.retryable()};
  }
  domain::Refusal refusal{.code = error.code(), .message = {}, .argument = {}};
  if (const auto* invalid = dynamic_cast<const InvalidArgument*>(&error)) {
    refusal.argument = invalid->argument();
  }
  if (const auto* insufficient = dynamic_cast<const InsufficientCredits*>(&error)) {
    refusal.required = insufficient->required();
    refusal.available = insufficient->available();
  }
  return domain::Result(std::move(refusal));
}

Reply reply_of(const std::function<domain::Answer()>& call) {
  try {
    return domain::Result(call());
  } catch (const AccountingError& error) {
    return reply_of(error);
  }
}

std::string said(const Trouble& trouble) {
  return std::string(to_string(trouble.code)) + (trouble.retryable ? ", retryable" : "");
}

std::string said(const Reply& reply) {
  if (const auto* trouble = std::get_if<Trouble>(&reply)) {
    return said(*trouble);
  }
  return text_of(std::get<domain::Result>(reply));
}

}  // namespace accounting::testing
