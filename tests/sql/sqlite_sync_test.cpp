// A disk that does not confirm what was written to it.
#include "samples.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;

namespace {

std::atomic<bool> disk_fails = false;

int sync_or_fail(long call, int descriptor) {
  if (disk_fails) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(call, descriptor));
}

}  // namespace

// In place of the C library's, for SQLite too.
extern "C" int fsync(int descriptor) { return sync_or_fail(SYS_fsync, descriptor); }
extern "C" int fdatasync(int descriptor) { return sync_or_fail(SYS_fdatasync, descriptor); }

TEST_CASE("whether a commit that the disk did not confirm took effect is not known") {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "books.db";
  const EmptyDatabase database{.name = "sqlite", .url = directory.sqlite_url("books.db")};
  const auto connection = database.connect();
  create_items(*connection);
  connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}, .commit = true});
  disk_fails = true;
  const auto kind = kind_of([&] {
    connection->run({.begin = Begin::write, .calls = {item(2, "b", 1)}, .commit = true});
  });
  disk_fails = false;
  CHECK(kind == SqlErrorKind::commit_unknown);
  CHECK(connection->broken());
  CHECK_FALSE(connection->in_transaction());

  // Who goes on does not see it; who finds the files after a crash may.
  CHECK(count(*database.connect()) == 1);
  const auto found = directory.path() / "found.db";
  std::filesystem::copy(file, found);
  std::filesystem::copy(file.string() + "-wal", found.string() + "-wal");
  const EmptyDatabase crashed{.name = "sqlite", .url = directory.sqlite_url("found.db")};
  CHECK(count(*crashed.connect()) == 2);
}
