// ProgressBar: how far the day is, on standard error where that is a terminal.
#pragma once

#include <accounting/types.hpp>

#include <cstdint>

namespace chat_day {

class ProgressBar {
 public:
  explicit ProgressBar(std::int64_t total);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// Wipes the bar away.
  ~ProgressBar();

  void show(std::int64_t done, accounting::Timestamp now);

 private:
  std::int64_t total_;
  std::int64_t shown_ = -1;  ///< per mille
  bool visible_;
};

}  // namespace chat_day
