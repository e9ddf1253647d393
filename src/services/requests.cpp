#include "services/requests.hpp"

#include "crypto/digest.hpp"
#include "domain/encoding.hpp"
#include "domain/validation.hpp"
#include "services/permits.hpp"

#include <nlohmann/json.hpp>

#include <limits>
#include <utility>

namespace accounting::services {
namespace {

using domain::Command;
using domain::Operation;
using Json = nlohmann::json;

Json as_given(const std::optional<Timestamp>& instant) {
  return instant ? Json(instant->time_since_epoch().count()) : Json();
}

template <class Value>
Json as_given(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

/// A key with the fingerprint of the arguments as given; none where no key was given.
std::optional<domain::IdempotencyKey> key_of(const std::optional<std::string>& key,
                                             const Json& arguments) {
  if (!key) {
    return std::nullopt;
  }
  return domain::IdempotencyKey{.key = *key, .fingerprint = crypto::sha256_hex(arguments.dump())};
}

template <class Request>
domain::UsageDetails usage_of(const Request& request) {
  domain::check_user_id(request.user_id);
  domain::check_service(request.service);
  domain::check_operation(request.operation);
  domain::check_credits(request.credits);
  domain::check_idempotency_key(request.idempotency_key);
  return {.service = request.service,
          .operation = request.operation,
          .credits = request.credits,
          .metadata = domain::canonical_metadata(request.metadata)};
}

Json arguments_of(const domain::UsageDetails& usage) {
  return {usage.service, usage.operation, usage.credits, as_given(usage.metadata)};
}

template <class Request>
void check_session(const Request& request) {
  domain::check_session_id(request.session_id);
  domain::check_user_id(request.user_id);
}

Command without_key(const Context& context, const std::string& user_id, domain::Action action) {
  return {.user_id = user_id,
          .actor = context.actor(),
          .key = std::nullopt,
          .action = std::move(action)};
}

}  // namespace

Command command_of(const Context& context, const AllocateRequest& given) {
  const AllocateRequest request = permitted(context, Operation::allocate, given);
  domain::check_user_id(request.user_id);
  domain::check_credits(request.credits);
  domain::check_user_id(request.allocated_by, "allocated_by");
  if (request.expiry_days) {
    domain::check_range("expiry_days", *request.expiry_days, 1, domain::largest_days);
  }
  domain::check_instant("expires_at", request.expires_at);
  domain::check_instant("effective_at", request.effective_at);
  const int expiries = (request.expiry_days ? 1 : 0) + (request.expires_at ? 1 : 0) +
                       (request.never_expires ? 1 : 0);
  if (expiries > 1) {
    throw InvalidArgument(request.expires_at ? "expires_at" : "expiry_days",
                          "at most one of expiry_days, expires_at and never_expires");
  }
  domain::check_notes(request.notes);
  domain::check_idempotency_key(request.idempotency_key);
  const Json arguments{request.credits,
                       request.allocated_by,
                       as_given(request.expiry_days),
                       as_given(request.expires_at),
                       request.never_expires,
                       as_given(request.effective_at),
                       request.notes};
  return {.user_id = request.user_id,
          .actor = context.actor(),
          .key = key_of(request.idempotency_key, arguments),
          .action = domain::Allocate{.credits = request.credits,
                                     .allocated_by = request.allocated_by,
                                     .expiry_days = request.expiry_days,
                                     .expires_at = request.expires_at,
                                     .never_expires = request.never_expires,
                                     .effective_at = request.effective_at,
                                     .notes = request.notes}};
}

Command command_of(const Context& context, const DeductRequest& given) {
  const DeductRequest request = permitted(context, Operation::deduct, given);
  domain::check_user_id(request.user_id);
  domain::check_credits(request.credits);
  domain::check_idempotency_key(request.idempotency_key);
  return {.user_id = request.user_id,
          .actor = context.actor(),
          .key = key_of(request.idempotency_key, Json{request.credits}),
          .action = domain::Deduct{.credits = request.credits}};
}

Command command_of(const Context& context, const ChargeRequest& given) {
  const ChargeRequest request = permitted(context, Operation::charge, given);
  domain::UsageDetails usage = usage_of(request);
  auto key = key_of(request.idempotency_key, arguments_of(usage));
  return {.user_id = request.user_id,
          .actor = context.actor(),
          .key = std::move(key),
          .action = domain::ChargeUsage{.usage = std::move(usage)}};
}

Command command_of(const Context& context, const RecordRequest& given) {
  const RecordRequest request = permitted(context, Operation::record, given);
  domain::UsageDetails usage = usage_of(request);
  auto key = key_of(request.idempotency_key, arguments_of(usage));
  return {.user_id = request.user_id,
          .actor = context.actor(),
          .key = std::move(key),
          .action = domain::RecordUsage{.usage = std::move(usage)}};
}

Command command_of(const Context& context, const RevokeRequest& given) {
  const RevokeRequest request = permitted(context, Operation::revoke, given);
  domain::check_range("allocation_id", request.allocation_id, 1,
                      std::numeric_limits<std::int64_t>::max());
  domain::check_user_id(request.user_id);
  domain::check_user_id(request.revoked_by, "revoked_by");
  return without_key(
      context, request.user_id,
      domain::Revoke{.allocation_id = request.allocation_id, .revoked_by = request.revoked_by});
}

Command command_of(const Context& context, const InitializeRequest& given) {
  const InitializeRequest request = permitted(context, Operation::initialize, given);
  check_session(request);
  domain::check_model_id(request.model_id);
  domain::check_tokens("estimated_tokens", request.estimated_tokens);
  return without_key(context, request.user_id,
                     domain::Initialize{.session_id = request.session_id,
                                        .model_id = request.model_id,
                                        .estimated_tokens = request.estimated_tokens});
}

Command command_of(const Context& context, const ReportRequest& given) {
  const ReportRequest request = permitted(context, Operation::report, given);
  check_session(request);
  domain::check_tokens("tokens_so_far", request.tokens_so_far);
  return without_key(
      context, request.user_id,
      domain::Report{.session_id = request.session_id, .tokens_so_far = request.tokens_so_far});
}

Command command_of(const Context& context, const ExtendRequest& given) {
  const ExtendRequest request = permitted(context, Operation::extend, given);
  check_session(request);
  domain::check_tokens("additional_tokens", request.additional_tokens);
  domain::check_idempotency_key(request.idempotency_key);
  const Json arguments{request.session_id, domain::encode_tokens(request.additional_tokens)};
  return {.user_id = request.user_id,
          .actor = context.actor(),
          .key = key_of(request.idempotency_key, arguments),
          .action = domain::Extend{.session_id = request.session_id,
                                   .additional_tokens = request.additional_tokens}};
}

Command command_of(const Context& context, const FinalizeRequest& given) {
  const FinalizeRequest request = permitted(context, Operation::finalize, given);
  check_session(request);
  domain::check_tokens("actual_tokens", request.actual_tokens);
  return without_key(context, request.user_id,
                     domain::Finalize{.session_id = request.session_id,
                                      .actual_tokens = request.actual_tokens,
                                      .success = request.success});
}

Command command_of(const Context& context, const AbortRequest& given) {
  const AbortRequest request = permitted(context, Operation::abort, given);
  check_session(request);
  domain::check_tokens("tokens_generated", request.tokens_generated);
  return without_key(context, request.user_id,
                     domain::Abort{.session_id = request.session_id,
                                   .tokens_generated = request.tokens_generated});
}

void throw_no_account() { throw NotFound("there is no account with that user_id"); }

}  // namespace accounting::services
