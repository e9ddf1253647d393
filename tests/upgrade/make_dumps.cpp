// Plays the history with the library of an older version; see make_dumps. Not part of the tests.
//
//   make_dumps history URL FOLDER   sets the books up, plays the history, writes what they answer
//   make_dumps process URL FOLDER   makes one more charge, and writes what was sent for it
#include "history.hpp"
#include "support/recorded_books.hpp"

#include <fstream>
#include <iostream>

using namespace accounting;
using namespace accounting::testing;

namespace {

/// Something of what version 2 brought, so that there are rows.
#if ACCOUNTING_SCHEMA_VERSION >= 2
void play_identity(Accounting& books) {
  books.api_keys().create({.user_id = "ada", .name = "first", .permissions = {"usage:write"}});
  const auto key = books.api_keys().create(
      {.user_id = "ada", .name = "second", .permissions = {"usage:write"}, .expiry_days = 30});
  books.api_keys().revoke({.key_id = key.api_key.id, .user_id = "ada"});
}
#else
void play_identity(Accounting&) {}
#endif

void play(const Options& options, ManualClock& clock, const std::string& folder) {
  play_history(options, clock);
  Accounting books = Accounting::open(options);
  play_identity(books);
  std::ofstream(folder + "/books.txt") << describe_history(books);
  std::ofstream(folder + "/answers.txt") << replay_history(books);
  if (!books.verify().ok) {
    throw std::runtime_error("the history's books do not balance");
  }
}

void record_charge(const Options& options, const std::string& folder) {
  RecordedBooks books(options);
  books.credits().charge({.user_id = "ada",
                          .service = "images",
                          .operation = "old",
                          .credits = 3,
                          .idempotency_key = "old-1"});
  std::ofstream script(folder + "/charge.sql");
  for (const RecordedTrip& trip : books.take_trips()) {
    for (const RecordedStatement& statement : trip.statements) {
      script << statement.written() << ";\n";
    }
    script << "-- the next trip\n";
  }
}

}  // namespace

int main(int, char** arguments) {
  const auto clock = std::make_shared<ManualClock>(history_end());
  const Options options{.database = arguments[2], .clock = clock};
  if (std::string(arguments[1]) == "history") {
    play(options, *clock, arguments[3]);
  } else {
    record_charge(options, arguments[3]);
  }
}
