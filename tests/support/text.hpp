// What tests do with texts.
#pragma once

#include <string>
#include <utility>

namespace accounting::testing {

/// The text with `by` wherever `what` was.
inline std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace accounting::testing
