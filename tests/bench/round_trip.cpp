// One round trip to PostgreSQL, by libpq alone: the unit in which slow networks are counted.
#include "cases.hpp"

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>

namespace accounting::bench {
namespace {

struct Free {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Free>;
using Result = std::unique_ptr<PGresult, Free>;

void expect(const Result& result, ExecStatusType status, PGconn* connection) {
  if (PQresultStatus(result.get()) != status) {
    throw std::runtime_error(PQerrorMessage(connection));
  }
}

}  // namespace

Figures round_trip(const Settings& settings) {
  const Connection connection(PQconnectdb(settings.database.c_str()));
  expect(Result(PQprepare(connection.get(), "one", "SELECT 1", 0, nullptr)), PGRES_COMMAND_OK,
         connection.get());
  return measure(settings, [&](std::int64_t) -> Call {
    return [&] {
      expect(Result(PQexecPrepared(connection.get(), "one", 0, nullptr, nullptr, nullptr, 0)),
             PGRES_TUPLES_OK, connection.get());
    };
  });
}

}  // namespace accounting::bench
