// The audit trail: who changed accounts, prices and keys, in the transaction of the change.
#include "support/books.hpp"

#include <string>
#include <thread>
#include <vector>

namespace accounting::testing {
namespace {

std::vector<std::string> lines_of(const Page<AuditEntry>& page) {
  std::vector<std::string> lines;
  for (const AuditEntry& entry : page.items) {
    lines.push_back(entry.actor + " " + entry.operation + " " + entry.subject);
  }
  return lines;
}

}  // namespace

TEST_SUITE("audit") {
  TEST_CASE("every change has one entry, newest first, and no change has none") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.advance(1s);
      books.account("ada");  // as it was
      const auto admin =
          books.accounting().on_behalf_of(Principal{.user_id = "root", .role = Role::admin});
      admin.accounts().sync({.user_id = "ada", .email = "new@x.org", .username = "Ada"});
      books.advance(1s);
      admin.pricing().set({.model_id = "m",
                           .price_per_1k_tokens = "2.5",
                           .created_by = "root",
                           .effective_from = kStart});
      admin.pricing().set({.model_id = "m",
                           .price_per_1k_tokens = "2.5",
                           .created_by = "root",
                           .effective_from = kStart});  // as it was
      books.advance(1s);
      admin.api_keys().create({.user_id = "ada", .name = "k"});
      const auto all = books.accounting().audit().list();
      CHECK(lines_of(all) == std::vector<std::string>{
                                 "principal:root api_keys.create 1", "principal:root pricing.set m",
                                 "principal:root accounts.sync ada", "host accounts.sync ada"});
      CHECK(all.total == 4);
      CHECK(all.items.at(1).user_id.empty());
      CHECK(all.items.at(1).details.find("\"price_per_1k_tokens\":\"2.5\"") != std::string::npos);
      CHECK(all.items.at(0).created_at == kStart + 3s);
    });
  }

  TEST_CASE("a refused or abandoned change leaves no entry") {
    for_each_database([](Books& books) {
      books.account("ada");
      CHECK(outcome_of([&] {
              return books.accounting().api_keys().revoke({.key_id = 9, .user_id = "ada"});
            }) == "not_found");
      {
        Transaction abandoned = books.accounting().transaction();
        abandoned.api_keys().create({.user_id = "ada", .name = "k"});
        abandoned.pricing().set({.model_id = "m", .price_per_1k_tokens = 1, .created_by = "root"});
      }
      CHECK(books.accounting().audit().list().total == 1);
    });
  }

  TEST_CASE("entries are found by account and by actor, page by page") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob");
      books.advance(1s);
      for (int number = 0; number < 5; ++number) {
        books.accounting()
            .on_behalf_of(Principal{.user_id = "ada"})
            .api_keys()
            .create({.name = "k"});
      }
      const Audit audit = books.accounting().audit();
      CHECK(audit.list({.user_id = "ada"}).total == 6);
      CHECK(audit.list({.user_id = "bob"}).total == 1);
      CHECK(audit.list({.user_id = "eve"}).total == 0);
      CHECK(audit.list({.actor = "principal:ada"}).total == 5);
      CHECK(lines_of(audit.list({.user_id = "ada", .page = 2, .limit = 4})) ==
            std::vector<std::string>{"principal:ada api_keys.create 1", "host accounts.sync ada"});
      CHECK(outcome_of([&] { return audit.list({.limit = 0}); }) == "invalid_argument(limit)");
      CHECK(outcome_of([&] { return audit.list({.actor = std::string("a\0", 2)}); }) ==
            "invalid_argument(actor)");
      books.price("m", 1);
      CHECK(lines_of(audit.list({.user_id = ""})) ==
            std::vector<std::string>{"host pricing.set m"});
    });
  }

  TEST_CASE("the entries of an account are in the order of its changes") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      books.account("ada");
      books.account("bob");
      Transaction early = books.accounting().transaction();
      books.advance(1s);
      std::jthread([&] {
        books.accounts().sync(
            {.user_id = "bob", .email = "b@x.org", .username = "b", .role = Role::admin});
      }).join();
      early.accounts().sync(
          {.user_id = "bob", .email = "b@x.org", .username = "b", .role = Role::user});
      early.commit();
      const auto entries = books.accounting().audit().list({.user_id = "bob"}).items;
      CHECK(entries.at(0).details.find("\"role\":\"user\"") != std::string::npos);
      CHECK(entries.at(1).details.find("\"role\":\"admin\"") != std::string::npos);
    });
  }

  TEST_CASE("entries are never changed") {
    for_databases({Database::sqlite_file, Database::postgresql}, {}, [](Books& books) {
      books.account("ada");
      CHECK_THROWS(books.tamper("UPDATE audit_entries SET actor = 'nobody'"));
      CHECK_THROWS(books.tamper("DELETE FROM audit_entries"));
      books.give("ada", 5, 5);
      if (books.on_postgresql()) {
        CHECK_THROWS(books.tamper("TRUNCATE audit_entries"));
        CHECK_THROWS(books.tamper("TRUNCATE credit_entries"));
      } else {
        CHECK_THROWS(
            books.tamper("INSERT OR REPLACE INTO audit_entries SELECT user_id, id, 'nobody', "
                         "operation, subject, details, created_at FROM audit_entries"));
        CHECK_THROWS(books.tamper("REPLACE INTO credit_entries SELECT * FROM credit_entries"));
      }
      CHECK(books.accounting().audit().list().items.front().actor == "host");
    });
  }
}

}  // namespace accounting::testing
