#include "property/requests.hpp"

#include "property/sequence.hpp"

#include "services/requests.hpp"
#include "services/writer.hpp"

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

/// Hands `use` the request that the command stands for.
template <class Use>
struct WithRequest {
  const domain::Command& command;
  const Use& use;

  auto operator()(const domain::Allocate& action) const { return use(request_of(command, action)); }
  auto operator()(const domain::Deduct& action) const {
    return use(DeductRequest{
        .user_id = command.user_id, .credits = action.credits, .idempotency_key = key_of(command)});
  }
  auto operator()(const domain::ChargeUsage& action) const {
    return use(usage_request<ChargeRequest>(command, action.usage));
  }
  auto operator()(const domain::RecordUsage& action) const {
    return use(usage_request<RecordRequest>(command, action.usage));
  }
  auto operator()(const domain::Revoke& action) const {
    return use(RevokeRequest{.allocation_id = action.allocation_id,
                             .user_id = command.user_id,
                             .revoked_by = action.revoked_by});
  }
  auto operator()(const domain::Initialize& action) const {
    return use(InitializeRequest{.session_id = action.session_id,
                                 .user_id = command.user_id,
                                 .model_id = action.model_id,
                                 .estimated_tokens = action.estimated_tokens});
  }
  auto operator()(const domain::Report& action) const {
    return use(ReportRequest{.session_id = action.session_id,
                             .user_id = command.user_id,
                             .tokens_so_far = action.tokens_so_far});
  }
  auto operator()(const domain::Extend& action) const {
    return use(ExtendRequest{.session_id = action.session_id,
                             .user_id = command.user_id,
                             .additional_tokens = action.additional_tokens,
                             .idempotency_key = key_of(command)});
  }
  auto operator()(const domain::Finalize& action) const {
    return use(FinalizeRequest{.session_id = action.session_id,
                               .user_id = command.user_id,
                               .actual_tokens = action.actual_tokens,
                               .success = action.success});
  }
  auto operator()(const domain::Abort& action) const {
    return use(AbortRequest{.session_id = action.session_id,
                            .user_id = command.user_id,
                            .tokens_generated = action.tokens_generated});
  }
  auto operator()(const domain::Expire&) const -> decltype(use(DeductRequest{})) {
    throw std::logic_error("sessions expire by a sweep only");
  }
};

/// The public door for each kind of request.
struct Doors {
  const SharedContext& context;

  domain::Answer operator()(const AllocateRequest& request) const {
    return Credits(context).allocate(request);
  }
  domain::Answer operator()(const DeductRequest& request) const {
    return Credits(context).deduct(request);
  }
  domain::Answer operator()(const ChargeRequest& request) const {
    return Credits(context).charge(request);
  }
  domain::Answer operator()(const RecordRequest& request) const {
    return Usage(context).record(request);
  }
  domain::Answer operator()(const RevokeRequest& request) const {
    return Credits(context).revoke(request);
  }
  domain::Answer operator()(const InitializeRequest& request) const {
    return Sessions(context).initialize(request);
  }
  domain::Answer operator()(const ReportRequest& request) const {
    return Sessions(context).report(request);
  }
  domain::Answer operator()(const ExtendRequest& request) const {
    return Sessions(context).extend(request);
  }
  domain::Answer operator()(const FinalizeRequest& request) const {
    return Sessions(context).finalize(request);
  }
  domain::Answer operator()(const AbortRequest& request) const {
    return Sessions(context).abort(request);
  }
};

template <class Use>
auto with_request(const domain::Command& command, const Use& use) {
  return std::visit(WithRequest<Use>{command, use}, command.action);
}

}  // namespace

domain::Answer perform(const SharedContext& context, const domain::Command& command) {
  return with_request(command, Doors{context});
}

std::vector<Reply> perform_at_once(const SharedContext& context,
                                   const std::vector<domain::Command>& commands) {
  std::vector<domain::Command> as_services_make_them;
  for (const domain::Command& command : commands) {
    as_services_make_them.push_back(with_request(
        command, [&](const auto& request) { return services::command_of(*context, request); }));
  }
  std::vector<Reply> replies;
  try {
    for (auto& outcome : services::execute_each(*context, as_services_make_them)) {
      replies.push_back(reply_of([&] {
        if (const auto* failure = std::get_if<std::exception_ptr>(&outcome)) {
          std::rethrow_exception(*failure);
        }
        auto& result = std::get<domain::Result>(outcome);
        if (const auto* refusal = std::get_if<domain::Refusal>(&result)) {
          domain::throw_refusal(*refusal);
        }
        return std::get<domain::Answer>(std::move(result));
      }));
    }
  } catch (const AccountingError& error) {
    replies.assign(commands.size(), reply_of(error));
  }
  return replies;
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
