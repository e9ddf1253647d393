// Who calls: a person with a token, a program with an API key. Each may do what its role and its
// permissions allow, on its own account unless it is somebody's business to look at others'.
#include <accounting/accounting.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

namespace {

// As the authentication service would send it: Ada's, good for the first hour of 2026.
const std::string token =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJ1c2VybmFtZSI6IkFkYSIsImVtYWlsIjo"
    "iYWRhQGV4YW1wbGUub3JnIiwicm9sZSI6InVzZXIiLCJ0eXBlIjoiYWNjZXNzIiwiaWF0IjoxNzY3MjI1NjAwLCJ"
    "leHAiOjE3NjcyMjkyMDB9.G3lc134p7VK0bejH-QabIyIO_Tkx0odiv7YIwYaJHMo";

}  // namespace

int main() {
  using namespace std::chrono_literals;
  const auto clock =
      std::make_shared<accounting::ManualClock>(std::chrono::sys_days(2026y / 1 / 1));
  auto books = accounting::Accounting::open({.database = "sqlite://", .clock = clock});

  // In a service: one verifier, made at the start.
  const accounting::JwtVerifier verifier(
      {.secret = "a secret of thirty-two bytes or more", .clock = clock});

  // Her account is there afterwards.
  const accounting::Principal ada = books.authenticate(token, verifier);
  std::cout << ada.username << " is a " << to_string(ada.role) << "\n";
  books.credits().allocate({.user_id = "ada", .credits = 100, .allocated_by = "host"});

  // The same services on her behalf: user_id left empty is her own.
  const auto hers = books.on_behalf_of(ada);
  std::cout << "balance " << hers.credits().balance().total_credits << "\n";
  try {
    hers.credits().allocate({.credits = 1'000, .allocated_by = "ada"});
  } catch (const accounting::Forbidden& error) {
    std::cout << error.what() << "\n";
  }

  // A key for her build server, shown once; what it presents later is validated each time.
  const auto issued =
      hers.api_keys().create({.name = "build server", .permissions = {"usage:write"}});
  const auto key = books.api_keys().validate(issued.key);
  books.on_behalf_of(key).credits().charge(
      {.service = "images", .operation = "sketch", .credits = 12});
  try {
    static_cast<void>(books.on_behalf_of(key).credits().balance());
  } catch (const accounting::Forbidden& error) {
    std::cout << error.what() << "\n";
  }

  // Who did it stands in the journal, and who made the key in the audit trail.
  std::cout << "charged by " << books.credits().entries({.user_id = "ada"}).back().actor << "\n"
            << "key made by " << books.audit().list().items.front().actor << "\n";

  // The hour is over.
  clock->advance(1h);
  try {
    books.authenticate(token, verifier);
  } catch (const accounting::Unauthenticated& error) {
    std::cout << error.what() << " (" << to_string(error.reason()) << ")\n";
  }
}
