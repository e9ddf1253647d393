// World: plays a history. Processes of the library over one simulated database, each call with what
// happens to it on the way, checked against the oracle after every step.
#pragma once

#include "property/requests.hpp"
#include "services/context.hpp"
#include "simulation/oracle.hpp"
#include "simulation/simulated_database.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

/// One process with the library in it, its clock, and the calls that its callers are left with.
struct Client {
  std::shared_ptr<ManualClock> clock;
  std::size_t policy = 0;
  std::shared_ptr<services::Books> books;
  SharedContext context;
  std::shared_ptr<services::OpenTransaction> open;
  SharedContext inside;
  std::optional<Transaction> transaction;  ///< over `inside`
  bool transaction_failed = false;
  std::deque<Deed> in_doubt;  ///< outlives the process: its callers know
};

class World final : public Watcher {
 public:
  World(const History& history, Tally& tally, StoreBug bug = StoreBug::none,
        std::string* log = nullptr);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() override;

  /// What went wrong first, if anything did.
  Complaint play();

  Fate about_to(Point point) override;
  void began(SimulatedUnit& unit) override;
  void lock_was_refused(SimulatedUnit& unit) override;
  void left_out() override;
  void insert_was_late() override;
  void loaded_again() override { tally_.census.note(Event::loaded_again); }
  void decided_from_memory(bool unchanged) override {
    (unchanged ? tally_.from_memory : tally_.memory_outdated) += 1;
  }
  void looked_for_stale_sessions(Timestamp now, std::int64_t limit) override;
  void committed(SimulatedUnit& unit) override;
  void acknowledged(SimulatedUnit& unit) override;
  void rolled_back(SimulatedUnit& unit) noexcept override;
  void report(const std::string& problem) override;
  [[nodiscard]] Timestamp now() const override;

  std::chrono::steady_clock::time_point monotonic;

 private:
  void start(Client& client, std::size_t policy);
  void stop(Client& client);
  void run(const Turn& turn);
  void settle();
  /// A commit without a transaction, say.
  static bool has_nothing_to_do(const Client& client, const Deed& deed);

  // One for each deed; `client` is the one that does it.
  void act(Client& client, const Call& deed);
  void act(Client& client, const CallMany& deed);
  void act(Client& client, const CallAtOnce& deed);
  void act(Client& client, const CallDirect& deed);
  void act(Client& client, const ExpireStale& deed);
  void act(Client& client, const Query& deed);
  void act(Client& client, const Sync& deed);
  void act(Client& client, const SetPrice& deed);
  void act(Client& client, const Begin& deed);
  void act(Client& client, const Commit& deed);
  void act(Client& client, const RollBack& deed);
  void act(Client& client, const Retry& deed);
  void act(Client& client, const Restart& deed);
  void act(Client& client, const Jump& deed);

  void check_refusals(const std::vector<Reply>& replies);
  void tell_apart(const std::vector<domain::Command>& commands, const std::vector<Reply>& replies);
  /// `make_calls` answers each; `alone` makes one of them again.
  void call_each(Client& client, const std::vector<domain::Command>& commands,
                 const std::function<std::vector<Reply>(const SharedContext&)>& make_calls,
                 const std::function<Deed(const domain::Command&)>& alone);
  void call_together(Client& client, const CallMany& deed);
  const domain::Result* end_of_call(Client& client, const Deed& deed, const Reply& reply);
  void note(Client& client, const Deed& deed, const Trouble& trouble);
  void check_trouble(const Client& client, const Trouble& trouble, bool replays);
  void check_transaction_trouble(bool failed_before, const Trouble& trouble);
  void check_answered(bool replays);
  void check_reply(const domain::Result& found, const Decided& decided,
                   const domain::Command& command);
  template <class Found, class Expected>
  void check_query(const Found& found, const Expected& expected);
  void query_account(Client& client, const Query& deed);
  void check_step(const std::vector<std::string>& users);
  void check_everything();
  void died(Client& client, const Deed& deed);
  void say(const std::string& line);
  void complain(Complaint problem);

  const History& history_;
  Tally& tally_;
  std::string* log_;
  SimulatedDatabase database_;
  Frame* frame_ = nullptr;
  std::vector<Client> clients_;
  std::vector<std::size_t> at_work_;
  std::optional<Oracle> oracle_;
  std::map<std::size_t, const SimulatedUnit*> open_;
  Complaint problem_;
};

/// The error that a call is to end with after these failures, by the rules of the documentation;
/// none: it goes on to an answer. `reported` is how many of the failures that takes.
struct Verdict {
  std::optional<Trouble> trouble;
  std::size_t reported = 0;
};
Verdict verdict_on(const std::vector<Failure>& failures, bool replays, std::int64_t max_attempts,
                   std::chrono::steady_clock::duration connect_timeout);

}  // namespace accounting::testing
