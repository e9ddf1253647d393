// Refusal: why a token is not accepted, in a sentence that only administrators get to see.
#pragma once

#include "accounting/error.hpp"

#include <stdexcept>
#include <string>

namespace accounting::crypto {

/// Thrown inside this room; callers of the library get Unauthenticated, without the sentence.
class Refusal final : public std::runtime_error {
 public:
  Refusal(TokenProblem problem, const std::string& explanation)
      : std::runtime_error(explanation), problem_(problem) {}

  [[nodiscard]] TokenProblem problem() const noexcept { return problem_; }

 private:
  TokenProblem problem_;
};

}  // namespace accounting::crypto
