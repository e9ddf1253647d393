#include "progress.hpp"

#include "text.hpp"

#include <cstdio>
#include <iostream>
#include <string>

#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif

namespace chat_day {

namespace {

bool is_terminal() {
#ifdef _WIN32
  return _isatty(_fileno(stderr)) != 0;
#else
  return isatty(STDERR_FILENO) != 0;
#endif
}

}  // namespace

ProgressBar::ProgressBar(std::int64_t total) : total_(total), visible_(is_terminal()) {}

ProgressBar::~ProgressBar() {
  if (visible_) {
    std::cerr << "\r\x1b[K" << std::flush;
  }
}

void ProgressBar::show(std::int64_t done, accounting::Timestamp now) {
  const std::int64_t per_mille = done * 1'000 / total_;
  if (!visible_ || per_mille == shown_) {
    return;
  }
  shown_ = per_mille;
  constexpr std::int64_t width = 40;
  const auto filled = static_cast<std::size_t>(per_mille * width / 1'000);
  std::cerr << "\r\x1b[K[" << std::string(filled, '#') << std::string(width - filled, '.') << "] "
            << per_mille / 10 << " %  " << time_text(now) << "  " << number_text(done) << " of "
            << number_text(total_) << " requests" << std::flush;
}

}  // namespace chat_day
