// PipelinedConnection: sends all statements of a trip to PostgreSQL together, and waits once.
#pragma once

#include "sql/postgresql_connection.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace accounting::sql {

/// A statement is prepared on the server within the trip that first uses it, and stays prepared as
/// long as the connection. A long trip waits once every few hundred calls, so that neither side
/// has to keep all of it.
class PipelinedConnection final : public PostgresqlConnection {
 public:
  PipelinedConnection(const DatabaseUrl& url, const Options& options, Deadline deadline);

 private:
  class Flight;

  /// A statement as the server knows it, or is going to.
  struct Prepared {
    std::string name;
    std::string text;
    std::vector<std::size_t> parameters;  ///< for `$1`, `$2` …, the index of the value
    bool on_server = false;
  };

  std::vector<Rows> perform(const Trip& trip) override;

  Prepared& prepared(const Statement& statement);

  std::map<std::string, Prepared, std::less<>> prepared_;
  std::chrono::milliseconds patience_;  ///< no statement runs for longer
};

}  // namespace accounting::sql
