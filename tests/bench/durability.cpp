// Durability: asked of the database over a connection of the library's own, since it is the
// library that sets up its connections.
#include "cases.hpp"
#include "sql/connection.hpp"
#include "sql/database_url.hpp"

#include <nlohmann/json.hpp>

namespace accounting::bench {
namespace {

std::string ask(sql::Connection& connection, const char* name, const char* sql) {
  const sql::Statement statement{.name = name, .text = sql, .columns = {sql::Type::text}};
  return std::get<std::string>(connection.run({.calls = {{&statement, {}}}}).at(0).at(0).at(0));
}

bool ask_postgresql(sql::Connection& connection, nlohmann::json& said) {
  bool durable = true;
  for (const auto& [name, question] :
       {std::pair{"fsync", "SELECT current_setting('fsync')"},
        std::pair{"synchronous_commit", "SELECT current_setting('synchronous_commit')"},
        std::pair{"full_page_writes", "SELECT current_setting('full_page_writes')"}}) {
    said[name] = ask(connection, name, question);
    durable = durable && said[name] == "on";
  }
  return durable;
}

bool ask_sqlite(sql::Connection& connection, nlohmann::json& said) {
  const std::string journal =
      ask(connection, "journal", "SELECT journal_mode FROM pragma_journal_mode");
  const std::string synchronous =
      ask(connection, "synchronous", "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous");
  said["journal_mode"] = journal;
  said["synchronous"] = synchronous == "2" ? "FULL" : synchronous;
  return journal == "wal" && synchronous == "2";
}

}  // namespace

std::string durability(const Settings& settings) {
  const auto connection = sql::connect(sql::parse_database_url(settings.database), {});
  nlohmann::json said = nlohmann::json::object();
  const bool durable = connection->kind() == sql::DatabaseKind::postgresql
                           ? ask_postgresql(*connection, said)
                           : ask_sqlite(*connection, said);
  return nlohmann::json{{"durable", durable}, {"said", said}}.dump();
}

}  // namespace accounting::bench
