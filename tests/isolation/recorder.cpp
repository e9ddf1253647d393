#include "recorder.hpp"

#include "support/books.hpp"
#include "support/databases.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace accounting::testing {
namespace {

// The triggers would refuse it.
constexpr const char* kEmptyBooks =
    "ALTER TABLE credit_entries DISABLE TRIGGER USER;\n"
    "ALTER TABLE audit_entries DISABLE TRIGGER USER;\n"
    "DELETE FROM audit_entries; DELETE FROM pricing_rules; DELETE FROM usage_rollups;\n"
    "DELETE FROM idempotency_keys; DELETE FROM credit_entries; DELETE FROM usage_records;\n"
    "DELETE FROM session_slices; DELETE FROM streaming_sessions;\n"
    "DELETE FROM credit_allocations; DELETE FROM user_accounts;\n"
    "ALTER TABLE credit_entries ENABLE TRIGGER USER;\n"
    "ALTER TABLE audit_entries ENABLE TRIGGER USER;\n";

/// What is left behind, a line for each row.
constexpr const char* kBooksLeft = R"sql(CREATE OR REPLACE VIEW books_left AS
    SELECT string_agg(line, E'\n' ORDER BY place, line COLLATE "C") AS books FROM (
      SELECT 1 AS place, format('%s: %s entries, allocated %s, used %s, chain %s', user_id,
             last_entry_sequence, allocated_credits, used_credits,
             CASE WHEN last_entry_hash = (SELECT hash FROM credit_entries AS entry
                   WHERE entry.user_id = account.user_id AND sequence = last_entry_sequence)
             THEN 'whole' ELSE 'BROKEN' END) AS line FROM user_accounts AS account
      UNION ALL SELECT 2, format('%s allocation %s: total %s = remaining %s + held %s + consumed %s'
             || ' + revoked %s + moved %s', user_id, id, total_credits, remaining_credits,
             held_credits, consumed_credits, revoked_credits, moved_credits)
        FROM credit_allocations
      UNION ALL SELECT 3, format('%s session %s %s: allocated %s + overage %s = used %s + refund %s',
             user_id, session_id, status, allocated_credits, overage, used_credits, refund)
        FROM streaming_sessions
      UNION ALL SELECT 4, format('%s usage %s: %s %s, collected %s', user_id, id, service, credits,
             collected_credits) FROM usage_records
      UNION ALL SELECT 5, format('%s entry %s: %s %s held %s of %s', user_id, sequence, kind,
             credits, held_credits, allocation_id) FROM credit_entries
      UNION ALL SELECT 6, format('%s key %s: %s %s', user_id, idempotency_key, operation, answer)
        FROM idempotency_keys
      UNION ALL SELECT 7, format('%s rollup %s: %s in %s', user_id, service, credits, records)
        FROM usage_rollups
      UNION ALL SELECT 8, format('price %s: %s until %s', id, price_per_1k_tokens,
             (extract(epoch FROM effective_to) * 1000000)::bigint) FROM pricing_rules) AS lines;
)sql";

void add_once(Names& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) {
    names.push_back(name);
  }
}

/// The statements as a client sends them that has prepared them.
std::string executed(const std::vector<RecordedStatement>& statements) {
  std::string text;
  for (const RecordedStatement& statement : statements) {
    text += statement.name.empty() ? statement.text : "EXECUTE " + statement.name;
    if (!statement.values.empty()) {
      text += " (" + joined(statement.values, ", ") + ")";
    }
    text += ";\n";
  }
  return text;
}

/// True for what is decided without a look into the books.
bool is_at_once(const RecordedTrip& trip) { return trip.begins && trip.commits; }

}  // namespace

std::string joined(const Names& names, const std::string& separator) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : separator) + name;
  }
  return text;
}

std::string ready_step(const std::string& actor) { return actor + "_ready"; }

// --- playing -------------------------------------------------------------------------------------

ScenarioRecorder::ScenarioRecorder(const Scenario& scenario, const Options& options)
    : scenario_(scenario), options_(options) {
  Names order;
  for (const Actor& each : scenario.actors) {
    play({each.name});  // first, so that these steps get the plain names
    order.push_back(each.name);
  }
  std::sort(order.begin(), order.end());
  do {
    play(order);
    play_raced({order.begin(), order.end() - 1}, order.back());
    play_raced({order.begin(), order.begin() + 1}, order.back());
  } while (std::next_permutation(order.begin(), order.end()));
}

ScenarioRecorder::Processes ScenarioRecorder::fresh_processes() {
  run_sql(options_.database, kEmptyBooks);
  const auto clock = std::make_shared<ManualClock>(kStart);
  Options options = options_;
  options.clock = clock;
  RecordedBooks books(options);
  scenario_.before(books);
  std::vector<RecordedTrip> trips = books.take_trips();
  Processes processes;
  for (const Actor& each : scenario_.actors) {
    RecordedBooks& process = processes.emplace(each.name, options).first->second;
    if (each.call_before) {
      each.call_before(process);
      const std::vector<RecordedTrip> more = process.take_trips();
      trips.insert(trips.end(), more.begin(), more.end());
    }
  }
  keep_setup(trips);
  // Past the time to live of the session that there may be.
  clock->advance(2h);
  return processes;
}

const Actor& ScenarioRecorder::actor(const std::string& name) const {
  return *std::ranges::find(scenario_.actors, name, &Actor::name);
}

void ScenarioRecorder::play(const Names& order) {
  Processes processes = fresh_processes();
  Names history;
  for (const std::string& name : order) {
    RecordedBooks& books = processes.at(name);
    const std::string outcome = outcome_of([&] { return actor(name).call(books), 0; });
    Performance performance = keep_steps(name, history, books.take_trips());
    performance.outcome = outcome;
    performances_.insert_or_assign({history, name}, performance);
    history.push_back(name);
  }
}

void ScenarioRecorder::play_raced(const Names& history, const std::string& name) {
  const Performance& alone = performance(name);
  if (alone.locks_at < 2 || scenario_.interleaving == Interleaving::statements) {
    return;  // its locks come first
  }
  Processes processes = fresh_processes();
  RecordedBooks& books = processes.at(name);
  books.after_next_trip([&] {
    for (const std::string& other : history) {
      outcome_of([&] { return actor(other).call(processes.at(other)), 0; });
    }
  });
  const std::string outcome = outcome_of([&] { return actor(name).call(books), 0; });
  Performance performance = keep_steps(name, history, books.take_trips());
  performance.outcome = outcome;
  raced_.insert_or_assign({history, name}, performance);
}

const Performance& ScenarioRecorder::performance(const std::string& actor, const Names& history,
                                                 bool raced) const {
  const std::pair<Names, std::string> when{history, actor};
  const auto found = raced_.find(when);
  return raced && found != raced_.end() ? found->second : performances_.at(when);
}

// --- keeping -------------------------------------------------------------------------------------

void ScenarioRecorder::keep_setup(const std::vector<RecordedTrip>& trips) {
  setup_.clear();
  for (const RecordedTrip& trip : trips) {
    for (const RecordedStatement& statement : trip.statements) {
      const bool writes =
          statement.text.starts_with("INSERT") || statement.text.starts_with("WITH");
      setup_ += writes ? statement.written() + ";\n" : "";
    }
  }
}

Performance ScenarioRecorder::keep_steps(const std::string& actor, const Names& history,
                                         const std::vector<RecordedTrip>& trips) {
  Performance performance;
  for (const RecordedTrip& trip : trips) {
    performance.changes |= trip.commits;
    const auto before = performance.steps.size();
    const bool apart = scenario_.interleaving == Interleaving::statements ||
                       (scenario_.interleaving == Interleaving::snapshot && trip.reads);
    if (apart) {
      for (const RecordedStatement& statement : trip.statements) {
        keep_step(performance, actor, std::to_string(performance.steps.size() + 1), history,
                  {statement});
      }
    } else {
      const char* word = trip.reads          ? "find"
                         : is_at_once(trip)  ? "at_once"
                         : trip.begins       ? "load"
                         : trip.commits      ? "store"
                         : trip.rolls_back() ? "rollback"
                                             : "write";
      keep_step(performance, actor, word, history, trip.statements);
    }
    if (trip.begins) {
      performance.locks_at = before + (apart ? 2 : 1);  // after BEGIN and the lock, or all at once
    }
  }
  return performance;
}

void ScenarioRecorder::keep_step(Performance& performance, const std::string& actor,
                                 const std::string& word, const Names& history,
                                 const std::vector<RecordedStatement>& statements) {
  for (const RecordedStatement& statement : statements) {
    if (!statement.name.empty()) {
      prepared_[actor][statement.name] = statement.text;
    }
  }
  const std::string sql = executed(statements);
  const std::string plain = actor + "_" + word;
  // Where a step reads differently after others, it is named for them too.
  for (const std::string& name : {plain, plain + "_after_" + joined(history, "_")}) {
    if (steps_.emplace(name, sql).first->second == sql) {
      performance.steps.push_back(name);
      add_once(step_names_[actor], name);
      return;
    }
  }
  throw std::logic_error("the step " + plain + " reads differently each time");
}

// --- the text ------------------------------------------------------------------------------------

std::string ScenarioRecorder::session(const std::string& actor) const {
  std::string text = "\nsession " + actor + "\nsetup\n{\n";
  if (const auto prepared = prepared_.find(actor); prepared != prepared_.end()) {
    for (const auto& [name, statement] : prepared->second) {
      text += "PREPARE " + name + " AS " + statement + ";\n";
    }
  }
  text += "}\n";
  for (const std::string& name : step_names_.at(actor)) {
    text += "step " + name + "\n{\n" + steps_.at(name) + "}\n";
  }
  if (!steps_.contains(actor + "_rollback")) {
    text += "step " + actor + "_rollback\n{\nROLLBACK;\n}\n";
  }
  if (scenario_.interleaving == Interleaving::orders) {
    text += "step " + ready_step(actor) + "\n{\nSELECT 'locked' AS ready;\n}\n";
  }
  return text + "teardown\n{\nDEALLOCATE ALL;\n}\n";
}

std::string ScenarioRecorder::head() const {
  std::string text = "# " + scenario_.what + "\n#\n";
  for (const auto& [when, performance] : performances_) {
    const auto& [history, actor] = when;
    text += "# " + actor + (history.empty() ? "" : " after " + joined(history, ", ")) + ": " +
            performance.outcome + "\n";
  }
  text += "#\n# Written by tests/isolation: the statements are what the library sends.\n\n";
  text += "setup\n{\n" + std::string(kBooksLeft) + kEmptyBooks + setup_ + "}\n";
  for (const Actor& actor : scenario_.actors) {
    text += session(actor.name);
  }
  return text + "\nsession books\nstep end\n{\nSELECT books FROM books_left;\n}\n\n";
}

}  // namespace accounting::testing
