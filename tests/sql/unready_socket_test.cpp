// A socket that takes nothing for a moment, whatever is being sent.
#include "samples.hpp"

#include <dlfcn.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;
using namespace std::chrono_literals;

namespace {

thread_local int refusals_left = 0;

/// Lets so many sends of this thread be refused while it is there.
class Refusals {
 public:
  explicit Refusals(int times) { refusals_left = times; }
  Refusals(const Refusals&) = delete;
  Refusals& operator=(const Refusals&) = delete;
  ~Refusals() { refusals_left = 0; }
};

}  // namespace

// In place of the C library's, for libpq too.
extern "C" ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  if (refusals_left > 0) {
    --refusals_left;
    errno = EAGAIN;
    return -1;
  }
  using Send = ssize_t (*)(int, const void*, size_t, int);
  static const auto real_send = reinterpret_cast<Send>(dlsym(RTLD_NEXT, "send"));
  return real_send(socket, bytes, size, flags);
}

TEST_CASE("a socket that takes nothing for a moment, at any point, only delays a trip") {
  const Statement measure{.name = "measure",
                          .text = "SELECT length(CAST(:text AS text))",
                          .parameters = {{"text", Type::text}},
                          .columns = {Type::integer}};
  for (auto database : postgresql_databases()) {
    CAPTURE(database.name);
    database.options.statement_timeout = 5s;
    const auto connection = database.connect();
    // Sent in one go, and in several, between which answers are looked for.
    for (const std::int64_t size : {100, 100'000, 300'000, 600'000}) {
      CAPTURE(size);
      for (const int refusals : {1, 2, 3, 4, 5, 6, 20, 50}) {
        CAPTURE(refusals);
        const Refusals refused(refusals);
        const std::vector<Call> calls(2, {&measure, {std::string(std::size_t(size), 'x')}});
        REQUIRE(connection->run({.calls = calls}) == std::vector<Rows>(2, {{size}}));
        CHECK(refusals_left == 0);
      }
    }
  }
}
