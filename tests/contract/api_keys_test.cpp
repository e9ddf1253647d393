// API keys: issued once, validated until they are suspended, expired, revoked or deleted.
#include "support/books.hpp"
#include "support/long_run.hpp"

#include <atomic>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace accounting::testing {
namespace {

using Words = std::vector<std::string>;

ApiKeys keys_of(Books& books) { return books.accounting().api_keys(); }

std::string validated(Books& books, const std::string& key) {
  return outcome_of([&] { return keys_of(books).validate(key); });
}

/// The key with one character replaced by another of the alphabet.
std::string with_slip(std::string key, std::size_t at) {
  key[at] = key[at] == 'x' ? 'y' : 'x';
  return key;
}

}  // namespace

TEST_SUITE("API keys") {
  TEST_CASE("a key is issued with its secret and listed without") {
    for_each_database([](Books& books) {
      books.account("ada");
      const IssuedApiKey issued =
          keys_of(books).create({.user_id = "ada",
                                 .name = "build server",
                                 .permissions = {"usage:write", "credits:read", "usage:write"},
                                 .expiry_days = 30});
      CHECK(std::regex_match(issued.key, std::regex("acct_[0-9A-Za-z]{46}")));
      const ApiKey expected{.id = 1,
                            .user_id = "ada",
                            .name = "build server",
                            .prefix = "acct",
                            .last_four = issued.key.substr(issued.key.size() - 4),
                            .permissions = {"usage:write", "credits:read"},
                            .is_active = true,
                            .created_at = kStart,
                            .expires_at = kStart + days(30),
                            .last_used = std::nullopt,
                            .revoked_at = std::nullopt};
      CHECK(issued.api_key == expected);
      CHECK(keys_of(books).list("ada") == std::vector<ApiKey>{expected});
      CHECK(keys_of(books).validate(issued.key) ==
            KeyIdentity{
                .user_id = "ada", .permissions = {"usage:write", "credits:read"}, .key_id = 1});
    });
  }

  TEST_CASE("keys differ, and count within their account") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob");
      std::set<std::string> secrets;
      for (std::int64_t id = 1; id <= 20; ++id) {
        const IssuedApiKey issued = keys_of(books).create({.user_id = "ada", .name = "same"});
        CHECK(issued.api_key.id == id);
        secrets.insert(issued.key);
      }
      CHECK(secrets.size() == 20);
      CHECK(keys_of(books).create({.user_id = "bob", .name = "same"}).api_key.id == 1);
    });
  }

  TEST_CASE("what is not a valid key is refused in the same words") {
    for_each_database([](Books& books) {
      books.account("ada");
      const std::string key = keys_of(books).create({.user_id = "ada", .name = "k"}).key;
      const std::string other = keys_of(books).create({.user_id = "ada", .name = "l"}).key;
      keys_of(books).remove({.key_id = 2, .user_id = "ada"});
      Words refused = {"",
                       "acct_",
                       key + "0",
                       key.substr(0, key.size() - 1),
                       " " + key,
                       other,
                       "ACCT" + key.substr(4),
                       key + "\n",
                       std::string("\0", 1) + key};
      for (std::size_t at = 0; at < key.size(); ++at) {
        refused.push_back(with_slip(key, at));
      }
      std::set<std::string> messages;
      for (const std::string& wrong : refused) {
        CAPTURE(wrong);
        CHECK(validated(books, wrong) == "invalid_api_key");
        try {
          static_cast<void>(keys_of(books).validate(wrong));
        } catch (const InvalidApiKey& error) {
          messages.insert(error.what());
        }
      }
      CHECK(messages.size() == 1);
      CHECK(validated(books, key) == "ok");
    });
  }

  TEST_CASE("an expired key is refused from its end on") {
    for_each_database([](Books& books) {
      books.account("ada");
      const std::string key =
          keys_of(books).create({.user_id = "ada", .name = "k", .expiry_days = 1}).key;
      books.advance(days(1) - 1us);
      CHECK(validated(books, key) == "ok");
      books.advance(1us);
      CHECK(validated(books, key) == "invalid_api_key");
    });
  }

  TEST_CASE("a key is renamed, re-permissioned, suspended and resumed") {
    for_each_database([](Books& books) {
      books.account("ada");
      const std::string key = keys_of(books).create({.user_id = "ada", .name = "k"}).key;
      const auto update = [&](UpdateApiKeyRequest request) {
        request.key_id = 1;
        request.user_id = "ada";
        return keys_of(books).update(request);
      };
      CHECK(update({.name = "better"}).name == "better");
      CHECK(update({.permissions = Words{"usage:read"}}).permissions == Words{"usage:read"});
      CHECK(keys_of(books).validate(key).permissions == Words{"usage:read"});
      CHECK_FALSE(update({.is_active = false}).is_active);
      CHECK(validated(books, key) == "invalid_api_key");
      CHECK(update({.is_active = true}).name == "better");
      CHECK(validated(books, key) == "ok");
    });
  }

  TEST_CASE("revocation is final") {
    for_each_database([](Books& books) {
      books.account("ada");
      const std::string key = keys_of(books).create({.user_id = "ada", .name = "k"}).key;
      const ApiKeyRequest first{.key_id = 1, .user_id = "ada"};
      const ApiKey revoked = keys_of(books).revoke(first);
      CHECK(revoked.revoked_at == kStart);
      CHECK_FALSE(revoked.is_active);
      CHECK(validated(books, key) == "invalid_api_key");
      books.advance(1h);
      CHECK(keys_of(books).revoke(first) == revoked);
      CHECK(outcome_of([&] {
              return keys_of(books).update({.key_id = 1, .user_id = "ada", .is_active = true});
            }) == "conflict");
      CHECK(outcome_of([&] { return keys_of(books).rotate(first); }) == "conflict");
      CHECK(keys_of(books).list("ada") == std::vector<ApiKey>{revoked});
    });
  }

  TEST_CASE("a rotated key overlaps its successor for a day") {
    for_each_database([](Books& books) {
      books.account("ada");
      const IssuedApiKey old = keys_of(books).create(
          {.user_id = "ada", .name = "k", .permissions = {"usage:read"}, .expiry_days = 30});
      books.advance(days(10));
      const IssuedApiKey successor = keys_of(books).rotate({.key_id = 1, .user_id = "ada"});
      CHECK(successor.key != old.key);
      CHECK(successor.api_key.id == 2);
      CHECK(successor.api_key.permissions == Words{"usage:read"});
      CHECK(successor.api_key.expires_at == kStart + days(40));
      CHECK(validated(books, old.key) == "ok");
      CHECK(validated(books, successor.key) == "ok");
      books.advance(days(1));
      CHECK(validated(books, old.key) == "invalid_api_key");
      CHECK(validated(books, successor.key) == "ok");
      CHECK(outcome_of([&] { return keys_of(books).rotate({.key_id = 1, .user_id = "ada"}); }) ==
            "conflict");
    });
  }

  TEST_CASE("each successor is issued for as long as the first key was") {
    for_each_database([](Books& books) {
      books.account("ada");
      keys_of(books).create({.user_id = "ada", .name = "for ever"});
      keys_of(books).create({.user_id = "ada", .name = "30 days", .expiry_days = 30});
      for (int again = 0; again < 2; ++again) {
        const auto rotated = [&](std::int64_t key_id) {
          return keys_of(books).rotate({.key_id = key_id, .user_id = "ada"}).api_key.expires_at;
        };
        CHECK_FALSE(rotated(1).has_value());
        CHECK(rotated(2) == kStart + days(30));
      }
      CHECK(keys_of(books).list("ada").at(0).expires_at == kStart + days(1));
    });
  }

  TEST_CASE("a suspended key is not rotated") {
    for_each_database([](Books& books) {
      books.account("ada");
      keys_of(books).create({.user_id = "ada", .name = "k"});
      keys_of(books).update({.key_id = 1, .user_id = "ada", .is_active = false});
      CHECK(outcome_of([&] { return keys_of(books).rotate({.key_id = 1, .user_id = "ada"}); }) ==
            "conflict");
      CHECK(keys_of(books).list("ada").size() == 1);
    });
  }

  TEST_CASE("a use neither waits for a writer nor is noted inside a transaction") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada");
      const std::string key = keys_of(books).create({.user_id = "ada", .name = "k"}).key;
      {
        Transaction writer = books.accounting().transaction();
        writer.api_keys().update({.key_id = 1, .user_id = "ada", .name = "renamed"});
        CHECK(writer.api_keys().validate(key).key_id == 1);
        const auto begin = std::chrono::steady_clock::now();
        std::jthread([&] { CHECK(keys_of(books).validate(key).key_id == 1); }).join();
        // The lock would be waited for ten seconds long.
        CHECK(std::chrono::steady_clock::now() - begin < 5s);
      }
      CHECK_FALSE(keys_of(books).list("ada").front().last_used.has_value());
      static_cast<void>(keys_of(books).validate(key));
      CHECK(keys_of(books).list("ada").front().last_used == kStart);
    });
  }

  TEST_CASE("a rotated key does not live longer than it would have") {
    for_each_database([](Books& books) {
      books.account("ada");
      const std::string key =
          keys_of(books).create({.user_id = "ada", .name = "k", .expiry_days = 1}).key;
      books.advance(23h);
      keys_of(books).rotate({.key_id = 1, .user_id = "ada"});
      books.advance(1h);
      CHECK(validated(books, key) == "invalid_api_key");
    });
  }

  TEST_CASE("a deleted key is in no list, and its audit stays") {
    for_each_database([](Books& books) {
      books.account("ada");
      const std::string key = keys_of(books).create({.user_id = "ada", .name = "k"}).key;
      keys_of(books).remove({.key_id = 1, .user_id = "ada"});
      keys_of(books).remove({.key_id = 1, .user_id = "ada"});
      CHECK(keys_of(books).list("ada").empty());
      CHECK(validated(books, key) == "invalid_api_key");
      CHECK(outcome_of([&] { return keys_of(books).revoke({.key_id = 1, .user_id = "ada"}); }) ==
            "not_found");
      const auto audit = books.accounting().audit().list({.user_id = "ada"});
      REQUIRE(audit.total == 3);  // the account, the key, its end
      CHECK(audit.items.front().operation == "api_keys.delete");
      CHECK(audit.items.front().subject == "1");
      CHECK(keys_of(books).create({.user_id = "ada", .name = "l"}).api_key.id == 2);
    });
  }

  TEST_CASE("the last use is noted at most once a minute") {
    for_each_database([](Books& books) {
      books.account("ada");
      const std::string key = keys_of(books).create({.user_id = "ada", .name = "k"}).key;
      const auto use_after = [&](std::chrono::microseconds wait) {
        books.advance(wait);
        static_cast<void>(keys_of(books).validate(key));
        return keys_of(books).list("ada").front().last_used;
      };
      CHECK(use_after(0s) == kStart);
      CHECK(use_after(1min - 1us) == kStart);
      CHECK(use_after(1us) == kStart + 1min);
    });
  }

  TEST_CASE("arguments are checked, and the account and the key must be there") {
    for_each_database([](Books& books) {
      books.account("ada");
      const auto create = [&](CreateApiKeyRequest request) {
        return outcome_of([&] { return keys_of(books).create(request); });
      };
      CHECK(create({.user_id = "ada", .name = ""}) == "invalid_argument(name)");
      CHECK(create({.user_id = "ada", .name = std::string(101, 'n')}) == "invalid_argument(name)");
      CHECK(create({.user_id = "", .name = "k"}) == "invalid_argument(user_id)");
      CHECK(create({.user_id = "ada", .name = "k", .permissions = {"credit:read"}}) ==
            "invalid_argument(permissions)");
      CHECK(create({.user_id = "ada", .name = "k", .expiry_days = 0}) ==
            "invalid_argument(expiry_days)");
      CHECK(create({.user_id = "eve", .name = "k"}) == "not_found");
      CHECK(outcome_of([&] { return keys_of(books).list("eve"); }) == "not_found");
      for (const std::int64_t key_id : {std::int64_t{1}, INT64_MAX}) {
        CHECK(outcome_of([&] {
                return keys_of(books).rotate({.key_id = key_id, .user_id = "ada"});
              }) == "not_found");
      }
      CHECK(outcome_of([&] { return keys_of(books).rotate({.key_id = 0, .user_id = "ada"}); }) ==
            "invalid_argument(key_id)");
    });
  }

  TEST_CASE("a pepper is part of a key's hash") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada");
      Options options = books.options();
      options.api_key_pepper = std::string(32, 'p');
      const Accounting peppered = Accounting::open(options);
      const std::string key = peppered.api_keys().create({.user_id = "ada", .name = "k"}).key;
      CHECK(peppered.api_keys().validate(key).key_id == 1);
      CHECK(validated(books, key) == "invalid_api_key");
    });
  }

  TEST_CASE("no use is accepted once a revocation has returned") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada");
      const bool is_long = is_long_run();
      const int races = is_long ? 5'000 : 150;
      int accepted_before = 0;
      int refused = 0;
      for (int race = 0; race < races; ++race) {
        const IssuedApiKey issued = keys_of(books).create({.user_id = "ada", .name = "k"});
        std::atomic<bool> is_revoked = false;
        std::atomic<int> accepted_after = 0;
        std::atomic<int> started = 0;
        std::vector<std::jthread> users;
        for (int user = 0; user < 2; ++user) {
          users.emplace_back([&] {
            for (bool valid = true; valid;) {
              const bool was_revoked = is_revoked;
              valid = validated(books, issued.key) == "ok";
              ++started;
              accepted_after += valid && was_revoked ? 1 : 0;
            }
          });
        }
        while (started < 2) {
          std::this_thread::yield();
        }
        keys_of(books).revoke({.key_id = issued.api_key.id, .user_id = "ada"});
        is_revoked = true;
        users.clear();
        accepted_before += started - 2;
        refused += 2;
        REQUIRE(accepted_after == 0);
      }
      MESSAGE(races << " races: " << accepted_before << " uses accepted before the revocation, "
                    << refused << " refused after, none accepted after");
    });
  }
}

}  // namespace accounting::testing
