// Options: which database, whose clock, and the billing policy. Plain values, read at open.
#pragma once

#include <accounting/clock.hpp>
#include <accounting/export.hpp>
#include <accounting/price.hpp>
#include <accounting/types.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace accounting {

/// Where the unused part of a hold goes when a session ends.
enum class RefundPolicy {
  to_source,      ///< back to the allocations it was held from, last taken first
  new_allocation  ///< into one new allocation, as the original service did
};

/// What happens to use beyond the hold.
enum class OveragePolicy {
  charge,  ///< taken from the balance in burn order; what it cannot cover is `uncollected`
  absorb   ///< nothing more is taken
};

/// The billing rules that a host may choose. A plain value; a session keeps the one that it
/// began with.
struct ACCOUNTING_EXPORT Policy {
  /// Held beyond a session's estimate, in basis points (2000 is 20 %): 0 … 1,000,000.
  std::int64_t buffer = 2'000;
  /// Life of an allocation that names no expiry, in days: 1 … 1,000,000.
  std::int64_t allocation_expiry_days = 30;
  RefundPolicy refund = RefundPolicy::to_source;
  /// Life of a refund allocation under `new_allocation`, in days: 1 … 1,000,000.
  std::int64_t refund_expiry_days = 30;
  OveragePolicy overage = OveragePolicy::charge;
  /// Prices for models that have no stored rule.
  std::map<std::string, Price, std::less<>> default_prices;
  /// Price for every other model; none refuses an unpriced model.
  std::optional<Price> fallback_price;
  /// How long a session may go without a sign of life before `expire_stale` ends it: more than 0.
  std::chrono::microseconds session_ttl = std::chrono::hours(1);

  /// The rules of the TypeScript service that this library replaces.
  static Policy original();

  friend bool operator==(const Policy&, const Policy&) = default;
};

enum class LogLevel { debug, info, warning, error };

/// Receives what the library has to say: retries, migrations, stored values that cannot be read.
/// Called from the thread that is at work, under none of the library's own locks, never with a
/// secret. It must not throw.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// How to open the books.
struct ACCOUNTING_EXPORT Options {
  /// `sqlite://` (in memory), `sqlite:///relative.db`, `sqlite:////absolute.db`, or
  /// `postgresql://user:password@host:port/name`. Empty: the environment's
  /// ACCOUNTING_DATABASE_URL, else DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD.
  std::string database = {};
  Policy policy = {};
  /// None: the machine's clock.
  std::shared_ptr<const Clock> clock = nullptr;
  /// Connections at most, 1 … 1,000. A database in memory always has one.
  std::int64_t pool_size = 4;
  /// True: bring the schema up to date on open. False: never. Not given: an empty SQLite database
  /// is set up, any other is left as it is.
  std::optional<bool> migrate = std::nullopt;

  /// How long a call may take in all, with everything below and all its tries: 2 s … a day. It is
  /// answered at most a second later. The calls of a `transaction` have it each; those of a
  /// `transact` share it, however often its work runs. Without limit are `migrate`, `verify`, and
  /// what the caller of a transaction does between two calls.
  std::chrono::milliseconds call_timeout = std::chrono::seconds(30);
  /// How long a call waits for room among those that wait, and for a free connection; and how long
  /// a connection waits for the server, and then once more for its settings to be taken. Where the
  /// URL names several hosts they share what is left of the call, and the addresses of a host its
  /// part. These and the three below take 1 ms … a day.
  std::chrono::milliseconds pool_timeout = std::chrono::seconds(10);
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
  /// How long one statement may run, and how long it may wait for a lock (on SQLite: for another
  /// writer; another process in whole seconds, rounded up), or a call for another of this process
  /// that is at work on the same account.
  std::chrono::milliseconds statement_timeout = std::chrono::seconds(15);
  std::chrono::milliseconds lock_timeout = std::chrono::seconds(10);
  /// How long PostgreSQL's host may leave what was sent to it unconfirmed.
  std::chrono::milliseconds tcp_user_timeout = std::chrono::seconds(10);
  /// How often a transaction is tried when the database asks for another try: 1 … 100.
  std::int64_t max_attempts = 8;
  /// PostgreSQL: send the statements of a trip together. Off, each pays its own round trip and
  /// nothing else changes.
  bool pipeline = true;
  /// PostgreSQL: calls of many users that share a transaction share its statements, too. Off, each
  /// lock and each write is a statement about one user (`user_id = $1`), as databases that are
  /// sharded by user want it, and nothing else changes.
  bool share_statements = true;

  /// What API keys begin with: 1 … 16 letters and digits. Keys with another prefix are unknown.
  std::string api_key_prefix = "acct";
  /// A secret of the host, 32 … 1,024 bytes, under which the hashes of API keys are made, so that
  /// a stolen database alone cannot be used to test guesses. Keys issued under another one, or
  /// under none, are unknown. Empty: none.
  std::string api_key_pepper = {};

  /// None: silent.
  LogSink log = nullptr;
};

}  // namespace accounting
