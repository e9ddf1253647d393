// SociConnection: runs a trip's statements one after another over a SOCI session.
#pragma once

#include "sql/base_connection.hpp"
#include "sql/sql_error.hpp"

#include <soci/soci.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace accounting::sql {

/// For databases that are libraries: SOCI waits for an answer without end.
class SociConnection : public BaseConnection {
 public:
  ~SociConnection() override;

 protected:
  SociConnection(const soci::backend_factory& backend, const std::string& connect_string);

  std::vector<Rows> perform(Begin begin_as, const std::vector<Call>& calls,
                            bool commit_after) override;

  virtual void begin(Begin kind) = 0;
  virtual void commit() = 0;
  /// What the failure of the last statement means.
  virtual SqlError failure() = 0;
  virtual void before_execution() = 0;

  soci::session& session() noexcept { return session_; }

 private:
  struct Prepared;

  Prepared& prepared(const Statement& statement);
  Rows execute(const Call& call);
  Rows fetch_all(Prepared& cached, const Statement& statement);

  soci::session session_;
  std::unordered_map<std::string_view, std::unique_ptr<Prepared>> prepared_;
};

}  // namespace accounting::sql
