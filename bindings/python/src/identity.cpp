// Who calls: tokens, API keys and the audit trail.
#include "answers.hpp"
#include "arguments.hpp"
#include "services.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace accounting::python {
namespace {

using py::arg;
using py::handle;

using HeldApiKeys = Held<ApiKeys>;
using HeldAudit = Held<Audit>;

std::vector<JwtKey> to_keys(handle keys) {
  std::vector<JwtKey> answer;
  for (const handle key : keys) {
    if (!py::isinstance<JwtKey>(key)) {
      refuse("keys[" + std::to_string(answer.size()) + "]", "a JwtKey", key);
    }
    answer.push_back(key.cast<JwtKey>());
  }
  return answer;
}

/// Overwrites what the options had to copy.
struct WipedAtTheEnd {
  std::optional<std::string>& secret;
  std::optional<std::string>& jwks;
  ~WipedAtTheEnd() {
    for (std::optional<std::string>* const option : {&secret, &jwks}) {
      if (*option) {
        const SecretText wiped(std::move(**option));
      }
    }
  }
};

JwtVerifier verifier(handle secret, handle keys, handle jwks, handle issuer, handle audience,
                     handle leeway_seconds, std::optional<std::shared_ptr<ManualClock>> clock) {
  Arguments arguments{{"jwks", jwks}, {"issuer", issuer}, {"audience", audience}};
  JwtOptions options{.keys = to_keys(keys),
                     .jwks = arguments.optional_text("jwks"),
                     .issuer = arguments.optional_text("issuer"),
                     .audience = arguments.optional_text("audience"),
                     .leeway_seconds = to_integer(leeway_seconds, "leeway_seconds"),
                     .clock = clock ? std::move(*clock) : nullptr};
  const SecretText hidden = secret.is_none() ? SecretText("") : to_secret(secret, "secret");
  if (!secret.is_none()) {
    options.secret = hidden.text;
  }
  const WipedAtTheEnd wiped{options.secret, options.jwks};
  return JwtVerifier(options);
}

void bind_verifier(py::module_& module) {
  py::class_<JwtKey>(module, "JwtKey")
      .def_static(
          "from_secret",
          [](handle secret, handle algorithm, handle kid) {
            Arguments arguments{{"kid", kid}};
            return JwtKey::from_secret(to_secret(secret, "secret").text,
                                       to_text(algorithm, "algorithm"),
                                       arguments.optional_text("kid"));
          },
          arg("secret"), arg("algorithm"), arg("kid"))
      .def_static(
          "from_pem",
          [](handle pem, handle algorithm, handle kid) {
            Arguments arguments{{"kid", kid}};
            return JwtKey::from_pem(to_secret(pem, "pem").text, to_text(algorithm, "algorithm"),
                                    arguments.optional_text("kid"));
          },
          arg("pem"), arg("algorithm"), arg("kid"));
  py::class_<JwtVerifier>(module, "JwtVerifier")
      .def(py::init(&verifier), arg("secret"), arg("keys"), arg("jwks"), arg("issuer"),
           arg("audience"), arg("leeway_seconds"), arg("clock"))
      .def(
          "verify",
          [](const JwtVerifier& self, handle token) {
            const SecretText presented = to_presented(token, "token");
            return without_gil([&] { return self.verify(presented.text); });
          },
          arg("token"))
      .def(
          "inspect",
          [](const JwtVerifier& self, handle token) {
            const SecretText presented = to_presented(token, "token");
            return without_gil([&] { return self.inspect(presented.text); });
          },
          arg("token"));
}

ApiKeyRequest key_request(handle key_id, handle user_id) {
  return {.key_id = to_integer(key_id, "key_id"), .user_id = to_text(user_id, "user_id")};
}

void bind_api_keys(py::module_& module) {
  py::class_<HeldApiKeys>(module, "ApiKeys")
      .def(
          "create",
          [](HeldApiKeys& keys, handle user_id, handle name, handle permissions,
             handle expiry_days) {
            Arguments arguments{{"expiry_days", expiry_days}};
            const CreateApiKeyRequest request{
                .user_id = to_text(user_id, "user_id"),
                .name = to_text(name, "name"),
                .permissions = to_names(permissions, "permissions"),
                .expiry_days = arguments.optional_integer("expiry_days")};
            return without_gil([&] { return keys->create(request); });
          },
          arg("user_id"), arg("name"), arg("permissions"), arg("expiry_days"))
      .def(
          "list",
          [](HeldApiKeys& keys, handle user_id) {
            const ListApiKeysRequest request{.user_id = to_text(user_id, "user_id")};
            return without_gil([&] { return keys->list(request); });
          },
          arg("user_id"))
      .def(
          "update",
          [](HeldApiKeys& keys, handle key_id, handle user_id, handle name, handle permissions,
             handle is_active) {
            Arguments arguments{{"name", name}, {"is_active", is_active}};
            UpdateApiKeyRequest request{.key_id = to_integer(key_id, "key_id"),
                                        .user_id = to_text(user_id, "user_id"),
                                        .name = arguments.optional_text("name"),
                                        .permissions = std::nullopt,
                                        .is_active = arguments.optional_boolean("is_active")};
            if (!permissions.is_none()) {
              request.permissions = to_names(permissions, "permissions");
            }
            return without_gil([&] { return keys->update(request); });
          },
          arg("key_id"), arg("user_id"), arg("name"), arg("permissions"), arg("is_active"))
      .def(
          "revoke",
          [](HeldApiKeys& keys, handle key_id, handle user_id) {
            const ApiKeyRequest request = key_request(key_id, user_id);
            return without_gil([&] { return keys->revoke(request); });
          },
          arg("key_id"), arg("user_id"))
      .def(
          "rotate",
          [](HeldApiKeys& keys, handle key_id, handle user_id) {
            const ApiKeyRequest request = key_request(key_id, user_id);
            return without_gil([&] { return keys->rotate(request); });
          },
          arg("key_id"), arg("user_id"))
      .def(
          "delete",
          [](HeldApiKeys& keys, handle key_id, handle user_id) {
            const ApiKeyRequest request = key_request(key_id, user_id);
            without_gil([&] { keys->remove(request); });
          },
          arg("key_id"), arg("user_id"))
      .def(
          "validate",
          [](HeldApiKeys& keys, handle key) {
            const SecretText presented = to_presented(key, "key");
            return without_gil([&] { return keys->validate(presented.text); });
          },
          arg("key"));
}

void bind_audit(py::module_& module) {
  py::class_<HeldAudit>(module, "Audit")
      .def(
          "list",
          [](HeldAudit& audit, handle user_id, handle actor, handle page, handle limit) {
            Arguments arguments{{"user_id", user_id}, {"actor", actor}};
            const ListAuditRequest request{.user_id = arguments.optional_text("user_id"),
                                           .actor = arguments.optional_text("actor"),
                                           .page = to_integer(page, "page"),
                                           .limit = to_integer(limit, "limit")};
            return without_gil([&] { return audit->list(request); });
          },
          arg("user_id"), arg("actor"), arg("page"), arg("limit"));
}

void bind_on_behalf_of(py::module_& module) {
  using HeldOnBehalfOf = Held<OnBehalfOf>;
  py::class_<HeldOnBehalfOf>(module, "OnBehalfOf")
      .def("accounts", [](HeldOnBehalfOf& on) { return Held(on->accounts()); })
      .def("credits", [](HeldOnBehalfOf& on) { return Held(on->credits()); })
      .def("sessions", [](HeldOnBehalfOf& on) { return Held(on->sessions()); })
      .def("usage", [](HeldOnBehalfOf& on) { return Held(on->usage()); })
      .def("pricing", [](HeldOnBehalfOf& on) { return Held(on->pricing()); })
      .def("api_keys", [](HeldOnBehalfOf& on) { return Held(on->api_keys()); });
}

}  // namespace

Principal to_principal(handle principal) {
  return {.user_id = to_text(principal.attr("user_id"), "principal.user_id"),
          .username = to_text(principal.attr("username"), "principal.username"),
          .email = to_text(principal.attr("email"), "principal.email"),
          .role = to_role(principal.attr("role"), "principal.role")};
}

KeyIdentity to_key_identity(handle identity) {
  return {.user_id = to_text(identity.attr("user_id"), "identity.user_id"),
          .permissions = to_names(identity.attr("permissions"), "identity.permissions"),
          .key_id = to_integer(identity.attr("key_id"), "identity.key_id")};
}

void bind_identity(py::module_& module) {
  bind_verifier(module);
  bind_api_keys(module);
  bind_audit(module);
  bind_on_behalf_of(module);
}

}  // namespace accounting::python
