// A disk that fails while SQLite commits: how far the commit came does not show.
#include "samples.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <string>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;

namespace {

enum class Failing { confirming, index_of_the_log };
Failing what_fails = Failing::confirming;
std::atomic<int> failures_left = 0;

bool fails(Failing what) { return what == what_fails && failures_left-- > 0; }

int sync_or_fail(long call, int descriptor) {
  if (fails(Failing::confirming)) {
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

ssize_t write_or_fail(int descriptor, const void* bytes, std::size_t size, off64_t offset) {
  if (failures_left > 0 && is_index_of_a_log(descriptor) && fails(Failing::index_of_the_log)) {
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_pwrite64, descriptor, bytes, size, offset);
}

/// Fails so many times while it is there.
class Faults {
 public:
  Faults(Failing what, int times) : times_(times) {
    what_fails = what;
    failures_left = times;
  }
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  ~Faults() { failures_left = 0; }

  [[nodiscard]] bool met() const { return failures_left < times_; }

 private:
  int times_;
};

struct Case {
  Failing what;
  bool goes_on;
  SqlErrorKind told;
};

constexpr int always = std::numeric_limits<int>::max();

/// What is told of a commit that failed. Neither who goes on nor who finds the files after a crash
/// of the process sees anything of it.
void check_commit(const Case& each) {
  // More pages than the log's index has entries for at first.
  const std::string text(each.what == Failing::index_of_the_log ? 20'000'000 : 1, 'b');
  const TemporaryDirectory directory;
  const auto file = directory.path() / "books.db";
  const EmptyDatabase database{.name = "sqlite", .url = directory.sqlite_url("books.db")};
  const auto connection = database.connect();
  create_items(*connection);
  connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}, .commit = true});
  {
    const Faults faults(each.what, each.goes_on ? always : 1);
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write, .calls = {item(2, text, 1)}, .commit = true});
          }) == each.told);
    REQUIRE(faults.met());
  }
  CHECK(connection->broken());
  CHECK_FALSE(connection->in_transaction());
  CHECK(count(*database.connect()) == 1);
  const auto found = directory.path() / "found.db";
  std::filesystem::copy(file, found);
  std::filesystem::copy(file.string() + "-wal", found.string() + "-wal");
  const EmptyDatabase crashed{.name = "sqlite", .url = directory.sqlite_url("found.db")};
  CHECK(count(*crashed.connect()) == 1);
}

}  // namespace

// In place of the C library's, for SQLite too.
extern "C" {
int fsync(int descriptor) { return sync_or_fail(SYS_fsync, descriptor); }
int fdatasync(int descriptor) { return sync_or_fail(SYS_fdatasync, descriptor); }
ssize_t pwrite(int descriptor, const void* bytes, std::size_t size, off_t offset) {
  return write_or_fail(descriptor, bytes, size, offset);
}
ssize_t pwrite64(int descriptor, const void* bytes, std::size_t size, off64_t offset) {
  return write_or_fail(descriptor, bytes, size, offset);
}
}

TEST_CASE("a commit in which SQLite's files failed once is written over, and is certain") {
  check_commit({Failing::confirming, false, SqlErrorKind::other});
  check_commit({Failing::index_of_the_log, false, SqlErrorKind::full});
}

TEST_CASE("whether a commit took effect in which SQLite's files go on failing is not known") {
  // Here the log has what was written over it; of a disk that lost power nobody knows.
  check_commit({Failing::confirming, true, SqlErrorKind::commit_unknown});
}

TEST_CASE("an index that goes on failing where the log is short enough leaves nothing in doubt") {
  check_commit({Failing::index_of_the_log, true, SqlErrorKind::full});
}
