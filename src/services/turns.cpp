#include "services/turns.hpp"

#include "accounting/error.hpp"

#include <algorithm>

namespace accounting::services {

Turns::Turn::Turn(Turns& turns, const std::set<std::string>& names, const Patience& patience)
    : turns_(turns), names_(names.begin(), names.end()) {
  try {
    turns_.take(names_, taken_, patience);
  } catch (...) {
    turns_.end(names_, taken_);
    throw;
  }
}

void Turns::take(const std::vector<std::string>& names, std::size_t& taken,
                 const Patience& patience) {
  std::unique_lock lock(mutex_);
  for (const std::string& name : names) {
    const auto give_up =
        std::min(patience.deadline, std::chrono::steady_clock::now() + patience.for_each);
    if (closed_) {
      throw Conflict("the books are closed");
    }
    const auto [place, is_free] = at_work_.try_emplace(name);
    switch (is_free ? Word::go : wait(lock, place->second, give_up)) {
      case Word::go:
        ++taken;
        break;
      case Word::closed:
        throw Conflict("the books are closed");
      case Word::none:
        throw store::StoreFailure(store::FailureKind::timed_out,
                                  "what other calls are at work on was not had in time");
    }
  }
}

Turns::Word Turns::wait(std::unique_lock<std::mutex>& lock, Line& line, store::Deadline deadline) {
  Waiter waiter;
  const auto place = line.insert(line.end(), &waiter);
  if (!waiter.called.wait_until(lock, deadline, [&] { return waiter.word != Word::none; })) {
    line.erase(place);
  }
  return waiter.word;
}

void Turns::end(const std::vector<std::string>& names, std::size_t taken) noexcept {
  const std::lock_guard lock(mutex_);
  for (std::size_t index = 0; index < taken; ++index) {
    const auto found = at_work_.find(names[index]);
    Line& line = found->second;
    if (line.empty()) {
      at_work_.erase(found);
    } else {
      Waiter& next = *line.front();  // whose turn it is now
      line.pop_front();
      next.word = Word::go;
      next.called.notify_one();
    }
  }
}

std::size_t Turns::waiting() const {
  const std::lock_guard lock(mutex_);
  std::size_t waiting = 0;
  for (const auto& [name, line] : at_work_) {
    waiting += line.size();
  }
  return waiting;
}

void Turns::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (auto& [name, line] : at_work_) {
    for (Waiter* waiter : line) {
      waiter->word = Word::closed;
      waiter->called.notify_one();
    }
    line.clear();
  }
}

}  // namespace accounting::services
