// A disk that fails while SQLite commits: how far the commit came does not show.
#include "samples.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;

namespace {

enum class Failing { nothing, confirming, index_of_the_log };
std::atomic<Failing> failing = Failing::nothing;

int sync_or_fail(long call, int descriptor) {
  if (failing == Failing::confirming) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(call, descriptor));
}

bool is_index_of_a_log(int descriptor) {
  std::array<char, 4'096> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const auto size = readlink(link.c_str(), name.data(), name.size());
  return size > 0 && std::string(name.data(), static_cast<std::size_t>(size)).ends_with(".db-shm");
}

}  // namespace

// In place of the C library's, for SQLite too.
extern "C" {
int fsync(int descriptor) { return sync_or_fail(SYS_fsync, descriptor); }
int fdatasync(int descriptor) { return sync_or_fail(SYS_fdatasync, descriptor); }
ssize_t pwrite64(int descriptor, const void* bytes, std::size_t size, off64_t offset) {
  if (failing == Failing::index_of_the_log && is_index_of_a_log(descriptor)) {
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_pwrite64, descriptor, bytes, size, offset);
}
}

TEST_CASE("whether a commit took effect in which SQLite's files failed is not known") {
  std::string text = "b";
  Failing what = Failing::confirming;
  SUBCASE("the disk does not confirm the log") {}
  SUBCASE("the log's index cannot grow") {
    what = Failing::index_of_the_log;
    text = std::string(20'000'000, 'b');  // more pages than the index has entries for at first
  }
  const TemporaryDirectory directory;
  const auto file = directory.path() / "books.db";
  const EmptyDatabase database{.name = "sqlite", .url = directory.sqlite_url("books.db")};
  const auto connection = database.connect();
  create_items(*connection);
  connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}, .commit = true});
  failing = what;
  const auto kind = kind_of([&] {
    connection->run({.begin = Begin::write, .calls = {item(2, text, 1)}, .commit = true});
  });
  failing = Failing::nothing;
  CHECK(kind == SqlErrorKind::commit_unknown);
  CHECK(connection->broken());
  CHECK_FALSE(connection->in_transaction());

  // Who goes on does not see it; who finds the files after a crash does.
  CHECK(count(*database.connect()) == 1);
  const auto found = directory.path() / "found.db";
  std::filesystem::copy(file, found);
  std::filesystem::copy(file.string() + "-wal", found.string() + "-wal");
  const EmptyDatabase crashed{.name = "sqlite", .url = directory.sqlite_url("found.db")};
  CHECK(count(*crashed.connect()) == 2);
}
