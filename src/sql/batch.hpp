// Batch: statements that travel together, each with what is to be done with its rows.
#pragma once

#include "sql/connection.hpp"
#include "sql/statement.hpp"

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace accounting::sql {

class Batch {
 public:
  using UseRows = std::function<void(const Rows&)>;

  /// A statement whose rows, once there, are handed to `use`.
  void add(const Statement& statement, std::vector<Value> values, UseRows use = nullptr) {
    if (calls_.empty()) {
      // What a charge writes fits: growing would move it again and again.
      constexpr std::size_t usual_size = 8;
      calls_.reserve(usual_size);
      uses_.reserve(usual_size);
    }
    calls_.push_back({.statement = &statement, .values = std::move(values)});
    uses_.push_back(std::move(use));
  }

  /// Puts another batch's statements behind this one's.
  void append(Batch other) {
    if (calls_.empty()) {
      *this = std::move(other);
      return;
    }
    for (std::size_t index = 0; index < other.calls_.size(); ++index) {
      calls_.push_back(std::move(other.calls_[index]));
      uses_.push_back(std::move(other.uses_[index]));
    }
  }

  [[nodiscard]] bool empty() const noexcept { return calls_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return calls_.size(); }

  /// Sends everything as one trip, then hands out the rows, in order.
  void run(Connection& connection, Begin begin, bool commit) {
    const std::vector<Rows> results =
        connection.run({.begin = begin, .calls = std::move(calls_), .commit = commit});
    for (std::size_t index = 0; index < uses_.size(); ++index) {
      if (uses_[index]) {
        uses_[index](results[index]);
      }
    }
    calls_.clear();
    uses_.clear();
  }

 private:
  std::vector<Call> calls_;
  std::vector<UseRows> uses_;
};

}  // namespace accounting::sql
