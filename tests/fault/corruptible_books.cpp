#include "fault/corruptible_books.hpp"

#include "support/text.hpp"

#include <functional>
#include <utility>

namespace accounting::testing {
namespace {

using EachUser = std::function<void(const std::function<void(const std::string&)>&)>;

/// #1 1,000 for 30 days, #2 70 for a day, #3 40 without expiry, #4 30 for 10 days, #5 20 for two
/// days, 7 of which are left at its expiry.
void allocate_and_charge(Books& books, const EachUser& each) {
  each([&](const std::string& user) {
    books.account(user);
    books.credits().allocate({.user_id = user,
                              .credits = 1'000,
                              .allocated_by = "admin",
                              .expiry_days = 30,
                              .idempotency_key = "grant"});
    books.give(user, 70, 1);
    books.credits().allocate(
        {.user_id = user, .credits = 40, .allocated_by = "admin", .never_expires = true});
    books.give(user, 30, 10);
    books.give(user, 20, 2);
    books.credits().deduct({user, 5, "d-1"});
    books.credits().charge({user, "chat", "m", 75, {}, "c-1"});
    books.credits().charge({user, "images", "draw", 3});
    books.usage().record({user, "images", "draw", 9, {}, "r-1"});
    books.usage().record({user, "embeddings", "embed", 2});
  });
}

void end_sessions(Books& books, const EachUser& each) {
  each([&](const std::string& user) {
    books.sessions().initialize({"refunded", user, "m", 20});
    books.sessions().initialize({"spread", user, "m", 20});
    books.sessions().initialize({"over", user, "m", 10});
  });
  books.advance(90s);
  each([&](const std::string& user) {
    books.sessions().finalize({"refunded", user, 12});
    books.sessions().finalize({"spread", user, 20});
    books.sessions().finalize({"over", user, 25});
    books.credits().deduct({user, 4, "d-2"});
  });
}

void end_sessions_otherwise(Books& books, const EachUser& each) {
  each([&](const std::string& user) {
    books.sessions().initialize({"failed", user, "m", 10});
    books.sessions().finalize({"failed", user, 6, false});
    books.sessions().initialize({"aborted", user, "m", TokenCounts{10, 10, 0}});
    books.sessions().abort({"aborted", user, TokenCounts{5, 1, 0}});
    books.sessions().initialize({"expired", user, "m", 10});
    books.sessions().report({"expired", user, 3});
  });
  books.advance(2h);
  books.sessions().expire_stale();
  const Accounting absorbing = books.open_again({.overage = OveragePolicy::absorb});
  const Accounting moving =
      books.open_again({.refund = RefundPolicy::new_allocation, .refund_expiry_days = 7});
  each([&](const std::string& user) {
    absorbing.sessions().initialize({"absorbed", user, "m", 10});
    absorbing.sessions().finalize({"absorbed", user, 20});
    moving.sessions().initialize({"moved", user, "m", 30});
    moving.sessions().finalize({"moved", user, 10});
  });
}

/// #6 is the refund of `moved`; #7 is revoked while `withdrawn` holds some of it, #8 untouched.
void revoke_and_hold(Books& books, const EachUser& each) {
  each([&](const std::string& user) {
    books.give(user, 50, 3);
    books.sessions().initialize({"withdrawn", user, "m", 10});
    books.credits().revoke({7, user, "admin"});
    books.advance(1s);
    books.sessions().finalize({"withdrawn", user, 4});
    books.give(user, 15, 20);
    books.credits().revoke({8, user, "admin"});
    books.sessions().initialize({"active", user, "m", 30});
    books.sessions().extend({"active", user, 10, "e-1"});
    books.sessions().report({"active", user, 5});
  });
}

/// `short` takes all that is left and more; #9 and #10 come after it.
void run_out_and_go_on(Books& books, const EachUser& each) {
  each([&](const std::string& user) {
    books.credits().charge({user, "chat", "n", 7, {}, "c-2"});
    books.sessions().initialize({"short", user, "m", 5});
    books.sessions().finalize({"short", user, 5'000});
    books.give(user, 100, 5);
    books.give(user, 60, 9);
    books.credits().deduct({user, 3});
    books.credits().charge({user, "chat", "m", 8, {}, "c-3"});
    books.usage().record({user, "images", "draw", 1, {}, "r-2"});
  });
}

/// What PostgreSQL would refuse a corruption with; JSON as text, so that it need not be any.
constexpr const char* kUnlockPostgresql = R"sql(
DO $$
DECLARE
  item record;
BEGIN
  FOR item IN SELECT conrelid::regclass::text AS owner, conname AS name FROM pg_constraint
               WHERE contype IN ('c', 'f') AND connamespace = current_schema()::regnamespace
               ORDER BY contype DESC LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.owner, item.name);
  END LOOP;
  FOR item IN SELECT pg_class.relname AS owner, tgname AS name
                FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
               WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace LOOP
    EXECUTE format('DROP TRIGGER %I ON %I', item.name, item.owner);
  END LOOP;
  FOR item IN SELECT table_name AS owner, column_name AS name FROM information_schema.columns
               WHERE table_schema = current_schema() AND data_type = 'jsonb' LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE text', item.owner, item.name);
  END LOOP;
END $$)sql";

}  // namespace

void live_two_lives(Books& books) {
  const EachUser each = [](const auto& live) {
    for (const char* user : {"ada", "bob"}) {
      live(user);
    }
  };
  books.price("m", "1000");
  allocate_and_charge(books, each);
  books.advance(days(2) + 1h);
  end_sessions(books, each);
  books.advance(days(1));
  end_sessions_otherwise(books, each);
  revoke_and_hold(books, each);
  books.advance(days(1));
  run_out_and_go_on(books, each);
}

CorruptibleBooks::CorruptibleBooks(Books& books) : books_(books) {
  unlock();
  for (const std::string& table : tables()) {
    columns_.emplace(
        table,
        books_.tamper(
            books_.on_postgresql()
                ? "SELECT string_agg(column_name, ', ') FROM information_schema.columns WHERE "
                  "table_schema = current_schema() AND is_generated = 'NEVER' AND table_name = '" +
                      table + "'"
                : "SELECT group_concat(name, ', ') FROM pragma_table_info('" + table + "')"));
    run("CREATE TABLE saved_" + table + " AS SELECT * FROM " + table);
  }
}

void CorruptibleBooks::unlock() const {
  if (books_.on_postgresql()) {
    books_.tamper(kUnlockPostgresql);
    return;
  }
  const std::string first = "SELECT name FROM sqlite_master WHERE type = 'trigger'";
  for (auto name = books_.tamper(first); !name.empty(); name = books_.tamper(first)) {
    books_.tamper("DROP TRIGGER " + name);
  }
}

std::string CorruptibleBooks::run(std::string sql) const {
  const bool postgresql = books_.on_postgresql();
  sql = replaced(std::move(sql), "{ada}", "user_id = 'ada'");
  for (const auto& [table, columns] : columns_) {
    sql = replaced(std::move(sql), "{columns:" + table + "}", columns);
  }
  sql = replaced(std::move(sql), "{tick}", postgresql ? "interval '1 microsecond'" : "1");
  sql = replaced(std::move(sql), "{day}", postgresql ? "interval '1 day'" : "86400000000");
  // SQLite's CHECKs cannot be dropped, only left out.
  const char* lenient = "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; ";
  const char* fast = "SET synchronous_commit = off; ";
  return books_.tamper((postgresql ? fast : lenient) + sql);
}

void CorruptibleBooks::restore() const {
  std::string sql = "BEGIN;";
  for (const auto& [table, columns] : columns_) {
    sql += "DELETE FROM " + table + "; INSERT INTO " + table + " (" + columns + ") SELECT " +
           columns + " FROM saved_" + table + ";";
  }
  run(sql + "COMMIT;");
}

const std::vector<std::string>& CorruptibleBooks::tables() {
  static const std::vector<std::string> names = {
      "user_accounts", "credit_allocations", "streaming_sessions", "session_slices",
      "usage_records", "credit_entries",     "idempotency_keys",   "usage_rollups"};
  return names;
}

std::string copy_of(const std::string& table, const std::string& where,
                    const std::string& changes) {
  const std::string columns = "{columns:" + table + "}";
  return "CREATE TABLE copied AS SELECT * FROM " + table + " WHERE " + where +
         "; UPDATE copied SET " + changes + "; INSERT INTO " + table + " (" + columns +
         ") SELECT " + columns + " FROM copied; DROP TABLE copied;";
}

}  // namespace accounting::testing
