#include "support/injection.hpp"

#include "support/databases.hpp"

#include <doctest/doctest.h>

#include <exception>

namespace accounting::testing {

Injection::Injection(const std::string& url, const std::string& state, std::int64_t times,
                     Moment moment)
    : url_(url) {
  const std::string failure = state == "slow" ? "PERFORM pg_sleep(0.25)"
                                              : "RAISE EXCEPTION USING ERRCODE = '" + state + "'";
  const std::string trigger =
      moment == Moment::insert ? "CREATE TRIGGER inject BEFORE INSERT ON usage_records"
                               : "CREATE CONSTRAINT TRIGGER inject AFTER INSERT ON usage_records "
                                 "DEFERRABLE INITIALLY DEFERRED";
  // The counter is a sequence, because a rollback leaves those as they are.
  run_sql(url_,
          "CREATE SEQUENCE injected; "
          "CREATE FUNCTION inject() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
          "IF nextval('injected') <= " +
              std::to_string(times) + " THEN " + failure + "; END IF; RETURN NEW; END $$; " +
              trigger + " FOR EACH ROW EXECUTE FUNCTION inject()");
}

Injection::~Injection() {
  try {
    run_sql(url_,
            "SET lock_timeout = '10s'; DROP TRIGGER inject ON usage_records; "
            "DROP FUNCTION inject; DROP SEQUENCE injected");
  } catch (const std::exception& error) {
    MESSAGE("an injection was not taken out: " << error.what());
  }
}

std::int64_t Injection::attempts() const {
  return std::stoll(
      run_sql(url_, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM injected"));
}

}  // namespace accounting::testing
