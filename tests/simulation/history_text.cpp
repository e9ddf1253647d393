// How histories are printed when the simulation fails.
#include "simulation/history.hpp"

namespace accounting::testing {
namespace {

std::string text(const domain::Command& command) {
  return command.user_id + ": " + text_of(command.action) +
         (command.key ? " [" + command.key->key + "]" : "");
}

std::string text(const std::vector<domain::Command>& commands) {
  std::string list;
  for (const domain::Command& command : commands) {
    list += (list.empty() ? "" : "; ") + text(command);
  }
  return list;
}

struct DeedText {
  std::string operator()(const Call& deed) const { return text(deed.command); }
  std::string operator()(const CallMany& deed) const { return "together: " + text(deed.commands); }
  std::string operator()(const CallAtOnce& deed) const { return "at once: " + text(deed.commands); }
  std::string operator()(const CallDirect& deed) const {
    return "beside its transaction, if it has one: " + text(deed.command);
  }
  std::string operator()(const ExpireStale&) const { return "expire_stale"; }
  std::string operator()(const Query& deed) const {
    static constexpr std::array<const char*, query_kinds> names{
        "balance", "check", "history", "entries", "session", "active", "usage", "user_stats"};
    return std::string("asks for ") + names.at(static_cast<std::size_t>(deed.kind)) + " of " +
           deed.user_id + " " + deed.session_id + " " + std::to_string(deed.number) + " since " +
           since(deed.since_when);
  }
  std::string operator()(const Sync& deed) const {
    const SyncRequest& request = deed.request;
    return "sync " + request.user_id + " " + request.email +
           (request.role ? " " + std::string(to_string(*request.role)) : "");
  }
  std::string operator()(const SetPrice& deed) const {
    const SetPriceRequest& request = deed.request;
    return "price of " + request.model_id + " is " + request.price_per_1k_tokens.to_string() +
           " from " + (request.effective_from ? since(*request.effective_from) : "now") + " to " +
           since(request.effective_to);
  }
  std::string operator()(const Begin& deed) const {
    std::string users;
    for (const std::string& user : deed.users) {
      users += " " + user;
    }
    return "begins a transaction" + (users.empty() ? users : ", locks" + users);
  }
  std::string operator()(const Commit&) const { return "commits"; }
  std::string operator()(const RollBack&) const { return "rolls back"; }
  std::string operator()(const Retry&) const { return "asks again what is in doubt"; }
  std::string operator()(const Restart& deed) const {
    return "is restarted with policy " + std::to_string(deed.policy);
  }
  std::string operator()(const Jump& deed) const {
    return std::string(deed.everywhere ? "all clocks are" : "its clock is") + " set to " +
           since(deed.now);
  }
};

}  // namespace

std::string_view name_of(Point point) {
  static constexpr std::array<std::string_view, points> names{"begin",  "load", "store",
                                                              "commit", "read", "wait"};
  return names.at(static_cast<std::size_t>(point));
}

std::string_view name_of(MishapKind kind) {
  static constexpr std::array<std::string_view, mishap_kinds> names{
      "the database asks for another try",
      "the connection is lost",
      "the server is away",
      "the database refuses",
      "a timeout",
      "the commit takes effect, its answer is lost",
      "the commit is lost",
      "the process dies before",
      "the process dies after",
      "others work meanwhile"};
  return names.at(static_cast<std::size_t>(kind));
}

bool can_happen(Point point, MishapKind kind) {
  switch (kind) {
    case MishapKind::meanwhile:
      return true;
    case MishapKind::commit_lost_applied:
    case MishapKind::commit_lost_dropped:
      return point == Point::commit;
    default:
      return point != Point::wait;
  }
}

std::string_view name_of_deed(std::size_t index) {
  static constexpr std::array<std::string_view, std::variant_size_v<Deed>> names{
      "call",      "call many", "call at once", "call beside", "expire_stale",
      "query",     "sync",      "set price",    "begin",       "commit",
      "roll back", "retry",     "restart",      "clock jump"};
  return names.at(index);
}

std::string text_of(const Turn& turn) {
  return "client " + std::to_string(turn.client) + " " + std::visit(DeedText{}, turn.deed);
}

std::string text_of_world(const History& history) {
  const Sequence world{.seed = history.seed,
                       .users = history.users,
                       .rules = history.rules,
                       .policies = history.policies,
                       .steps = {}};
  return text_of(world) + std::to_string(history.clients) + " clients, max_attempts " +
         std::to_string(history.max_attempts) + ", loads 1/" +
         std::to_string(history.prefix_divisor) + "\n";
}

std::size_t size_of(const std::vector<Turn>& turns) {
  std::size_t size = 0;
  for (const Turn& turn : turns) {
    size += 1 + turn.mishaps.size();
    for (const Mishap& mishap : turn.mishaps) {
      size += size_of(mishap.meanwhile);
    }
  }
  return size;
}

}  // namespace accounting::testing
