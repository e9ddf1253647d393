#include "support/wire.hpp"

namespace accounting::testing {
namespace {

/// A message's length, which counts its own four bytes.
std::size_t length_at(std::string_view bytes, std::size_t at) {
  std::size_t length = 0;
  for (std::size_t index = at; index < at + 4; ++index) {
    length = length << 8U | static_cast<unsigned char>(bytes[index]);
  }
  return length;
}

/// Cuts a text that a NUL byte ends off the front.
std::string_view cut_text(std::string_view& body) {
  const std::string_view text = body.substr(0, body.find('\0'));
  body.remove_prefix(text.size() + 1);
  return text;
}

}  // namespace

void WireReader::take(std::string_view bytes, const Heard& heard) {
  unread_ += bytes;
  std::size_t at = 0;
  while (true) {
    const std::size_t type = started_ ? 1 : 0;  // the first message has none
    if (unread_.size() < at + type + 4) {
      break;
    }
    const std::size_t length = length_at(unread_, at + type);
    if (unread_.size() < at + type + length) {
      break;
    }
    if (started_) {
      read(unread_[at], std::string_view(unread_).substr(at + 5, length - 4), heard);
    }
    started_ = true;
    at += type + length;
  }
  unread_.erase(0, at);
}

void WireReader::read(char type, std::string_view body, const Heard& heard) {
  if (type == 'Q') {
    heard(std::string(cut_text(body)));
  } else if (type == 'P') {  // Parse: its name, its text
    const std::string name(cut_text(body));
    prepared_[name] = cut_text(body);
  } else if (type == 'B') {  // Bind: the portal, the prepared statement's name
    cut_text(body);
    heard(prepared_.find(cut_text(body))->second);
  }
}

}  // namespace accounting::testing
