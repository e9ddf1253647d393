// Trace: the requests of a day, read from a CSV file or generated.
#pragma once

#include <accounting/types.hpp>

#include <cstdint>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chat_day {

struct Request {
  accounting::Timestamp time;
  std::int64_t context_tokens = 0;
  std::int64_t generated_tokens = 0;

  friend bool operator==(const Request&, const Request&) = default;
};

enum class Malformed { skip, refuse };

/// The trace cannot be read, or holds a line that is refused.
class TraceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One line `TIMESTAMP,ContextTokens,GeneratedTokens`, for example
/// `2023-11-16 18:15:46.6805900,374,44`. UTC; digits beyond the microsecond are cut off. Throws
/// TraceError, which says what is wrong with it.
Request parse_request(std::string_view line);

/// The first `limit` requests of a CSV file, in the order of time. Lines end with LF or CRLF, the
/// last one with or without. A malformed line is named by its number, in `complaints` where it is
/// skipped, else in the TraceError that refuses the file.
std::vector<Request> read_trace(const std::string& path, std::int64_t limit, Malformed malformed,
                                std::ostream& complaints);

/// A day of as many requests: busy at noon and quiet at night, with contexts and answers spread as
/// in the Azure LLM inference trace of 2023. The same seed, the same day.
std::vector<Request> generate_trace(std::int64_t requests, std::uint64_t seed);

}  // namespace chat_day
