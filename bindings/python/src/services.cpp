#include "services.hpp"

#include "answers.hpp"
#include "arguments.hpp"

namespace accounting::python {
namespace {

using py::arg;
using py::handle;

using HeldAccounts = Held<Accounts>;
using HeldPricing = Held<Pricing>;
using HeldSessions = Held<Sessions>;

}  // namespace

void bind_accounts(py::module_& module) {
  py::class_<HeldAccounts>(module, "Accounts")
      .def(
          "sync",
          [](HeldAccounts& accounts, handle user_id, handle email, handle username, handle role) {
            Arguments arguments{{"role", role}};
            const SyncRequest request{.user_id = to_text(user_id, "user_id"),
                                      .email = to_text(email, "email"),
                                      .username = to_text(username, "username"),
                                      .role = arguments.optional_role("role")};
            return without_gil([&] { return accounts->sync(request); });
          },
          arg("user_id"), arg("email"), arg("username"), arg("role"))
      .def(
          "get",
          [](HeldAccounts& accounts, handle user_id) {
            const GetAccountRequest request{.user_id = to_text(user_id, "user_id")};
            return without_gil([&] { return accounts->get(request); });
          },
          arg("user_id"))
      .def(
          "list",
          [](HeldAccounts& accounts, handle role, handle page, handle limit) {
            Arguments arguments{{"role", role}};
            const ListAccountsRequest request{.role = arguments.optional_role("role"),
                                              .page = to_integer(page, "page"),
                                              .limit = to_integer(limit, "limit")};
            return without_gil([&] { return accounts->list(request); });
          },
          arg("role"), arg("page"), arg("limit"));
}

void bind_pricing(py::module_& module) {
  py::class_<HeldPricing>(module, "Pricing")
      .def(
          "set",
          [](HeldPricing& pricing, handle model_id, handle price_per_1k_tokens, handle created_by,
             handle effective_from, handle effective_to, handle input, handle output,
             handle cached_input) {
            Arguments arguments{{"effective_from", effective_from},
                                {"effective_to", effective_to},
                                {"input", input},
                                {"output", output},
                                {"cached_input", cached_input}};
            const SetPriceRequest request{
                .model_id = to_text(model_id, "model_id"),
                .price_per_1k_tokens = to_price(price_per_1k_tokens, "price_per_1k_tokens"),
                .created_by = to_text(created_by, "created_by"),
                .effective_from = arguments.optional_instant("effective_from"),
                .effective_to = arguments.optional_instant("effective_to"),
                .input = arguments.optional_price("input"),
                .output = arguments.optional_price("output"),
                .cached_input = arguments.optional_price("cached_input")};
            return without_gil([&] { return pricing->set(request); });
          },
          arg("model_id"), arg("price_per_1k_tokens"), arg("created_by"), arg("effective_from"),
          arg("effective_to"), arg("input"), arg("output"), arg("cached_input"))
      .def(
          "get",
          [](HeldPricing& pricing, handle model_id, handle at) {
            Arguments arguments{{"at", at}};
            const GetPriceRequest request{.model_id = to_text(model_id, "model_id"),
                                          .at = arguments.optional_instant("at")};
            return without_gil([&] { return pricing->get(request); });
          },
          arg("model_id"), arg("at"))
      .def(
          "list",
          [](HeldPricing& pricing, handle model_id) {
            Arguments arguments{{"model_id", model_id}};
            const ListPricesRequest request{.model_id = arguments.optional_text("model_id")};
            return without_gil([&] { return pricing->list(request); });
          },
          arg("model_id"))
      .def(
          "calculate",
          [](HeldPricing& pricing, handle model_id, handle tokens, handle at) {
            Arguments arguments{{"at", at}};
            const CalculateRequest request{.model_id = to_text(model_id, "model_id"),
                                           .tokens = to_tokens(tokens, "tokens"),
                                           .at = arguments.optional_instant("at")};
            return without_gil([&] { return pricing->calculate(request); });
          },
          arg("model_id"), arg("tokens"), arg("at"));
}

void bind_sessions(py::module_& module) {
  py::class_<HeldSessions>(module, "Sessions")
      .def(
          "initialize",
          [](HeldSessions& sessions, handle session_id, handle user_id, handle model_id,
             handle estimated_tokens) {
            const InitializeRequest request{
                .session_id = to_text(session_id, "session_id"),
                .user_id = to_text(user_id, "user_id"),
                .model_id = to_text(model_id, "model_id"),
                .estimated_tokens = to_tokens(estimated_tokens, "estimated_tokens")};
            return without_gil([&] { return sessions->initialize(request); });
          },
          arg("session_id"), arg("user_id"), arg("model_id"), arg("estimated_tokens"))
      .def(
          "get",
          [](HeldSessions& sessions, handle session_id, handle user_id) {
            const GetSessionRequest request{.session_id = to_text(session_id, "session_id"),
                                            .user_id = to_text(user_id, "user_id")};
            return without_gil([&] { return sessions->get(request); });
          },
          arg("session_id"), arg("user_id"))
      .def(
          "report",
          [](HeldSessions& sessions, handle session_id, handle user_id, handle tokens_so_far) {
            const ReportRequest request{.session_id = to_text(session_id, "session_id"),
                                        .user_id = to_text(user_id, "user_id"),
                                        .tokens_so_far = to_tokens(tokens_so_far, "tokens_so_far")};
            return without_gil([&] { return sessions->report(request); });
          },
          arg("session_id"), arg("user_id"), arg("tokens_so_far"))
      .def(
          "extend",
          [](HeldSessions& sessions, handle session_id, handle user_id, handle additional_tokens,
             handle idempotency_key) {
            Arguments arguments{{"idempotency_key", idempotency_key}};
            const ExtendRequest request{
                .session_id = to_text(session_id, "session_id"),
                .user_id = to_text(user_id, "user_id"),
                .additional_tokens = to_tokens(additional_tokens, "additional_tokens"),
                .idempotency_key = arguments.optional_text("idempotency_key")};
            return without_gil([&] { return sessions->extend(request); });
          },
          arg("session_id"), arg("user_id"), arg("additional_tokens"), arg("idempotency_key"))
      .def(
          "finalize",
          [](HeldSessions& sessions, handle session_id, handle user_id, handle actual_tokens,
             handle success) {
            const FinalizeRequest request{
                .session_id = to_text(session_id, "session_id"),
                .user_id = to_text(user_id, "user_id"),
                .actual_tokens = to_tokens(actual_tokens, "actual_tokens"),
                .success = to_boolean(success, "success")};
            return without_gil([&] { return sessions->finalize(request); });
          },
          arg("session_id"), arg("user_id"), arg("actual_tokens"), arg("success"))
      .def(
          "abort",
          [](HeldSessions& sessions, handle session_id, handle user_id, handle tokens_generated) {
            const AbortRequest request{
                .session_id = to_text(session_id, "session_id"),
                .user_id = to_text(user_id, "user_id"),
                .tokens_generated = to_tokens(tokens_generated, "tokens_generated")};
            return without_gil([&] { return sessions->abort(request); });
          },
          arg("session_id"), arg("user_id"), arg("tokens_generated"))
      .def(
          "active",
          [](HeldSessions& sessions, handle user_id) {
            const ActiveSessionsRequest request{.user_id = to_text(user_id, "user_id")};
            return without_gil([&] { return sessions->active(request); });
          },
          arg("user_id"))
      .def("all_active",
           [](HeldSessions& sessions) {
             return without_gil([&] { return sessions->all_active(); });
           })
      .def(
          "expire_stale",
          [](HeldSessions& sessions, handle limit) {
            const ExpireStaleRequest request{.limit = to_integer(limit, "limit")};
            return without_gil([&] { return sessions->expire_stale(request); });
          },
          arg("limit"));
}

}  // namespace accounting::python
