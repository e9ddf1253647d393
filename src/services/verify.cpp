#include "services/verify.hpp"

#include "domain/invariants.hpp"
#include "services/attempts.hpp"
#include "services/journal_chain.hpp"

#include <iterator>

namespace accounting::services {
namespace {

void count_rows(VerifyReport& report, const domain::AccountRows& rows) {
  report.accounts += 1;
  report.allocations += std::ssize(rows.allocations);
  report.sessions += std::ssize(rows.sessions);
  report.usage_records += std::ssize(rows.usage_records);
  report.entries += std::ssize(rows.entries);
}

}  // namespace

VerifyReport verify(const Context& context) {
  return query(context, [](store::Reads& reads) {
    VerifyReport report;
    reads.each_account([&](const domain::AccountRows& rows) {
      count_rows(report, rows);
      for (const auto& problems : {domain::check_invariants(rows), check_chain(rows)}) {
        report.problems.insert(report.problems.end(), problems.begin(), problems.end());
      }
    });
    report.ok = report.problems.empty();
    return report;
  });
}

}  // namespace accounting::services
