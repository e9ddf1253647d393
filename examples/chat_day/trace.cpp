#include "trace.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>

namespace chat_day {

namespace {

using accounting::Timestamp;

constexpr std::string_view header = "TIMESTAMP,ContextTokens,GeneratedTokens";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
// More than any model takes; sums over a whole trace stay far from overflow.
constexpr std::int64_t most_tokens = 1'000'000'000;

/// A number that is digits and nothing else; none otherwise.
std::optional<std::int64_t> parse_digits(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || text.front() == '-') {
    return std::nullopt;
  }
  return number;
}

/// Takes the fixed-width number that the text begins with off it, and the separator behind it.
std::int64_t take(std::string_view& text, std::size_t width, std::string_view separators) {
  const auto number = parse_digits(text.substr(0, width));
  const bool complete = text.size() >= width && number.has_value();
  const bool separated =
      separators.empty() ||
      (text.size() > width && separators.find(text[width]) != std::string_view::npos);
  if (!complete || !separated) {
    throw TraceError("the timestamp is not YYYY-MM-DD HH:MM:SS.fffffff");
  }
  text.remove_prefix(width + (separators.empty() ? 0 : 1));
  return *number;
}

/// ".6805900" as microseconds; empty is 0.
std::chrono::microseconds parse_fraction(std::string_view text) {
  if (text.empty()) {
    return std::chrono::microseconds(0);
  }
  std::string digits(text.substr(1));
  if (text.front() != '.' || digits.empty() || digits.size() > 9 || !parse_digits(digits)) {
    throw TraceError("the timestamp's fraction is not 1 to 9 digits after a point");
  }
  digits.resize(6, '0');
  return std::chrono::microseconds(*parse_digits(digits));
}

Timestamp parse_timestamp(std::string_view text) {
  for (const std::string_view utc : {"Z", "+00:00"}) {
    if (text.ends_with(utc)) {
      text.remove_suffix(utc.size());
      break;
    }
  }
  const auto year = take(text, 4, "-");
  const auto month = take(text, 2, "-");
  const auto day = take(text, 2, " T");
  const auto hour = take(text, 2, ":");
  const auto minute = take(text, 2, ":");
  const auto second = take(text, 2, "");
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  // The books know the years 1970 to 9999; the day needs some room before it and behind it.
  if (!date.ok() || year < 1971 || year > 9000 || hour > 23 || minute > 59 || second > 59) {
    throw TraceError("the timestamp is no instant of the years 1971 to 9000");
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + parse_fraction(text);
}

std::int64_t parse_tokens(std::string_view text, std::string_view name) {
  const auto tokens = parse_digits(text);
  if (!tokens || *tokens > most_tokens) {
    throw TraceError(std::string(name) + " is not a number from 0 to 1,000,000,000");
  }
  return *tokens;
}

std::vector<Request> read_lines(std::istream& file, const std::string& path, std::int64_t limit,
                                Malformed malformed, std::ostream& complaints) {
  std::vector<Request> requests;
  std::string line;
  for (std::int64_t number = 1; std::ssize(requests) < limit && std::getline(file, line);
       ++number) {
    std::string_view text = line;
    if (number == 1 && text.starts_with(byte_order_mark)) {
      text.remove_prefix(byte_order_mark.size());
    }
    if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
    if (text.empty() || (number == 1 && text == header)) {
      continue;
    }
    try {
      requests.push_back(parse_request(text));
    } catch (const TraceError& error) {
      const std::string complaint = path + ", line " + std::to_string(number) + ": " + error.what();
      if (malformed == Malformed::refuse) {
        throw TraceError(complaint + " (--malformed skip would leave it out)");
      }
      complaints << complaint << "; skipped\n";
    }
  }
  return requests;
}

}  // namespace

Request parse_request(std::string_view line) {
  const auto first = line.find(',');
  const auto second = first == line.npos ? line.npos : line.find(',', first + 1);
  if (second == line.npos || line.find(',', second + 1) != line.npos) {
    throw TraceError("there are not 3 fields, " + std::string(header));
  }
  return {
      .time = parse_timestamp(line.substr(0, first)),
      .context_tokens = parse_tokens(line.substr(first + 1, second - first - 1), "ContextTokens"),
      .generated_tokens = parse_tokens(line.substr(second + 1), "GeneratedTokens")};
}

std::vector<Request> read_trace(const std::string& path, std::int64_t limit, Malformed malformed,
                                std::ostream& complaints) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    throw TraceError("the trace " + path + " cannot be opened for reading");
  }
  auto requests = read_lines(file, path, limit, malformed, complaints);
  if (file.bad()) {
    throw TraceError("the trace " + path + " cannot be read to its end");
  }
  if (requests.empty()) {
    throw TraceError("the trace " + path + " holds no requests");
  }
  const auto earlier = [](const Request& a, const Request& b) { return a.time < b.time; };
  std::stable_sort(requests.begin(), requests.end(), earlier);
  return requests;
}

}  // namespace chat_day
