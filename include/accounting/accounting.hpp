// Accounting: opens a database of prepaid credits and hands out its services. Start here.
#pragma once

#include <accounting/accounts.hpp>
#include <accounting/api_keys.hpp>
#include <accounting/audit.hpp>
#include <accounting/clock.hpp>
#include <accounting/credits.hpp>
#include <accounting/error.hpp>
#include <accounting/export.hpp>
#include <accounting/identity.hpp>
#include <accounting/on_behalf_of.hpp>
#include <accounting/options.hpp>
#include <accounting/price.hpp>
#include <accounting/pricing.hpp>
#include <accounting/sessions.hpp>
#include <accounting/types.hpp>
#include <accounting/usage.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace accounting {

/// Something that `verify` found wrong.
struct Problem {
  std::string invariant;  ///< "I1" … "I6"; "chain" where the journal's hashes do not fit
  std::string user_id;    ///< the account concerned
  std::string detail;     ///< what was found, what was expected, in which rows

  friend bool operator==(const Problem&, const Problem&) = default;
};

struct VerifyReport {
  bool ok = true;
  std::vector<Problem> problems;
  std::int64_t accounts = 0;       ///< looked at
  std::int64_t allocations = 0;    ///< looked at
  std::int64_t sessions = 0;       ///< looked at
  std::int64_t usage_records = 0;  ///< looked at
  std::int64_t entries = 0;        ///< journal entries looked at

  friend bool operator==(const VerifyReport&, const VerifyReport&) = default;
};

/// How the books compare with a checkpoint.
struct CheckpointReport {
  bool ok = true;
  std::vector<Problem> problems;  ///< what the books lack, account by account
  Timestamp created_at;           ///< when the checkpoint was made
  std::int64_t accounts = 0;      ///< that it names
  std::int64_t entries = 0;       ///< journal entries that it covers

  friend bool operator==(const CheckpointReport&, const CheckpointReport&) = default;
};

struct PoolStatus {
  std::int64_t size = 0;    ///< connections at most
  std::int64_t open = 0;    ///< connections that exist
  std::int64_t in_use = 0;  ///< connections at work

  friend bool operator==(const PoolStatus&, const PoolStatus&) = default;
};

struct Health {
  bool ok = false;       ///< the database answers and its schema is this version's
  std::string service;   ///< "accounting"
  std::string version;   ///< of the library
  Timestamp time;        ///< of the books' clock
  std::string database;  ///< "sqlite" or "postgresql"
  bool reachable = false;
  std::int64_t schema_version = 0;  ///< 0: empty or unreachable
  std::int64_t pending_migrations = 0;
  PoolStatus pool;
  std::optional<std::chrono::microseconds> clock_skew;  ///< the database's clock minus the books'
  std::string problem;                                  ///< in a sentence, where not ok; else empty

  friend bool operator==(const Health&, const Health&) = default;
};

/// The services inside one database transaction: all that is done through them happens at commit,
/// or not at all. Belongs to the thread that began it: calls from another throw Conflict, and so do
/// calls after its end. Accounts are locked when first written to; name the ones that will be
/// written to `users` where there are several, so that they are locked in order.
/// While a thread has a transaction open, its direct calls on the books are refused with Conflict:
/// they would wait for the transaction itself.
class ACCOUNTING_EXPORT Transaction {
 public:
  explicit Transaction(std::shared_ptr<const services::Context> context);
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  /// Rolls back what was not committed.
  ~Transaction();

  [[nodiscard]] Accounts accounts();
  [[nodiscard]] Credits credits();
  [[nodiscard]] Sessions sessions();
  [[nodiscard]] Usage usage();
  [[nodiscard]] Pricing pricing();
  [[nodiscard]] ApiKeys api_keys();

  /// Makes everything take effect. Errors: OutcomeUnknown, StoreError.
  void commit();
  /// Undoes everything. Harmless after commit.
  void rollback() noexcept;

 private:
  friend class Accounting;
  std::shared_ptr<const services::Context> context_;
};

/// The books: one database, opened. Thread-safe; movable. Handles taken from it keep it open.
class ACCOUNTING_EXPORT Accounting {
 public:
  /// Opens a database. A database whose schema is missing or older opens too, for `migrate`;
  /// until then every other call throws MigrationError. Errors: InvalidArgument (the URL, an
  /// option), ConnectionLost, MigrationError (newer than the library, or changed).
  static Accounting open(const Options& options = {});

  Accounting(Accounting&&) noexcept;
  Accounting& operator=(Accounting&&) noexcept;
  Accounting(const Accounting&) = delete;
  Accounting& operator=(const Accounting&) = delete;
  ~Accounting();

  [[nodiscard]] Accounts accounts() const;
  [[nodiscard]] Credits credits() const;
  [[nodiscard]] Sessions sessions() const;
  [[nodiscard]] Usage usage() const;
  [[nodiscard]] Pricing pricing() const;
  [[nodiscard]] ApiKeys api_keys() const;
  [[nodiscard]] Audit audit() const;

  /// Whom a token proves to call. Its account is there afterwards: created on first sight, brought
  /// up to date where a claim differs. Errors: Unauthenticated, StoreError.
  Principal authenticate(std::string_view token, const JwtVerifier& verifier) const;

  /// The services as a principal may use them, by the role in its token. Errors: InvalidArgument.
  [[nodiscard]] OnBehalfOf on_behalf_of(const Principal& principal) const;
  /// The services as a key may use them: what both the key's permissions and its owner's present
  /// role allow. Validate the key for each request of its bearer: of a revoked key the identity
  /// knows nothing, except that it issues and changes no other key. Errors: InvalidArgument.
  [[nodiscard]] OnBehalfOf on_behalf_of(const KeyIdentity& identity) const;

  /// Begins a transaction that the caller commits, never re-run. `users` are locked up front, in
  /// order. Errors: NotFound (one of `users`).
  [[nodiscard]] Transaction transaction(const std::vector<std::string>& users = {});

  /// Runs `work` in a transaction and commits it; what `work` throws rolls it back. Re-run from
  /// the start where the database asks for another try, so `work` must have no effect elsewhere.
  /// All its runs share one `Options::call_timeout`, in which what `work` does between its calls
  /// does not count. Answers what `work` answers.
  template <class Work>
  auto transact(Work&& work, const std::vector<std::string>& users = {}) {
    using Answer = std::remove_cvref_t<std::invoke_result_t<Work&, Transaction&>>;
    if constexpr (std::is_void_v<Answer>) {
      run_transaction([&work](Transaction& transaction) { work(transaction); }, users);
    } else {
      std::optional<Answer> answer;
      run_transaction([&](Transaction& transaction) { answer.emplace(work(transaction)); }, users);
      return std::move(*answer);
    }
  }

  /// Brings the schema up to this version; safe when several processes do it at once. Answers the
  /// schema's version. Errors: MigrationError.
  std::int64_t migrate();
  /// The version of the schema; 0 where the database is empty.
  [[nodiscard]] std::int64_t schema_version() const;

  /// Proves that the books balance: invariants I1 to I6 and the hash chain of the journal, over all
  /// rows, in one snapshot.
  [[nodiscard]] VerifyReport verify() const;
  /// What the journals are now, signed: a text to be kept where nobody who can write the database
  /// can write. `private_key`: an Ed25519 key as PEM (`openssl genpkey -algorithm ed25519`),
  /// without a password; not kept. Errors: InvalidArgument (private_key), StoreError.
  [[nodiscard]] std::string checkpoint(std::string_view private_key) const;
  /// Whether these books, say a restored backup, hold every journal entry that the checkpoint
  /// covers, unchanged; later entries do not matter. Reads the whole journal, and proves nothing of
  /// the other tables: `verify` does. Errors: InvalidArgument (checkpoint: changed, or signed with
  /// another key; public_key), StoreError.
  [[nodiscard]] CheckpointReport verify_checkpoint(std::string_view checkpoint,
                                                   std::string_view public_key) const;
  /// Never throws for a database that is out of reach: it says so.
  [[nodiscard]] Health health() const;

  /// Closes every idle connection now, and the others as their calls end. Calls after it throw
  /// Conflict, as do those that wait for others then. Harmless when repeated.
  void close() noexcept;

 private:
  explicit Accounting(std::shared_ptr<const services::Context> context);
  void run_transaction(const std::function<void(Transaction&)>& work,
                       const std::vector<std::string>& users);

  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
