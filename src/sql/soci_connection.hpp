// SociConnection: runs a trip's statements one after another over a SOCI session; what all
// databases have in common.
#pragma once

#include "sql/connection.hpp"
#include "sql/sql_error.hpp"

#include <soci/soci.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace accounting::sql {

/// A trip that neither begins a transaction nor finds one open is one by itself: all of it
/// happens, or nothing; where all its statements begin with SELECT, it only reads. After a trip
/// that failed, the connection takes no more statements for the same transaction until `rollback`.
class SociConnection : public Connection {
 public:
  ~SociConnection() override;

  std::vector<Rows> run(const Trip& trip) final;
  void rollback() noexcept final;

 protected:
  SociConnection(const soci::backend_factory& backend, const std::string& connect_string);

  /// Runs a trip whose beginning and end are settled. Here: one statement after another.
  virtual std::vector<Rows> perform(const Trip& trip);

  virtual void begin(Begin kind) = 0;
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
  /// What a statement's failure means; called while the exception is handled.
  virtual SqlError failure(const Statement& statement, const std::exception& error) = 0;
  virtual void before_execution() {}

  soci::session& session() noexcept { return session_; }
  /// True where the transaction under way only reads, so that it has nothing to lose.
  [[nodiscard]] bool reading() const noexcept { return reading_; }

 private:
  struct Prepared;

  void check_beginning(Begin kind, bool open) const;
  Prepared& prepared(const Statement& statement);
  Rows execute(const Call& call);
  Rows fetch_all(Prepared& cached, const Statement& statement);
  void clean_up(std::string_view failed);

  soci::session session_;
  std::unordered_map<std::string_view, std::unique_ptr<Prepared>> prepared_;
  bool reading_ = false;
  bool begun_ = false;   ///< a transaction was begun, and not ended here
  bool failed_ = false;  ///< the transaction can only be rolled back
};

}  // namespace accounting::sql
