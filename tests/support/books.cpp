#include "support/books.hpp"

#include "support/databases.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <mutex>
#include <ostream>
#include <stdexcept>
#include <thread>

namespace accounting::testing {
namespace {

constexpr std::array kDatabases = {Database::sqlite_memory, Database::sqlite_file,
                                   Database::postgresql, Database::postgresql_unpipelined,
                                   Database::postgresql_partitioned};

bool is_postgresql(Database database) { return database >= Database::postgresql; }

/// Rebuilds the tables that grow with use as tables partitioned by hash of user_id, as a sharded
/// database would have them. Only what the catalog says is used, so every key must lead by user.
constexpr const char* kPartitionGrowingTables = R"sql(
DO $$
DECLARE
  growing text[] := ARRAY['user_accounts', 'credit_allocations', 'usage_records',
    'streaming_sessions', 'session_slices', 'credit_entries', 'idempotency_keys', 'usage_rollups',
    'audit_entries'];
  name text;
  key record;
BEGIN
  CREATE TEMPORARY TABLE saved_triggers ON COMMIT DROP AS
    SELECT pg_get_triggerdef(pg_trigger.oid) AS definition
      FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
     WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace;
  CREATE TEMPORARY TABLE saved_keys ON COMMIT DROP AS
    SELECT conrelid::regclass::text AS child, conname::text AS name,
           pg_get_constraintdef(oid) AS definition
      FROM pg_constraint
     WHERE contype = 'f' AND connamespace = current_schema()::regnamespace;
  FOR key IN SELECT * FROM saved_keys LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.child, key.name);
  END LOOP;
  FOREACH name IN ARRAY growing LOOP
    EXECUTE format('ALTER TABLE %I RENAME TO %I', name, name || '_plain');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) PARTITION BY HASH (user_id)',
                   name, name || '_plain');
    FOR remainder IN 0..3 LOOP
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 4, REMAINDER %s)',
                     name || '_' || remainder, name, remainder);
    END LOOP;
    EXECUTE format('DROP TABLE %I', name || '_plain');
  END LOOP;
  FOR key IN SELECT * FROM saved_keys LOOP
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', key.child, key.name, key.definition);
  END LOOP;
  FOR key IN SELECT * FROM saved_triggers LOOP
    EXECUTE key.definition;
  END LOOP;
END $$)sql";

/// Empties every table but those of the migrations, in whatever order their foreign keys allow;
/// also the journal and the audit trail, whose triggers refuse that to everybody else.
constexpr const char* kEmptyTables = R"sql(
DO $$
DECLARE
  name text;
  refused integer;
BEGIN
  ALTER TABLE credit_entries DISABLE TRIGGER USER;
  ALTER TABLE audit_entries DISABLE TRIGGER USER;
  LOOP
    refused := 0;
    FOR name IN SELECT relname FROM pg_class
                 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
                   AND NOT relispartition AND relname NOT LIKE 'accounting\_%' LOOP
      BEGIN
        EXECUTE format('DELETE FROM %I', name);
      EXCEPTION WHEN foreign_key_violation THEN
        refused := refused + 1;
      END;
    END LOOP;
    EXIT WHEN refused = 0;
  END LOOP;
  ALTER TABLE credit_entries ENABLE TRIGGER USER;
  ALTER TABLE audit_entries ENABLE TRIGGER USER;
END $$)sql";

/// The schema that a database's tests share: made once, because making it takes longer than most
/// tests do, and emptied for each.
const std::string& shared_schema(Database database) {
  static std::map<Database, FreshSchema> schemas;
  auto found = schemas.find(database);
  if (found == schemas.end()) {
    found = schemas.try_emplace(database, postgresql_url().value()).first;
    Accounting::open({.database = found->second.url(), .migrate = true});
    if (database == Database::postgresql_partitioned) {
      run_sql(found->second.url(), kPartitionGrowingTables);
    }
  }
  return found->second.url();
}

}  // namespace

bool is_available_or_skip(Database database) {
  if (!is_postgresql(database) || postgresql_url()) {
    return true;
  }
  static std::map<Database, bool> said;
  if (!std::exchange(said[database], true)) {
    MESSAGE("SKIPPED on " << to_string(database) << ": ACCOUNTING_TEST_POSTGRESQL is not set");
    std::cerr << "*** SKIPPED on " << to_string(database)
              << ": ACCOUNTING_TEST_POSTGRESQL is not set ***\n";
  }
  return false;
}

std::string_view to_string(Database database) noexcept {
  switch (database) {
    case Database::sqlite_memory:
      return "SQLite in memory";
    case Database::sqlite_file:
      return "SQLite file";
    case Database::postgresql:
      return "PostgreSQL";
    case Database::postgresql_unpipelined:
      return "PostgreSQL without pipelining";
    case Database::postgresql_partitioned:
      return "PostgreSQL partitioned by user";
  }
  return "unknown";
}

// --- Books ---------------------------------------------------------------------------------------

Books::Books(Database database, const Setup& setup)
    : database_(database), clock_(std::make_shared<ManualClock>(kStart)) {
  options_.policy = setup.policy;
  options_.pool_size = setup.pool_size;
  options_.clock = clock_;
  options_.pipeline = database != Database::postgresql_unpipelined;
  // As a sharded database would have it: no statement that locks or writes is about several users.
  options_.share_statements = database != Database::postgresql_partitioned;
  if (database == Database::sqlite_memory) {
    options_.database = "sqlite://";
  } else if (database == Database::sqlite_file) {
    auto directory = std::make_shared<TemporaryDirectory>();
    options_.database = directory->sqlite_url();
    storage_ = directory;
  } else if (setup.own_schema) {
    auto schema = std::make_shared<FreshSchema>(postgresql_url().value());
    options_.database = schema->url();
    storage_ = schema;
    Accounting::open({.database = options_.database, .migrate = true});
    if (database == Database::postgresql_partitioned) {
      run_sql(options_.database, kPartitionGrowingTables);
    }
  } else {
    options_.database = shared_schema(database);
    run_sql(options_.database, kEmptyTables);
  }
  accounting_.emplace(Accounting::open(options_));
}

Books::Books(Database database, const Options& options)
    : database_(database), clock_(std::make_shared<ManualClock>(kStart)), options_(options) {
  options_.clock = clock_;
  options_.migrate = true;
  accounting_.emplace(Accounting::open(options_));
}

Books::~Books() = default;

void Books::account(const std::string& user_id, std::int64_t credits) {
  accounts().sync({.user_id = user_id, .email = user_id + "@example.org", .username = user_id});
  if (credits > 0) {
    this->credits().allocate({.user_id = user_id, .credits = credits, .allocated_by = "admin"});
  }
}

CreditAllocation Books::give(const std::string& user_id, std::int64_t credits,
                             std::int64_t for_days) {
  return this->credits().allocate(
      {.user_id = user_id, .credits = credits, .allocated_by = "admin", .expiry_days = for_days});
}

void Books::price(const std::string& model_id, const Price& per_1k_tokens) {
  pricing().set(
      {.model_id = model_id, .price_per_1k_tokens = per_1k_tokens, .created_by = "admin"});
}

std::int64_t Books::balance(const std::string& user_id) const {
  return credits().balance(user_id).total_credits;
}

std::int64_t Books::held(const std::string& user_id) const {
  return credits().balance(user_id).held_credits;
}

CreditAllocation Books::allocation(const std::string& user_id, std::int64_t id) const {
  const auto page = credits().history({.user_id = user_id, .limit = 1'000});
  const auto found =
      std::ranges::find_if(page.items, [&](const auto& item) { return item.id == id; });
  REQUIRE(found != page.items.end());
  return *found;
}

std::vector<CreditEntry> Books::entries(const std::string& user_id) const {
  return credits().entries({.user_id = user_id, .limit = 1'000});
}

std::vector<UsageRecord> Books::usage_of(const std::string& user_id) const {
  return usage().list({.user_id = user_id, .limit = 1'000});
}

Accounting Books::open_again(const Policy& policy) const {
  Options options = options_;
  options.policy = policy;
  return Accounting::open(options);
}

Accounting Books::open_again_with(const std::string& setting, const std::string& value) const {
  Options options = options_;
  // FreshSchema ends the URL with its `options`, already percent-encoded: one more is added.
  options.database += "%20-c" + setting + "%3D" + value;
  return Accounting::open(options);
}

std::string Books::tamper(const std::string& sql) const { return run_on(options_.database, sql); }

std::string run_on(const std::string& url, const std::string& sql) {
  constexpr std::string_view kSqlite = "sqlite:///";
  if (!url.starts_with(kSqlite)) {
    return run_sql(url, sql);
  }
  std::optional<std::string> answer;
  const auto take_first = [](void* answered, int columns, char** values, char**) {
    auto& first = *static_cast<std::optional<std::string>*>(answered);
    if (!first && columns > 0) {
      first = values[0] == nullptr ? "" : values[0];
    }
    return 0;
  };
  sqlite3* file = nullptr;
  std::string problem;
  if (sqlite3_open(url.c_str() + kSqlite.size(), &file) != SQLITE_OK ||
      sqlite3_exec(file, sql.c_str(), take_first, &answer, nullptr) != SQLITE_OK) {
    problem = sqlite3_errmsg(file);
  }
  sqlite3_close(file);
  if (!problem.empty()) {
    throw std::runtime_error(problem);
  }
  return answer.value_or("");
}

// --- running tests -------------------------------------------------------------------------------

void for_databases(const std::vector<Database>& databases, const Setup& setup,
                   const std::function<void(Books&)>& test) {
  for (const Database database : databases) {
    SUBCASE(to_string(database).data()) {
      if (!is_available_or_skip(database)) {
        continue;
      }
      // Caught here, because doctest finds the next database only where this one returns.
      try {
        Books books(database, setup);
        test(books);
        check_books_balance(books.accounting());
      } catch (const AccountingError& error) {
        FAIL_CHECK(describe(error) << ": " << error.what());
      }
    }
  }
}

void for_each_database(const Setup& setup, const std::function<void(Books&)>& test) {
  for_databases({kDatabases.begin(), kDatabases.end()}, setup, test);
}

void for_each_database(const std::function<void(Books&)>& test) { for_each_database({}, test); }

std::optional<std::string> shared_directory_or_skip() {
  const char* directory = std::getenv("ACCOUNTING_SHARED");
  if (directory == nullptr || *directory == '\0') {
    MESSAGE("SKIPPED: needs the shared data, and ACCOUNTING_SHARED is not set");
    std::cerr << "*** SKIPPED: needs the shared data, and ACCOUNTING_SHARED is not set ***\n";
    return std::nullopt;
  }
  return directory;
}

void in_threads(int count, const std::function<void(int)>& work) {
  std::barrier start(count);
  std::mutex mutex;
  std::exception_ptr failure;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < count; ++thread) {
      threads.emplace_back([&, thread] {
        start.arrive_and_wait();
        try {
          work(thread);
        } catch (...) {
          const std::lock_guard lock(mutex);
          failure = std::current_exception();
        }
      });
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace accounting::testing
