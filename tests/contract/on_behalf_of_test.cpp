// Who may do what: every operation, asked by every role and key about one's own and another's
// account. The expectations are written down here a second time, from the specification.
#include "domain/permissions.hpp"
#include "support/books.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using domain::Operation;

/// Makes a call that a permitted caller gets an answer to. An empty user_id leaves it out.
using Call = std::function<void(const OnBehalfOf&, const std::string& user_id)>;

struct Case {
  const char* name;
  /// Who may, about the own and about another's account: "user" (and above), "supervisor" (and
  /// above), "admin", or "host".
  const char* own;
  const char* other;
  /// What a key must carry, about the own account and wherever not only an admin may; empty:
  /// nothing. What only an admin may do on another's account needs "admin".
  const char* permission;
  Call call;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"accounts.get", "user", "admin", "credits:read",
       [](const OnBehalfOf& on, const std::string& id) { (void)on.accounts().get(id); }},
      {"accounts.list", "admin", "admin", "admin",
       [](const OnBehalfOf& on, const std::string&) { (void)on.accounts().list(); }},
      {"accounts.sync", "admin", "admin", "admin",
       [](const OnBehalfOf& on, const std::string& id) {
         on.accounts().sync({.user_id = id, .email = "new@example.org", .username = "New"});
       }},
      {"credits.balance", "user", "supervisor", "credits:read",
       [](const OnBehalfOf& on, const std::string& id) { (void)on.credits().balance(id); }},
      {"credits.check", "user", "host", "credits:read",
       [](const OnBehalfOf& on, const std::string& id) {
         (void)on.credits().check({.user_id = id, .credits = 1});
       }},
      {"credits.history", "user", "admin", "credits:read",
       [](const OnBehalfOf& on, const std::string& id) {
         (void)on.credits().history({.user_id = id});
       }},
      {"credits.entries", "user", "admin", "credits:read",
       [](const OnBehalfOf& on, const std::string& id) {
         (void)on.credits().entries({.user_id = id});
       }},
      {"credits.allocate", "admin", "supervisor", "credits:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.credits().allocate({.user_id = id, .credits = 5, .allocated_by = "somebody"});
       }},
      {"credits.allocate_many", "admin", "supervisor", "credits:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.credits().allocate_many({{.user_id = id, .credits = 5, .allocated_by = "somebody"}});
       }},
      {"credits.deduct", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.credits().deduct({.user_id = id, .credits = 1});
       }},
      {"credits.charge", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.credits().charge({.user_id = id, .service = "s", .operation = "o", .credits = 1});
       }},
      {"credits.charge_many", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         (void)on.credits()
             .charge_many({{.user_id = id, .service = "s", .operation = "o", .credits = 1}})
             .front()
             .value();
       }},
      {"credits.revoke", "admin", "admin", "admin",
       [](const OnBehalfOf& on, const std::string& id) {
         on.credits().revoke({.allocation_id = 1, .user_id = id, .revoked_by = "somebody"});
       }},
      {"sessions.initialize", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.sessions().initialize(
             {.session_id = "new", .user_id = id, .model_id = "m", .estimated_tokens = 10});
       }},
      {"sessions.get", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         (void)on.sessions().get({.session_id = "s", .user_id = id});
       }},
      {"sessions.report", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.sessions().report({.session_id = "s", .user_id = id, .tokens_so_far = 1});
       }},
      {"sessions.extend", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.sessions().extend({.session_id = "s", .user_id = id, .additional_tokens = 1});
       }},
      {"sessions.finalize", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.sessions().finalize({.session_id = "s", .user_id = id, .actual_tokens = 1});
       }},
      {"sessions.abort", "user", "admin", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.sessions().abort({.session_id = "s", .user_id = id});
       }},
      {"sessions.active", "user", "supervisor", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         (void)on.sessions().active({.user_id = id});
       }},
      {"sessions.all_active", "admin", "admin", "admin",
       [](const OnBehalfOf& on, const std::string&) { (void)on.sessions().all_active(); }},
      {"sessions.expire_stale", "host", "host", "",
       [](const OnBehalfOf& on, const std::string&) { on.sessions().expire_stale(); }},
      {"usage.record", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.usage().record({.user_id = id, .service = "s", .operation = "o", .credits = 1});
       }},
      {"usage.record_many", "user", "host", "usage:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.usage().record_many({{.user_id = id, .service = "s", .operation = "o", .credits = 1}});
       }},
      {"usage.list", "user", "supervisor", "usage:read",
       [](const OnBehalfOf& on, const std::string& id) { (void)on.usage().list({.user_id = id}); }},
      {"usage.user_stats", "user", "supervisor", "usage:read",
       [](const OnBehalfOf& on, const std::string& id) {
         (void)on.usage().user_stats({.user_id = id});
       }},
      {"usage.system_stats", "admin", "admin", "admin",
       [](const OnBehalfOf& on, const std::string&) { (void)on.usage().system_stats({}); }},
      {"pricing.get", "user", "user", "",
       [](const OnBehalfOf& on, const std::string&) { (void)on.pricing().get({.model_id = "m"}); }},
      {"pricing.list", "user", "user", "",
       [](const OnBehalfOf& on, const std::string&) { (void)on.pricing().list(); }},
      {"pricing.calculate", "user", "user", "",
       [](const OnBehalfOf& on, const std::string&) {
         (void)on.pricing().calculate({.model_id = "m", .tokens = 1});
       }},
      {"pricing.set", "admin", "admin", "admin",
       [](const OnBehalfOf& on, const std::string&) {
         on.pricing().set({.model_id = "n", .price_per_1k_tokens = 1, .created_by = "somebody"});
       }},
      {"api_keys.create", "user", "admin", "keys:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.api_keys().create({.user_id = id, .name = "key"});
       }},
      {"api_keys.list", "user", "admin", "keys:write",
       [](const OnBehalfOf& on, const std::string& id) {
         (void)on.api_keys().list({.user_id = id});
       }},
      {"api_keys.update", "user", "admin", "keys:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.api_keys().update({.key_id = 1, .user_id = id, .name = "renamed"});
       }},
      {"api_keys.revoke", "user", "admin", "keys:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.api_keys().revoke({.key_id = 1, .user_id = id});
       }},
      {"api_keys.rotate", "user", "admin", "keys:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.api_keys().rotate({.key_id = 1, .user_id = id});
       }},
      {"api_keys.delete", "user", "admin", "keys:write",
       [](const OnBehalfOf& on, const std::string& id) {
         on.api_keys().remove({.key_id = 1, .user_id = id});
       }},
      {"api_keys.validate", "host", "host", "",
       [](const OnBehalfOf& on, const std::string&) { (void)on.api_keys().validate("key"); }},
  };
  return all;
}

/// Ada, whose role varies, and Bob, each with credits, a session and a key without permissions.
void set_up(Books& books) {
  books.price("m", 1);
  for (const std::string user_id : {"ada", "bob"}) {
    books.account(user_id, 1'000);
    books.sessions().initialize(
        {.session_id = "s", .user_id = user_id, .model_id = "m", .estimated_tokens = 100});
    books.accounting().api_keys().create({.user_id = user_id, .name = "first"});
  }
}

std::string permission_for(const Case& each, const std::string& user_id) {
  return user_id == "bob" && each.other == std::string("admin") ? "admin" : each.permission;
}

bool is_allowed(const std::string& least, Role role) {
  if (least == "host") {
    return false;
  }
  const std::map<std::string, Role> roles = {
      {"user", Role::user}, {"supervisor", Role::supervisor}, {"admin", Role::admin}};
  return role >= roles.at(least);
}

/// Everything that a refused call must leave as it is.
std::string state_of(Books& books) {
  std::string state;
  for (const std::string user_id : {"ada", "bob"}) {
    state += std::to_string(books.balance(user_id)) + " " + std::to_string(books.held(user_id)) +
             " " + std::to_string(books.entries(user_id).size()) + " " +
             std::to_string(books.usage_of(user_id).size()) + " " +
             books.accounts().get(user_id).email + " ";
    for (const ApiKey& key : books.accounting().api_keys().list(user_id)) {
      state += key.name + (key.revoked_at ? " revoked " : " ");
    }
  }
  return state + std::to_string(books.pricing().list().size()) + " " +
         std::to_string(books.accounting().audit().list().total);
}

void check_cell(Books& books, const Case& each, bool allowed, const OnBehalfOf& on,
                const std::string& user_id) {
  const std::string before = state_of(books);
  const std::string outcome = outcome_of([&] {
    each.call(on, user_id);
    return 0;
  });
  CHECK(outcome == (allowed ? "ok" : "forbidden"));
  if (!allowed) {
    CHECK(state_of(books) == before);
  }
}

const std::vector<Role> kRoles = {Role::user, Role::supervisor, Role::admin};

std::vector<std::string> only(const std::string& permission) {
  return permission.empty() ? std::vector<std::string>() : std::vector<std::string>{permission};
}

std::vector<std::string> all_but(const std::string& permission) {
  const auto names = domain::permission_names();
  std::vector<std::string> rest(names.begin(), names.end());
  std::erase(rest, permission);
  return rest;
}

}  // namespace

TEST_SUITE("on behalf of") {
  TEST_CASE("a principal may do what its role allows, and nothing else") {
    // A database each cell: SQLite in memory is fast, and the rules are the same on all.
    for (const Case& each : cases()) {
      for (const Role role : kRoles) {
        for (const std::string user_id : {"ada", "", "bob"}) {
          CAPTURE(each.name);
          CAPTURE(to_string(role));
          CAPTURE(user_id);
          Books books(Database::sqlite_memory, Setup{});
          set_up(books);
          const Principal ada{.user_id = "ada", .role = role};
          check_cell(books, each, is_allowed(user_id == "bob" ? each.other : each.own, role),
                     books.accounting().on_behalf_of(ada), user_id);
        }
      }
    }
  }

  TEST_CASE("a key may do what both its permissions and its owner's present role allow") {
    for (const Case& each : cases()) {
      for (const Role role : kRoles) {
        for (const std::string user_id : {"ada", "bob"}) {
          for (const bool carries : {true, false}) {
            const std::string permission = permission_for(each, user_id);
            if (!carries && permission.empty()) {
              continue;
            }
            CAPTURE(each.name);
            CAPTURE(to_string(role));
            CAPTURE(user_id);
            CAPTURE(carries);
            Books books(Database::sqlite_memory, Setup{});
            set_up(books);
            books.accounts().sync(
                {.user_id = "ada", .email = "ada@example.org", .username = "ada", .role = role});
            const KeyIdentity key{.user_id = "ada",
                                  .permissions = carries ? only(permission) : all_but(permission),
                                  .key_id = 1};
            check_cell(books, each,
                       carries && is_allowed(user_id == "bob" ? each.other : each.own, role),
                       books.accounting().on_behalf_of(key), user_id);
          }
        }
      }
    }
  }

  TEST_CASE("every line of the table is tested here") {
    for (const domain::PermissionRule& rule : domain::permission_rules()) {
      CAPTURE(rule.name);
      CHECK((rule.name == "audit.list" ||
             std::any_of(cases().begin(), cases().end(),
                         [&](const Case& each) { return rule.name == each.name; })));
    }
  }

  TEST_CASE("a key loses what its owner's role no longer allows, while it is in use") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob", 10);
      const auto promote = [&](Role role) {
        books.accounts().sync(
            {.user_id = "ada", .email = "ada@example.org", .username = "ada", .role = role});
      };
      promote(Role::admin);
      const auto issued = books.accounting().api_keys().create(
          {.user_id = "ada", .name = "key", .permissions = {"admin", "credits:read"}});
      const auto on =
          books.accounting().on_behalf_of(books.accounting().api_keys().validate(issued.key));
      CHECK(on.accounts().get("bob").user_id == "bob");
      promote(Role::supervisor);
      CHECK(outcome_of([&] { return on.accounts().get("bob"); }) == "forbidden");
      CHECK(on.credits().balance("bob").total_credits == 10);
      promote(Role::user);
      CHECK(outcome_of([&] { return on.credits().balance("bob"); }) == "forbidden");
      CHECK(on.credits().balance("").total_credits == 0);
    });
  }

  TEST_CASE("a key hands on only what it carries") {
    for_each_database([](Books& books) {
      books.account("ada");
      auto keys = books.accounting().api_keys();
      const auto strong = keys.create({.user_id = "ada", .name = "s", .permissions = {"admin"}});
      const auto weak =
          keys.create({.user_id = "ada", .name = "w", .permissions = {"keys:write", "usage:read"}});
      auto on = books.accounting().on_behalf_of(keys.validate(weak.key)).api_keys();
      CHECK(outcome_of([&] {
              return on.create({.name = "n", .permissions = {"usage:read", "admin"}});
            }) == "forbidden");
      CHECK(outcome_of([&] {
              return on.update({.key_id = weak.api_key.id,
                                .permissions = std::vector<std::string>{"credits:write"}});
            }) == "forbidden");
      CHECK(outcome_of([&] { return on.rotate({.key_id = strong.api_key.id}); }) == "forbidden");
      CHECK(keys.list("ada").size() == 2);
      CHECK(on.create({.name = "n", .permissions = {"usage:read"}}).api_key.id == 3);
    });
  }

  TEST_CASE("a key resumes no key that carries more, and not itself") {
    for_each_database([](Books& books) {
      books.account("ada");
      auto keys = books.accounting().api_keys();
      const auto strong = keys.create({.user_id = "ada", .name = "s", .permissions = {"admin"}});
      const auto weak = keys.create({.user_id = "ada", .name = "w", .permissions = {"keys:write"}});
      auto on = books.accounting().on_behalf_of(keys.validate(weak.key)).api_keys();
      keys.update({.key_id = 1, .user_id = "ada", .is_active = false});
      CHECK(outcome_of([&] { return on.update({.key_id = 1, .is_active = true}); }) == "forbidden");
      CHECK(outcome_of([&] { return on.update({.key_id = 1, .name = "renamed"}); }) == "ok");
      keys.update({.key_id = 2, .user_id = "ada", .is_active = false});
      CHECK(outcome_of([&] { return on.update({.key_id = 2, .is_active = true}); }) == "forbidden");
    });
  }

  TEST_CASE(
      "a key that has ended issues and ends no other, and none outlives the one that issued it") {
    for_each_database([](Books& books) {
      books.account("ada");
      auto keys = books.accounting().api_keys();
      const auto issued = keys.create(
          {.user_id = "ada", .name = "w", .permissions = {"keys:write"}, .expiry_days = 3});
      auto on = books.accounting().on_behalf_of(keys.validate(issued.key)).api_keys();
      CHECK(on.create({.name = "for ever"}).api_key.expires_at == kStart + days(3));
      CHECK(on.create({.name = "a day", .expiry_days = 1}).api_key.expires_at == kStart + days(1));
      CHECK(on.rotate({.key_id = 2}).api_key.expires_at == kStart + days(3));
      books.advance(days(3));
      CHECK(outcome_of([&] { return on.create({.name = "late"}); }) == "forbidden");
      const auto second =
          keys.create({.user_id = "ada", .name = "w", .permissions = {"keys:write"}});
      auto revoked = books.accounting().on_behalf_of(keys.validate(second.key)).api_keys();
      keys.revoke({.key_id = second.api_key.id, .user_id = "ada"});
      CHECK(outcome_of([&] { return revoked.create({.name = "late"}); }) == "forbidden");
      CHECK(outcome_of([&] { return revoked.rotate({.key_id = 2}); }) == "forbidden");
      CHECK(outcome_of([&] { return revoked.revoke({.key_id = 2}); }) == "forbidden");
      CHECK(outcome_of([&] {
              revoked.remove({.key_id = 2});
              return 0;
            }) == "forbidden");
      CHECK(outcome_of([&] { return revoked.revoke({.key_id = second.api_key.id}); }) == "ok");
    });
  }

  TEST_CASE("a refusal says what is needed") {
    Books books(Database::sqlite_memory, Setup{});
    set_up(books);
    const auto message_of = [](const auto& call) -> std::string {
      try {
        call();
      } catch (const Forbidden& error) {
        return error.what();
      }
      return "";
    };
    const auto user = books.accounting().on_behalf_of(Principal{.user_id = "ada"});
    CHECK(message_of([&] { user.credits().revoke({.allocation_id = 1}); }) ==
          "credits.revoke here needs the role admin");
    CHECK(message_of([&] { user.credits().deduct({.user_id = "bob", .credits = 1}); }) ==
          "credits.deduct on another's account is for the host alone");
    CHECK(message_of([&] {
            user.credits().allocate_many({{.user_id = "bob", .credits = 1, .allocated_by = "ada"}});
          }) == "requests[0]: credits.allocate here needs the role supervisor");
    const auto key = books.accounting().on_behalf_of(KeyIdentity{.user_id = "ada", .key_id = 1});
    CHECK(message_of([&] { (void)key.usage().list({}); }) ==
          "usage.list needs a key with the permission usage:read");
  }

  TEST_CASE("who acts stands in the journal") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.accounts().sync(
          {.user_id = "eve", .email = "e@x.org", .username = "e", .role = Role::supervisor});
      books.accounting()
          .on_behalf_of(Principal{.user_id = "eve", .role = Role::supervisor})
          .credits()
          .allocate({.user_id = "ada", .credits = 7, .allocated_by = "eve"});
      books.accounting()
          .on_behalf_of(KeyIdentity{.user_id = "ada", .permissions = {"usage:write"}, .key_id = 3})
          .credits()
          .deduct({.credits = 1});
      const auto entries = books.entries("ada");
      REQUIRE(entries.size() == 3);
      CHECK(entries.at(0).actor == "host");
      CHECK(entries.at(1).actor == "principal:eve");
      CHECK(entries.at(2).actor == "key:3:ada");
    });
  }
}

}  // namespace accounting::testing
