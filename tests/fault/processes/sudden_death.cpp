#include "sudden_death.hpp"

#include <sqlite3.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <stdexcept>

namespace accounting::testing {
namespace {

using Write = ssize_t (*)(int, const void*, std::size_t, off_t);

std::atomic<std::int64_t> writes_left = 0;
Write real_write = nullptr;

ssize_t write_or_die(int file, const void* bytes, std::size_t count, off_t offset) {
  if (--writes_left == 0) {
    real_write(file, bytes, count / 2, offset);
    ::kill(::getpid(), SIGKILL);
  }
  return real_write(file, bytes, count, offset);
}

}  // namespace

void die_at_write(std::int64_t number) {
  writes_left = number;
  sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  // Which of the two SQLite calls was chosen when it was built.
  for (const char* name : std::array{"pwrite64", "pwrite"}) {
    if (const sqlite3_syscall_ptr found = system->xGetSystemCall(system, name)) {
      real_write = reinterpret_cast<Write>(found);
      if (system->xSetSystemCall(
              system, name, reinterpret_cast<sqlite3_syscall_ptr>(&write_or_die)) == SQLITE_OK) {
        return;
      }
    }
  }
  throw std::runtime_error("SQLite's writes cannot be replaced here");
}

}  // namespace accounting::testing
