#include "audit.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace accounting::testing {
namespace {

bool is_open(const LoggedCall& logged) {
  return logged.end == CallEnd::open || logged.end == CallEnd::unknown;
}

bool may_be_there(const LoggedCall& logged) {
  return is_open(logged) || logged.end == CallEnd::acknowledged;
}

std::string describe(const LoggedCall& logged) {
  return logged.call.id + " (" + to_string(logged.call) + ")";
}

/// Whether the effect of a call that leaves a row of its own is there.
std::optional<bool> find_effect(const Findings& found, const WorkerCall& call) {
  switch (call.kind) {
    case CallKind::charge:
      return found.charges.contains(call.id);
    case CallKind::allocate:
    case CallKind::transfer:
      return found.allocations.contains(call.id);
    case CallKind::revoke:
      return found.revoked.contains({call.user, std::stoll(call.subject)});
    case CallKind::initialize:
      return found.sessions.contains(call.id);
    default:
      return std::nullopt;
  }
}

}  // namespace

LogAudit::LogAudit(Accounting& books, std::vector<LoggedCall> calls)
    : books_(books), calls_(std::move(calls)) {
  for (std::size_t index = 0; index < calls_.size(); ++index) {
    const WorkerCall& call = calls_[index].call;
    index_[call.id] = index;
    if (goes_on_with_session(call.kind)) {
      of_session_[call.subject].push_back(index);
    }
  }
}

void LogAudit::run(std::size_t repeat_every) {
  compare();
  for (const LoggedCall& logged : calls_) {
    open_ += is_open(logged) ? 1 : 0;
    applied_ += is_open(logged) && find_effect(found_, logged.call).value_or(false) ? 1 : 0;
  }
  share_among_threads(calls_.size(), [&](std::size_t index) {
    if (index % repeat_every == 0 || is_open(calls_[index])) {
      repeat(calls_[index]);
    }
  });
  compare();
}

void LogAudit::compare() {
  verify();
  found_ = find_all(books_);
  problems_.insert(problems_.end(), found_.problems.begin(), found_.problems.end());
  for (const LoggedCall& logged : calls_) {
    judge_call(logged);
  }
  judge_sessions();
  judge_deductions();
  judge_that_all_was_asked_for();
}

void LogAudit::verify() {
  report_ = books_.verify();
  for (const Problem& found : report_.problems) {
    problem(found.invariant + " of " + found.user_id + ": " + found.detail);
  }
  if (!report_.ok && report_.problems.empty()) {
    problem("verify is not content");
  }
}

void LogAudit::judge_call(const LoggedCall& logged) {
  if (const std::optional<bool> present = find_effect(found_, logged.call)) {
    judge_presence(logged, *present);
  }
  if (logged.call.kind != CallKind::expire || logged.end != CallEnd::acknowledged) {
    return;
  }
  std::istringstream words(logged.words);
  std::string settled;
  for (words >> settled; words >> settled;) {
    const auto colon = settled.find(':');
    const auto session = found_.sessions.find(settled.substr(0, colon));
    if (session == found_.sessions.end() || session->second.status != SessionStatus::expired ||
        std::to_string(session->second.used_credits) != settled.substr(colon + 1)) {
      problem(settled + " was answered to " + describe(logged) + ", and is not so");
    }
  }
}

void LogAudit::judge_presence(const LoggedCall& logged, bool present) {
  if (!present && logged.end == CallEnd::acknowledged) {
    problem("LOST: " + describe(logged) + ", acknowledged: " + logged.words);
  }
  if (present && !may_be_there(logged)) {
    problem(describe(logged) + " took effect, although it was answered: " + logged.words);
  }
}

void LogAudit::judge_sessions() {
  for (const auto& [id, session] : found_.sessions) {
    const auto begun = index_.find(id);
    if (begun == index_.end()) {
      continue;  // told by judge_that_all_was_asked_for
    }
    std::int64_t least = calls_[begun->second].call.amount;
    std::int64_t most = least;
    std::int64_t reported = 0;
    std::int64_t most_reported = 0;
    for (const std::size_t index : of_session_[id]) {
      const LoggedCall& logged = calls_[index];
      const bool certain = logged.end == CallEnd::acknowledged;
      const std::int64_t amount = may_be_there(logged) ? logged.call.amount : 0;
      if (logged.call.kind == CallKind::extend) {
        least += certain ? amount : 0;
        most += amount;
      } else if (logged.call.kind == CallKind::report) {
        reported = std::max(reported, certain ? amount : 0);
        most_reported = std::max(most_reported, amount);
      }
    }
    const std::int64_t estimated = session.estimated_tokens.number();
    if (estimated < least || estimated > most) {
      problem("session " + id + " is estimated at " + std::to_string(estimated) +
              " tokens, acknowledged were " + std::to_string(least));
    }
    const std::int64_t stored = session.reported_tokens.value_or(Tokens(0)).number();
    if (stored < reported || stored > most_reported) {
      problem("of session " + id + " " + std::to_string(stored) +
              " tokens are reported, acknowledged were " + std::to_string(reported));
    }
    judge_end(session);
  }
}

void LogAudit::judge_end(const StreamingSession& session) {
  bool was_ended = false;
  bool may_have_ended = false;
  const auto wanted =
      session.status == SessionStatus::aborted ? CallKind::abort : CallKind::finalize;
  for (const std::size_t index : of_session_[session.session_id]) {
    const LoggedCall& logged = calls_[index];
    if (logged.call.kind == CallKind::finalize || logged.call.kind == CallKind::abort) {
      was_ended = was_ended || logged.end == CallEnd::acknowledged;
      may_have_ended = may_have_ended || (logged.call.kind == wanted && may_be_there(logged));
    }
  }
  if (session.status == SessionStatus::active || session.status == SessionStatus::expired) {
    if (was_ended) {
      problem("LOST: the end of session " + session.session_id + ", which was acknowledged");
    }
  } else if (!may_have_ended) {
    problem("session " + session.session_id + " is " + std::string(to_string(session.status)) +
            ", and nobody asked for that");
  }
}

void LogAudit::judge_deductions() {
  std::map<std::string, std::int64_t> expected;
  for (const LoggedCall& logged : calls_) {
    if (logged.call.kind == CallKind::transfer && found_.allocations.contains(logged.call.id)) {
      expected[logged.call.user] += logged.call.amount;
    }
  }
  for (const auto& [user, credits] : found_.deducted) {
    if (credits != expected[user]) {
      problem("transfers took " + std::to_string(credits) + " credits from " + user +
              ", and gave " + std::to_string(expected[user]));
    }
  }
}

void LogAudit::judge_that_all_was_asked_for() {
  std::set<AllocationName> revocations;
  for (const LoggedCall& logged : calls_) {
    if (logged.call.kind == CallKind::revoke) {
      revocations.emplace(logged.call.user, std::stoll(logged.call.subject));
    }
  }
  const auto check = [&](const std::string& id, const char* what) {
    if (!was_asked(id)) {
      problem(std::string("nobody asked for the ") + what + " of " + id);
    }
  };
  for (const auto& [id, row] : found_.charges) {
    check(id, "charge");
  }
  for (const auto& [id, row] : found_.allocations) {
    check(id, "allocation");
  }
  for (const auto& [id, row] : found_.sessions) {
    check(id, "session");
  }
  for (const auto& name : found_.revoked) {
    if (!revocations.contains(name)) {
      problem("nobody revoked allocation " + std::to_string(name.second) + " of " + name.first);
    }
  }
}

void LogAudit::repeat(LoggedCall& logged) {
  if (!answers_again(logged.call.kind) || !may_be_there(logged)) {
    return;
  }
  std::string words;
  CallEnd end = CallEnd::acknowledged;
  try {
    words = perform(books_, logged.call);
  } catch (const StoreError&) {
    throw;
  } catch (const AccountingError& error) {
    words = std::string(to_string(error.code())) + ": " + error.what();
    end = CallEnd::refused;
  }
  const std::lock_guard lock(mutex_);
  ++repeated_;
  if (!is_open(logged) && (end != logged.end || words != logged.words)) {
    problems_.push_back(describe(logged) + " was answered '" + logged.words + "', again: '" +
                        words + "'");
  }
  if (is_open(logged)) {
    logged.end = end;
    logged.words = words;
  }
}

void LogAudit::problem(const std::string& text) { problems_.push_back(text); }

std::string LogAudit::summary() const {
  std::map<CallEnd, std::int64_t> ends;
  std::int64_t transfers = 0;
  for (const LoggedCall& logged : calls_) {
    ++ends[logged.end];
    transfers += logged.call.kind == CallKind::transfer ? 1 : 0;
  }
  std::ostringstream out;
  out << "calls=" << calls_.size() << " transfers=" << transfers << " open=" << open_
      << " of_these_done=" << applied_ << " repeated=" << repeated_
      << " refused=" << ends[CallEnd::refused] << " failed=" << ends[CallEnd::failed]
      << " accounts=" << report_.accounts << " allocations=" << report_.allocations
      << " sessions=" << report_.sessions << " usage_records=" << report_.usage_records
      << " entries=" << report_.entries << " problems=" << problems_.size();
  return out.str();
}

}  // namespace accounting::testing
