#include "audit_pace.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace accounting::testing {
namespace {

// More than ten, which is what the test asks for, and a start for those who begin first.
constexpr double audits_a_second = 14;
constexpr double lead = 2;

}  // namespace

void note_audit(const std::string& file) { std::ofstream(file, std::ios::app) << '.'; }

AuditPace::AuditPace(std::string file)
    : file_(std::move(file)),
      began_(std::chrono::steady_clock::now()),
      audits_at_first_(audits()) {}

bool AuditPace::is_behind() const {
  if (file_.empty()) {
    return false;
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began_;
  return static_cast<double>(audits() - audits_at_first_) + lead <
         audits_a_second * elapsed.count();
}

std::int64_t AuditPace::audits() const {
  std::error_code none_yet;
  const std::uintmax_t size = std::filesystem::file_size(file_, none_yet);
  return none_yet ? 0 : static_cast<std::int64_t>(size);
}

}  // namespace accounting::testing
