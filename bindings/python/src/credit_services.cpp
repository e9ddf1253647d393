// Credits and Usage, whose requests also come many at a time.
#include "answers.hpp"
#include "requests.hpp"
#include "services.hpp"

namespace accounting::python {
namespace {

using py::arg;
using py::handle;

using HeldCredits = Held<Credits>;
using HeldUsage = Held<Usage>;

/// Carries out what could be read, and puts the answers back between the errors.
std::vector<Outcome<Charge>> charge_many(Credits& credits, const ChargeRequests& requests) {
  std::vector<Outcome<Charge>> charged = credits.charge_many(requests.readable);
  auto next = charged.begin();
  std::vector<Outcome<Charge>> outcomes;
  for (const std::exception_ptr& error : requests.errors) {
    outcomes.push_back(error ? Outcome<Charge>(error) : std::move(*next++));
  }
  return outcomes;
}

}  // namespace

void bind_credits(py::module_& module) {
  py::class_<HeldCredits>(module, "Credits")
      .def(
          "allocate",
          [](HeldCredits& credits, handle user_id, handle amount, handle allocated_by,
             handle expiry_days, handle expires_at, handle never_expires, handle effective_at,
             handle notes, handle idempotency_key) {
            Arguments arguments{{"user_id", user_id},
                                {"credits", amount},
                                {"allocated_by", allocated_by},
                                {"expiry_days", expiry_days},
                                {"expires_at", expires_at},
                                {"never_expires", never_expires},
                                {"effective_at", effective_at},
                                {"notes", notes},
                                {"idempotency_key", idempotency_key}};
            const AllocateRequest request = allocate_request(arguments);
            return without_gil([&] { return credits->allocate(request); });
          },
          arg("user_id"), arg("credits"), arg("allocated_by"), arg("expiry_days"),
          arg("expires_at"), arg("never_expires"), arg("effective_at"), arg("notes"),
          arg("idempotency_key"))
      .def(
          "allocate_many",
          [](HeldCredits& credits, handle requests) {
            const std::vector<AllocateRequest> all = allocate_requests(requests);
            return without_gil([&] { return credits->allocate_many(all); });
          },
          arg("requests"))
      .def(
          "balance",
          [](HeldCredits& credits, handle user_id) {
            const BalanceRequest request{.user_id = to_text(user_id, "user_id")};
            return without_gil([&] { return credits->balance(request); });
          },
          arg("user_id"))
      .def(
          "check",
          [](HeldCredits& credits, handle user_id, handle amount) {
            const CheckRequest request{.user_id = to_text(user_id, "user_id"),
                                       .credits = to_integer(amount, "credits")};
            return without_gil([&] { return credits->check(request); });
          },
          arg("user_id"), arg("credits"))
      .def(
          "deduct",
          [](HeldCredits& credits, handle user_id, handle amount, handle idempotency_key) {
            Arguments arguments{{"idempotency_key", idempotency_key}};
            const DeductRequest request{
                .user_id = to_text(user_id, "user_id"),
                .credits = to_integer(amount, "credits"),
                .idempotency_key = arguments.optional_text("idempotency_key")};
            return without_gil([&] { return credits->deduct(request); });
          },
          arg("user_id"), arg("credits"), arg("idempotency_key"))
      .def(
          "charge",
          [](HeldCredits& credits, handle user_id, handle service, handle operation, handle amount,
             handle metadata, handle idempotency_key) {
            Arguments arguments{{"user_id", user_id},     {"service", service},
                                {"operation", operation}, {"credits", amount},
                                {"metadata", metadata},   {"idempotency_key", idempotency_key}};
            const ChargeRequest request = charge_request(arguments);
            return without_gil([&] { return credits->charge(request); });
          },
          arg("user_id"), arg("service"), arg("operation"), arg("credits"), arg("metadata"),
          arg("idempotency_key"))
      .def(
          "charge_many",
          [](HeldCredits& credits, handle requests) {
            const ChargeRequests all = charge_requests(requests);
            return without_gil([&] { return charge_many(*credits, all); });
          },
          arg("requests"))
      .def(
          "history",
          [](HeldCredits& credits, handle user_id, handle page, handle limit) {
            const HistoryRequest request{.user_id = to_text(user_id, "user_id"),
                                         .page = to_integer(page, "page"),
                                         .limit = to_integer(limit, "limit")};
            return without_gil([&] { return credits->history(request); });
          },
          arg("user_id"), arg("page"), arg("limit"))
      .def(
          "entries",
          [](HeldCredits& credits, handle user_id, handle after, handle limit) {
            const EntriesRequest request{.user_id = to_text(user_id, "user_id"),
                                         .after = to_integer(after, "after"),
                                         .limit = to_integer(limit, "limit")};
            return without_gil([&] { return credits->entries(request); });
          },
          arg("user_id"), arg("after"), arg("limit"))
      .def(
          "revoke",
          [](HeldCredits& credits, handle allocation_id, handle user_id, handle revoked_by) {
            const RevokeRequest request{.allocation_id = to_integer(allocation_id, "allocation_id"),
                                        .user_id = to_text(user_id, "user_id"),
                                        .revoked_by = to_text(revoked_by, "revoked_by")};
            return without_gil([&] { return credits->revoke(request); });
          },
          arg("allocation_id"), arg("user_id"), arg("revoked_by"));
}

void bind_usage(py::module_& module) {
  py::class_<HeldUsage>(module, "Usage")
      .def(
          "record",
          [](HeldUsage& usage, handle user_id, handle service, handle operation, handle amount,
             handle metadata, handle idempotency_key) {
            Arguments arguments{{"user_id", user_id},     {"service", service},
                                {"operation", operation}, {"credits", amount},
                                {"metadata", metadata},   {"idempotency_key", idempotency_key}};
            const RecordRequest request = record_request(arguments);
            return without_gil([&] { return usage->record(request); });
          },
          arg("user_id"), arg("service"), arg("operation"), arg("credits"), arg("metadata"),
          arg("idempotency_key"))
      .def(
          "record_many",
          [](HeldUsage& usage, handle requests) {
            const std::vector<RecordRequest> all = record_requests(requests);
            return without_gil([&] { return usage->record_many(all); });
          },
          arg("requests"))
      .def(
          "list",
          [](HeldUsage& usage, handle user_id, handle start, handle end, handle after,
             handle limit) {
            Arguments arguments{{"start", start}, {"end", end}};
            const ListUsageRequest request{.user_id = to_text(user_id, "user_id"),
                                           .start = arguments.optional_instant("start"),
                                           .end = arguments.optional_instant("end"),
                                           .after = to_integer(after, "after"),
                                           .limit = to_integer(limit, "limit")};
            return without_gil([&] { return usage->list(request); });
          },
          arg("user_id"), arg("start"), arg("end"), arg("after"), arg("limit"))
      .def(
          "user_stats",
          [](HeldUsage& usage, handle user_id, handle start, handle end) {
            Arguments arguments{{"start", start}, {"end", end}};
            const UserStatsRequest request{.user_id = to_text(user_id, "user_id"),
                                           .start = arguments.optional_instant("start"),
                                           .end = arguments.optional_instant("end")};
            return without_gil([&] { return usage->user_stats(request); });
          },
          arg("user_id"), arg("start"), arg("end"))
      .def(
          "system_stats",
          [](HeldUsage& usage, handle start, handle end) {
            Arguments arguments{{"start", start}, {"end", end}};
            const SystemStatsRequest request{.start = arguments.optional_instant("start"),
                                             .end = arguments.optional_instant("end")};
            return without_gil([&] { return usage->system_stats(request); });
          },
          arg("start"), arg("end"));
}

}  // namespace accounting::python
