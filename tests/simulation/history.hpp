// History: everything that happens in one run of the simulation, as plain data made from a seed, so
// that it can be played again, made smaller and printed.
#pragma once

#include "accounting/accounts.hpp"
#include "accounting/pricing.hpp"
#include "domain/command.hpp"
#include "property/sequence.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace accounting::testing {

/// Where a call can be met by something on its way through the store.
enum class Point { begin, load, store, commit, read, wait };
constexpr std::size_t points = 6;

enum class MishapKind {
  try_again,            ///< the database asks for another try
  connection_lost,      ///< at once
  server_away,          ///< the same, after longer than a connection is waited for
  refused,              ///< an error that another try would meet again
  busy,                 ///< a lock or statement timeout
  commit_lost_applied,  ///< the commit takes effect, its answer is lost
  commit_lost_dropped,  ///< the commit is lost with its answer
  dies,                 ///< the process, before what it was about to do
  dies_after,           ///< the process, after what it was about to do was done
  meanwhile             ///< others get to work in between
};
constexpr std::size_t mishap_kinds = 10;

/// Whether it can happen there: a commit can be lost at a commit only, and who waits is nowhere in
/// the store, so that others may come between and nothing else.
bool can_happen(Point point, MishapKind kind);

struct Turn;

/// Something that happens when a call comes to a point for the nth time.
struct Mishap {
  Point point = Point::begin;
  int nth = 1;
  MishapKind kind = MishapKind::try_again;
  std::vector<Turn> meanwhile;
};

// What a client may do. Where it has a transaction open, calls and queries are part of it.
struct Call {
  domain::Command command;
};
/// `allocate_many`, `record_many` or `charge_many`, by what the commands are.
struct CallMany {
  std::vector<domain::Command> commands;
};
/// Calls of any kind that several callers make at once, so that they share transactions.
struct CallAtOnce {
  std::vector<domain::Command> commands;
};
/// A call beside the client's own open transaction, which is refused; without one as `Call`.
struct CallDirect {
  domain::Command command;
};
struct ExpireStale {};
enum class QueryKind { balance, check, history, entries, session, active, usage, user_stats };
constexpr int query_kinds = 8;
struct Query {
  QueryKind kind = QueryKind::balance;
  std::string user_id;
  std::string session_id;
  std::int64_t number = 1;  ///< credits, page or limit
  Timestamp since_when;     ///< the start of the range
};
struct Sync {
  SyncRequest request;
};
struct SetPrice {
  SetPriceRequest request;
};
struct Begin {
  std::vector<std::string> users;
};
struct Commit {};
struct RollBack {};
/// Makes again the oldest call of which the client does not know what became of it.
struct Retry {};
/// The process ends while it is idle or in a transaction, and another one takes its place.
struct Restart {
  std::size_t policy = 0;
};
/// The client's clock is set; or all clocks.
struct Jump {
  Timestamp now;
  bool everywhere = true;
};

using Deed = std::variant<Call, CallMany, CallAtOnce, CallDirect, ExpireStale, Query, Sync,
                          SetPrice, Begin, Commit, RollBack, Retry, Restart, Jump>;

struct Turn {
  std::size_t client = 0;
  Deed deed;
  std::vector<Mishap> mishaps;
};

struct History {
  std::uint64_t seed = 0;
  std::vector<std::string> users;  ///< the accounts that exist at first
  std::vector<PricingRule> rules;
  std::vector<Policy> policies;
  std::size_t clients = 1;
  std::int64_t max_attempts = 8;
  std::int64_t prefix_divisor = 1;  ///< how much less than asked for is loaded of an account
  Timestamp start;
  std::vector<Turn> turns;
};

History random_history(std::uint64_t seed);

std::string_view name_of(Point point);
std::string_view name_of(MishapKind kind);
std::string_view name_of_deed(std::size_t index);
std::string text_of(const Turn& turn);
std::string text_of(const Mishap& mishap);
/// Accounts, prices, policies and settings.
std::string text_of_world(const History& history);

/// Calls and mishaps, those in between included.
std::size_t size_of(const std::vector<Turn>& turns);

}  // namespace accounting::testing
