// Accounts: mirrored from an authentication service, never invented.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

std::vector<std::string> ids_of(const Page<UserAccount>& page) {
  std::vector<std::string> ids;
  for (const auto& account : page.items) {
    ids.push_back(account.user_id);
  }
  return ids;
}

}  // namespace

TEST_SUITE("accounts") {
  TEST_CASE("a new account is a user unless a role is given") {
    for_each_database([](Books& books) {
      const auto ada =
          books.accounts().sync({.user_id = "ada", .email = "ada@example.org", .username = "Ada"});
      CHECK(ada.created);
      CHECK(ada.account == UserAccount{.user_id = "ada",
                                       .email = "ada@example.org",
                                       .username = "Ada",
                                       .role = Role::user,
                                       .created_at = kStart,
                                       .updated_at = kStart});
      CHECK(books.accounts().get("ada") == ada.account);

      for (const Role role : {Role::user, Role::supervisor, Role::admin}) {
        const std::string name(to_string(role));
        books.accounts().sync({.user_id = name, .email = "e", .username = "n", .role = role});
        CHECK(books.accounts().get(name).role == role);
      }
    });
  }

  TEST_CASE("roles are stored as lower-case words") {
    CHECK(to_string(Role::user) == "user");
    CHECK(to_string(Role::supervisor) == "supervisor");
    CHECK(to_string(Role::admin) == "admin");
  }

  TEST_CASE("the same sync again changes nothing, not even the time of the last change") {
    for_each_database([](Books& books) {
      const SyncRequest request{.user_id = "ada", .email = "a@example.org", .username = "Ada"};
      const auto first = books.accounts().sync(request);
      books.advance(1h);
      const auto second = books.accounts().sync(request);
      CHECK_FALSE(second.created);
      CHECK(second.account == first.account);
      CHECK(books.accounts().get("ada") == first.account);
    });
  }

  TEST_CASE("a sync with other values brings the account up to date") {
    struct Change {
      const char* what;
      SyncRequest request;
      Role role;
    };
    const std::vector<Change> changes = {
        {"email", {"ada", "new@example.org", "Ada", std::nullopt}, Role::supervisor},
        {"username", {"ada", "ada@example.org", "Ada L.", std::nullopt}, Role::supervisor},
        {"role", {"ada", "ada@example.org", "Ada", Role::admin}, Role::admin},
        {"role downwards", {"ada", "ada@example.org", "Ada", Role::user}, Role::user},
        {"nothing: no role leaves the known one",
         {"ada", "ada@example.org", "Ada", std::nullopt},
         Role::supervisor},
    };
    for_each_database([&](Books& books) {
      for (const auto& [what, request, role] : changes) {
        CAPTURE(what);
        const SyncRequest known{.user_id = "ada",
                                .email = "ada@example.org",
                                .username = "Ada",
                                .role = Role::supervisor};
        books.accounts().sync(known);
        const auto before = books.accounts().get("ada");
        books.advance(1s);
        const auto result = books.accounts().sync(request);
        CHECK_FALSE(result.created);
        CHECK(result.account.email == request.email);
        CHECK(result.account.username == request.username);
        CHECK(result.account.role == role);
        CHECK(result.account.created_at == kStart);
        const bool changed = std::string(what).find("nothing") == std::string::npos;
        CHECK(result.account.updated_at == (changed ? books.now() : before.updated_at));
        CHECK(books.accounts().get("ada") == result.account);
      }
    });
  }

  TEST_CASE("an e-mail address is no identity: several accounts may have the same") {
    for_each_database([](Books& books) {
      books.accounts().sync({.user_id = "ada", .email = "same@example.org", .username = "Ada"});
      books.accounts().sync({.user_id = "bob", .email = "same@example.org", .username = "Ada"});
      CHECK(books.accounts().list().total == 2);
    });
  }

  TEST_CASE("ids are bytes of UTF-8, told apart exactly") {
    for_each_database([](Books& books) {
      const std::vector<std::string> ids = {"ada",
                                            "Ada",
                                            "ada ",
                                            "Zo\xC3\xAB",
                                            "'; --",
                                            "%a_a",
                                            "\xE6\x97\xA5\xE6\x9C\xAC",
                                            std::string(50, 'x')};
      std::int64_t credits = 0;
      for (const auto& id : ids) {
        books.account(id, ++credits);
      }
      credits = 0;
      for (const auto& id : ids) {
        CAPTURE(id);
        CHECK(books.accounts().get(id).user_id == id);
        CHECK(books.balance(id) == ++credits);
      }
    });
  }

  TEST_CASE("an account that nobody named is NotFound, and no call invents it") {
    for_each_database([](Books& books) {
      books.price("m", "1");
      const std::string no = "nobody";
      CHECK(outcome_of([&] { return books.accounts().get(no); }) == "not_found");
      CHECK(outcome_of([&] { books.give(no, 1, 1); }) == "not_found");
      CHECK(outcome_of([&] { return books.usage().record({no, "s", "o", 1}); }) == "not_found");
      CHECK(outcome_of([&] {
              return books.sessions().initialize({"s", no, "m", 1});
            }) == "not_found");
      CHECK(books.accounts().list().total == 0);
    });
  }

  TEST_CASE("accounts are listed newest first, in pages, all or by role") {
    for_each_database([](Books& books) {
      CHECK(books.accounts().list() == Page<UserAccount>{});
      for (int number = 1; number <= 5; ++number) {
        books.accounts().sync({.user_id = "u" + std::to_string(number),
                               .email = "e",
                               .username = "n",
                               .role = number % 2 == 0 ? Role::admin : Role::user});
        books.advance(1us);
      }
      const auto accounts = books.accounts();
      CHECK(ids_of(accounts.list()) == std::vector<std::string>{"u5", "u4", "u3", "u2", "u1"});

      const auto second = accounts.list({.page = 2, .limit = 2});
      CHECK(ids_of(second) == std::vector<std::string>{"u3", "u2"});
      CHECK(second.total == 5);
      CHECK(second.page == 2);
      CHECK(second.total_pages == 3);
      CHECK(ids_of(accounts.list({.page = 3, .limit = 2})) == std::vector<std::string>{"u1"});

      const auto beyond = accounts.list({.page = 4, .limit = 2});
      CHECK(beyond.items.empty());
      CHECK(beyond.total == 5);
      CHECK(beyond.page == 4);

      const auto admins = accounts.list({.role = Role::admin});
      CHECK(ids_of(admins) == std::vector<std::string>{"u4", "u2"});
      CHECK(admins.total == 2);
      CHECK(admins.total_pages == 1);
      CHECK(accounts.list({.role = Role::supervisor}) == Page<UserAccount>{});
    });
  }
}

}  // namespace accounting::testing
