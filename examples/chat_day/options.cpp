#include "options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace chat_day {

const char* const help_text = R"(Bills a day of chat with the accounting library.

Usage: chat_day [options]

  --trace FILE          requests to bill: a CSV of TIMESTAMP,ContextTokens,GeneratedTokens
                        (without it: a generated day of the same shape)
  --database URL        sqlite:////absolute.db, sqlite:///relative.db, sqlite:// (in memory) or
                        postgresql://user:password@host:port/name; brought up to the library's
                        schema first (without it: a new SQLite file among the temporary files)
  --users N             users who share the requests, drawn by Zipf's law (500)
  --abort-share X       share of the clients that hang up early, 0 to 1 (0.05)
  --requests N          requests at most; of a generated day: how many (20000)
  --malformed WHAT      what to do with a malformed line: skip it, or refuse the trace (refuse)
  --json                the figures as one JSON object on standard output, all else on standard
                        error
  --help                this text

Ends with 0 where the books balance, 1 where they do not or the run failed, 2 where the options or
the trace are not right.
)";

namespace {

std::int64_t parse_number(std::string_view name, std::string_view value, std::int64_t most) {
  std::int64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > most) {
    throw UsageError(std::string(name) + " takes a whole number from 1 to " + std::to_string(most) +
                     ", not '" + std::string(value) + "'");
  }
  return number;
}

/// "0.05" as 50,000 parts per million. Read digit by digit: the result is exact, and the same in
/// every locale.
std::int64_t parse_share(std::string_view name, std::string_view value) {
  const auto point = value.find('.');
  const std::string_view whole = value.substr(0, point);
  const std::string_view fraction = point == value.npos ? "" : value.substr(point + 1);
  const auto is_digits = [](std::string_view text) {
    return text.find_first_not_of("0123456789") == text.npos;
  };
  const bool readable = !(whole.empty() && fraction.empty()) && is_digits(whole) &&
                        is_digits(fraction) && fraction.size() <= 6 && whole.size() <= 1;
  const std::string digits =
      readable ? std::string(whole) + std::string(fraction) + std::string(6 - fraction.size(), '0')
               : "";
  std::int64_t per_million = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), per_million);
  if (per_million < 0 || per_million > 1'000'000) {
    throw UsageError(std::string(name) +
                     " takes a number from 0 to 1 with at most 6 digits after the point, not '" +
                     std::string(value) + "'");
  }
  return per_million;
}

Malformed parse_malformed(std::string_view name, std::string_view value) {
  if (value == "skip") {
    return Malformed::skip;
  }
  if (value == "refuse") {
    return Malformed::refuse;
  }
  throw UsageError(std::string(name) + " takes skip or refuse, not '" + std::string(value) + "'");
}

std::string parse_text(std::string_view name, std::string_view value) {
  if (value.empty()) {
    throw UsageError(std::string(name) + " takes a value that is not empty");
  }
  return std::string(value);
}

constexpr std::array<std::string_view, 6> options_with_value = {
    "--trace", "--database", "--users", "--abort-share", "--requests", "--malformed"};

void set_value(Options& options, std::string_view name, std::string_view value) {
  if (name == "--trace") {
    options.trace = parse_text(name, value);
  } else if (name == "--database") {
    options.database = parse_text(name, value);
  } else if (name == "--users") {
    options.users = parse_number(name, value, 1'000'000);
  } else if (name == "--abort-share") {
    options.aborts_per_million = parse_share(name, value);
  } else if (name == "--requests") {
    options.requests = parse_number(name, value, 10'000'000);
  } else {
    options.malformed = parse_malformed(name, value);
  }
}

/// What an unknown argument may be called in a message: nothing of it that could be a password.
std::string describe(std::string_view argument, std::size_t position) {
  return argument.starts_with("-")
             ? "there is no option '" + std::string(argument.substr(0, argument.find('='))) + "'"
             : "argument " + std::to_string(position) + " is not an option";
}

}  // namespace

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    const std::string_view argument = arguments[index];
    const auto equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--help" || argument == "-h") {
      options.help = true;
    } else if (std::ranges::find(options_with_value, name) == options_with_value.end()) {
      throw UsageError(describe(argument, index + 1));
    } else if (equals != argument.npos) {
      set_value(options, name, argument.substr(equals + 1));
    } else if (++index < arguments.size()) {
      set_value(options, name, arguments[index]);
    } else {
      throw UsageError(std::string(name) + " lacks its value");
    }
  }
  return options;
}

}  // namespace chat_day
