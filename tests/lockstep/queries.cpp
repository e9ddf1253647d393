#include "lockstep/queries.hpp"

#include "property/account_queries.hpp"
#include "support/books.hpp"

#include <limits>
#include <sstream>
#include <utility>
#include <variant>

namespace accounting::testing {
namespace {

template <class Item>
std::string shown(const Item& item);

std::string shown_each(const auto& items) {
  std::string list;
  for (const auto& item : items) {
    list += "\n    " + shown(item);
  }
  return list.empty() ? "nothing" : list;
}

std::string shown_sums(const CreditsByName& sums) {
  std::string list;
  for (const auto& [name, credits] : sums) {
    list += " " + name + " " + std::to_string(credits);
  }
  return list;
}

struct Show {
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(bool yes) const { return yes ? "yes" : "no"; }
  std::string operator()(const std::string& words) const { return words; }
  std::string operator()(const CreditAllocation& row) const { return text_of(domain::Answer(row)); }
  std::string operator()(const StreamingSession& row) const { return text_of(domain::Answer(row)); }
  std::string operator()(const UsageRecord& row) const {
    return text_of(domain::Answer(row)) + " of " + row.service + " " + row.operation + " at " +
           since(row.timestamp) + " " + row.metadata.value_or("-");
  }
  std::string operator()(const CreditEntry& row) const {
    return std::to_string(row.sequence) + " " + std::string(to_string(row.kind)) + " " +
           std::to_string(row.credits) + " held " + std::to_string(row.held_credits) + " of #" +
           std::to_string(row.allocation_id) + " " + row.session_id.value_or("-") + " at " +
           since(row.created_at) + " " + row.hash;
  }
  std::string operator()(const PricingRule& rule) const {
    return rule.model_id + " " + rule.price_per_1k_tokens.to_string() + " from " +
           since(rule.effective_from) + " to " + since(rule.effective_to);
  }
  std::string operator()(const Balance& balance) const {
    return std::to_string(balance.total_credits) + " held " + std::to_string(balance.held_credits) +
           shown_each(balance.active_allocations);
  }
  std::string operator()(const Page<CreditAllocation>& page) const {
    return "page " + std::to_string(page.page) + " of " + std::to_string(page.total_pages) +
           ", of " + std::to_string(page.total) + shown_each(page.items);
  }
  std::string operator()(const UserStats& stats) const {
    return std::to_string(stats.total_records) + " records, " +
           std::to_string(stats.total_credits) + " credits; by service" +
           shown_sums(stats.by_service) + "; by day" + shown_sums(stats.by_day) + "; by model" +
           shown_sums(stats.by_model) + "; recently" + shown_each(stats.recent_activity);
  }
  template <class Item>
  std::string operator()(const std::vector<Item>& items) const {
    return shown_each(items);
  }
};

template <class Item>
std::string shown(const Item& item) {
  return Show()(item);
}

/// A value, or the error that was thrown instead.
template <class Value>
using Found = std::variant<Value, std::string>;

template <class Ask>
auto found_by(Ask ask) -> Found<decltype(ask())> {
  try {
    return ask();
  } catch (const AccountingError& error) {
    return describe(error);
  }
}

template <class Value>
Found<Value> plain_found(Found<Value> found) {
  if (auto* value = std::get_if<Value>(&found)) {
    *value = plain(std::move(*value));
  }
  return found;
}

template <class Value>
std::string shown_found(const Found<Value>& found) {
  return std::visit([](const auto& each) { return shown(each); }, found);
}

}  // namespace

std::optional<SystemStats> system_stats_of(const std::vector<UsageRecord>& used,
                                           const store::TimeRange& range) {
  SystemStats stats;
  for (const UsageRecord& record : used) {
    if (!is_within(record.timestamp, range)) {
      continue;
    }
    if (record.credits > std::numeric_limits<std::int64_t>::max() - stats.total_credits) {
      return std::nullopt;
    }
    stats.total_records += 1;
    stats.total_credits += record.credits;
    stats.by_user[record.user_id] += record.credits;
    stats.by_service[record.service] += record.credits;
    stats.by_day[day_text(record.timestamp)] += record.credits;
    if (record.service == "chat" || record.service.starts_with("chat-")) {
      stats.by_model[record.operation] += record.credits;
    }
  }
  return stats;
}

void Inquirer::ask_through(std::array<SharedContext, 2> contexts, const Policy& policy,
                           Timestamp now) {
  contexts_ = std::move(contexts);
  policy_ = &policy;
  now_ = now;
}

std::string Inquirer::any_user() {
  return random_.chance(4) ? "somebody" : random_.pick(sequence_.users);
}

/// Mostly the very instant of something, now or then.
Timestamp Inquirer::any_instant() {
  const Timestamp instant = random_.chance(60) ? now_ : kStart + random_.between(0, 120) * 1h;
  return instant + std::chrono::microseconds(random_.chance(70) ? 0 : random_.between(-1, 1));
}

store::TimeRange Inquirer::any_range() {
  store::TimeRange range;
  if (random_.chance(70)) {
    range.start = any_instant();
  }
  if (random_.chance(70)) {
    range.end = any_instant();
  }
  if (range.start && range.end && *range.end < *range.start) {
    std::swap(*range.start, *range.end);
  }
  return range;
}

std::optional<std::string> Inquirer::ask_anything() {
  return ask(random_.between(1, kinds), any_user());
}

std::optional<std::string> Inquirer::ask_everything() {
  for (const std::string& user_id : sequence_.users) {
    for (std::int64_t kind = 1; kind <= kinds; ++kind) {
      if (auto problem = ask(kind, user_id)) {
        return problem;
      }
    }
    for (const ReferenceSession& session : reference_.account(user_id).sessions) {
      if (auto problem = ask_session(user_id, session.session.session_id)) {
        return problem;
      }
    }
  }
  return std::nullopt;
}

template <class Ask, class Expect>
std::optional<std::string> Inquirer::compare(const std::string& question, Ask ask, Expect expect) {
  asked_ += 1;
  const auto sqlite = found_by([&] { return ask(contexts_[0]); });
  const auto postgresql = found_by([&] { return ask(contexts_[1]); });
  const auto expected = found_by(expect);
  if (sqlite == postgresql && plain_found(sqlite) == plain_found(expected)) {
    return std::nullopt;
  }
  return question + "\n  SQLite answers     " + shown_found(sqlite) + "\n  PostgreSQL answers " +
         shown_found(postgresql) + "\n  expected           " + shown_found(expected);
}

template <class Ask, class Expect>
std::optional<std::string> Inquirer::compare_account(const std::string& question,
                                                     const std::string& user_id, Ask ask,
                                                     Expect expect) {
  return compare(question + " of " + user_id, ask, [&] {
    if (!reference_.has_account(user_id)) {
      throw NotFound("there is no such account");
    }
    return expect(reference_.account(user_id));
  });
}

std::optional<std::string> Inquirer::ask(std::int64_t kind, const std::string& user_id) {
  if (kind <= 4) {
    return ask_credits(kind, user_id);
  }
  if (kind <= 6) {
    return ask_usage(kind, user_id);
  }
  return kind <= 8 ? ask_sessions(kind, user_id) : ask_prices(kind);
}

std::optional<std::string> Inquirer::ask_credits(std::int64_t kind, const std::string& user_id) {
  if (kind == 1) {
    return compare_account(
        "balance", user_id,
        [&](const auto& context) { return Credits(context).balance({.user_id = user_id}); },
        [&](const auto& account) { return balance_of(account, now_); });
  }
  if (kind == 2) {
    const std::int64_t has = reference_.has_account(user_id)
                                 ? balance_of(reference_.account(user_id), now_).total_credits
                                 : 0;
    // Exactly what there is, or one more.
    const std::int64_t credits = std::min(has + random_.between(0, 1), kMostCredits);
    return compare_account(
        "check " + std::to_string(credits), user_id,
        [&](const auto& context) {
          return Credits(context).check({.user_id = user_id, .credits = credits});
        },
        [&](const auto&) { return has >= credits; });
  }
  if (kind == 3) {
    const std::int64_t page = random_.between(1, 3);
    const std::int64_t limit = random_.between(1, 4);
    return compare_account(
        "history by " + std::to_string(limit), user_id,
        [&](const auto& context) {
          return Credits(context).history({.user_id = user_id, .page = page, .limit = limit});
        },
        [&](const auto& account) { return history_of(account, page, limit); });
  }
  const std::int64_t after = random_.between(0, 12);
  const std::int64_t limit = random_.between(1, 60);
  return compare_account(
      "entries after " + std::to_string(after) + ", at most " + std::to_string(limit), user_id,
      [&](const auto& context) {
        return Credits(context).entries({.user_id = user_id, .after = after, .limit = limit});
      },
      [&](const auto& account) { return entries_of(account, after, limit); });
}

std::optional<std::string> Inquirer::ask_usage(std::int64_t kind, const std::string& user_id) {
  const store::TimeRange range = any_range();
  const std::string bounds = " from " + since(range.start) + " to " + since(range.end);
  if (kind == 5) {
    const std::int64_t after = random_.between(0, 4);
    const std::int64_t limit = random_.between(1, 20);
    return compare_account(
        "usage" + bounds + " after " + std::to_string(after) + ", at most " + std::to_string(limit),
        user_id,
        [&](const auto& context) {
          return Usage(context).list({.user_id = user_id,
                                      .start = range.start,
                                      .end = range.end,
                                      .after = after,
                                      .limit = limit});
        },
        [&](const auto& account) { return usage_of(account, range, after, limit); });
  }
  return compare_account(
      "statistics" + bounds, user_id,
      [&](const auto& context) {
        return Usage(context).user_stats(
            {.user_id = user_id, .start = range.start, .end = range.end});
      },
      [&](const auto& account) { return stats_of(account, range); });
}

std::optional<std::string> Inquirer::ask_sessions(std::int64_t kind, const std::string& user_id) {
  if (kind == 7) {
    return random_.chance(30) ? ask_all_active()
                              : ask_session(user_id, "s-" + std::to_string(random_.between(0, 4)));
  }
  return compare_account(
      "active sessions", user_id,
      [&](const auto& context) { return Sessions(context).active(user_id); },
      [&](const auto& account) { return active_sessions_of(account); });
}

std::optional<std::string> Inquirer::ask_session(const std::string& user_id,
                                                 const std::string& session_id) {
  return compare_account(
      "session " + session_id, user_id,
      [&](const auto& context) {
        return Sessions(context).get({.session_id = session_id, .user_id = user_id});
      },
      [&](const auto& account) {
        const std::optional<StreamingSession> session = session_of(account, session_id);
        if (!session) {
          throw NotFound("there is no such session");
        }
        return *session;
      });
}

/// Nobody else has any: sequences end theirs.
std::optional<std::string> Inquirer::ask_all_active() {
  return compare(
      "all active sessions", [](const auto& context) { return Sessions(context).all_active(); },
      [&] {
        struct All {
          std::vector<ReferenceSession> sessions;
        } all;
        for (const std::string& user_id : sequence_.users) {
          const auto& sessions = reference_.account(user_id).sessions;
          all.sessions.insert(all.sessions.end(), sessions.begin(), sessions.end());
        }
        return active_sessions_of(all);
      });
}

const PricingRule* Inquirer::rule_at(const std::string& model_id, Timestamp at) const {
  for (const PricingRule& rule : sequence_.rules) {
    if (rule.model_id == model_id && rule.effective_from <= at &&
        (!rule.effective_to || at < *rule.effective_to)) {
      return &rule;
    }
  }
  return nullptr;
}

std::int64_t Inquirer::price_of(const std::string& model_id, const Tokens& tokens,
                                Timestamp at) const {
  domain::TokenPrices prices;
  const auto listed = policy_->default_prices.find(model_id);
  if (const PricingRule* rule = rule_at(model_id, at)) {
    prices = {rule->price_per_1k_tokens, rule->input, rule->output, rule->cached_input};
  } else if (listed != policy_->default_prices.end()) {
    prices = {listed->second, {}, {}, {}};
  } else if (policy_->fallback_price) {
    prices = {*policy_->fallback_price, {}, {}, {}};
  } else {
    throw PriceNotFound("the model has no price");
  }
  const std::optional<std::int64_t> cost = reference_cost(tokens, prices);
  if (!cost) {
    throw InvalidArgument("tokens", "they cost too much");
  }
  return *cost;
}

std::optional<std::string> Inquirer::ask_prices(std::int64_t kind) {
  const std::string& ruled = sequence_.rules.front().model_id;
  const Timestamp at = any_instant();
  if (kind == 9) {
    return compare(
        "price of " + ruled + " at " + since(at),
        [&](const auto& context) { return Pricing(context).get({.model_id = ruled, .at = at}); },
        [&] {
          const PricingRule* rule = rule_at(ruled, at);
          if (rule == nullptr) {
            throw PriceNotFound("there is no rule");
          }
          return *rule;
        });
  }
  if (kind == 10) {
    return compare(
        "prices of " + ruled,
        [&](const auto& context) { return Pricing(context).list({.model_id = ruled}); },
        [&] { return sequence_.rules; });
  }
  const std::string model = random_.chance(60) ? ruled : random_.chance(50) ? "listed" : "other";
  const std::int64_t number = random_.between(0, 9'000);
  const Tokens tokens =
      random_.chance(50)
          ? Tokens(number)
          : Tokens(TokenCounts{
                .input = number, .output = random_.between(0, 9), .cached_input = number / 3});
  return compare(
      "cost of " + std::to_string(number) + " tokens of " + model + " at " + since(at),
      [&](const auto& context) {
        return Pricing(context).calculate({.model_id = model, .tokens = tokens, .at = at});
      },
      [&] { return price_of(model, tokens, at); });
}

}  // namespace accounting::testing
