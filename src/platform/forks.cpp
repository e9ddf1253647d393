#include "platform/forks.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#ifndef _WIN32
#include <pthread.h>
#endif

namespace accounting::platform {
namespace {

std::atomic<std::uint64_t> fork_count = 0;

struct Watchers {
  std::mutex mutex;
  std::vector<ForkWatcher*> all;
};

/// Never destroyed: the process may fork while it ends.
Watchers& watchers() {
  static auto* const made = new Watchers;
  return *made;
}

#ifndef _WIN32

// The list stays locked from before the fork until after it, in the parent and in the child.
void before_fork() {
  watchers().mutex.lock();
  for (ForkWatcher* watcher : watchers().all) {
    watcher->before_fork();
  }
}

void after_fork_in_parent() {
  for (ForkWatcher* watcher : watchers().all) {
    watcher->after_fork_in_parent();
  }
  watchers().mutex.unlock();
}

void after_fork_in_child() {
  fork_count.fetch_add(1);
  for (ForkWatcher* watcher : watchers().all) {
    watcher->after_fork_in_child();
  }
  watchers().mutex.unlock();
}

#endif

void watch_process() {
#ifndef _WIN32
  static std::once_flag once;
  std::call_once(once,
                 [] { pthread_atfork(&before_fork, &after_fork_in_parent, &after_fork_in_child); });
#endif
}

}  // namespace

void ForkWatcher::start_watching() {
  watch_process();
  const std::lock_guard lock(watchers().mutex);
  watchers().all.push_back(this);
}

ForkWatcher::~ForkWatcher() { stop_watching(); }

void ForkWatcher::stop_watching() noexcept {
  const std::lock_guard lock(watchers().mutex);
  std::erase(watchers().all, this);
}

std::uint64_t forks() noexcept { return fork_count.load(); }

}  // namespace accounting::platform
