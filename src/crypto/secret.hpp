// Secret: bytes that are wiped when they are no longer needed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace accounting::crypto {

/// Overwrites the text in a way that no optimiser removes, and empties it.
void wipe(std::string& text) noexcept;

/// Keeps a copy of its own that is overwritten at the end. It moves and is never copied.
class Secret {
 public:
  explicit Secret(std::string_view bytes);
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&&) = delete;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;  // NOLINT: a string or vector could leave copies when it grows
};

}  // namespace accounting::crypto
