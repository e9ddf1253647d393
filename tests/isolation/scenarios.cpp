#include "scenarios.hpp"

#include "support/books.hpp"

namespace accounting::testing {
namespace {

using Call = std::function<void(const RecordedBooks&)>;

/// Accounts that can spend some credits: 60 of them expire, the rest do not.
Call accounts_with(std::int64_t credits, const std::vector<std::string>& users = {"ada"}) {
  return [=](const RecordedBooks& books) {
    for (const std::string& user_id : users) {
      books.accounts().sync({.user_id = user_id, .email = "e@example.org", .username = user_id});
      if (credits > 60) {
        books.credits().allocate(
            {.user_id = user_id, .credits = 60, .allocated_by = "admin", .expiry_days = 5});
      }
      books.credits().allocate({.user_id = user_id,
                                .credits = credits > 60 ? credits - 60 : credits,
                                .allocated_by = "admin",
                                .never_expires = true});
    }
    books.pricing().set({.model_id = "m", .price_per_1k_tokens = 1'000, .created_by = "admin"});
  };
}

void report(const RecordedBooks& books) {
  books.sessions().report({.session_id = "s", .user_id = "ada", .tokens_so_far = 20});
}

/// And a session that holds 60 and has told of 20 tokens.
void account_with_session(const RecordedBooks& books) {
  accounts_with(100)(books);
  books.sessions().initialize(
      {.session_id = "s", .user_id = "ada", .model_id = "m", .estimated_tokens = 50});
  report(books);
}

Call deduct(std::int64_t credits) {
  return [=](const RecordedBooks& books) {
    books.credits().deduct({.user_id = "ada", .credits = credits});
  };
}

Call charge(std::int64_t credits, const std::optional<std::string>& key = std::nullopt) {
  return [=](const RecordedBooks& books) {
    books.credits().charge({.user_id = "ada",
                            .service = "chat",
                            .operation = "m",
                            .credits = credits,
                            .idempotency_key = key});
  };
}

Call charge_each(const std::vector<std::string>& users) {
  return [=](const RecordedBooks& books) {
    std::vector<ChargeRequest> requests;
    for (const std::string& user_id : users) {
      requests.push_back(
          {.user_id = user_id, .service = "images", .operation = "one", .credits = 30});
    }
    books.credits().charge_many(requests);
  };
}

Call record_each(const std::vector<std::string>& users) {
  return [=](const RecordedBooks& books) {
    std::vector<RecordRequest> requests;
    for (const std::string& user_id : users) {
      requests.push_back(
          {.user_id = user_id, .service = "images", .operation = "one", .credits = 30});
    }
    books.usage().record_many(requests);
  };
}

void allocate(const RecordedBooks& books) {
  books.credits().allocate(
      {.user_id = "ada", .credits = 50, .allocated_by = "admin", .expiry_days = 1});
}

void revoke(const RecordedBooks& books) {
  books.credits().revoke({.allocation_id = 1, .user_id = "ada", .revoked_by = "admin"});
}

void initialize(const RecordedBooks& books) {
  books.sessions().initialize(
      {.session_id = "s", .user_id = "ada", .model_id = "m", .estimated_tokens = 50});
}

void finalize(const RecordedBooks& books) {
  books.sessions().finalize({.session_id = "s", .user_id = "ada", .actual_tokens = 40});
}

void abort_session(const RecordedBooks& books) {
  books.sessions().abort({.session_id = "s", .user_id = "ada", .tokens_generated = 10});
}

void expire(const RecordedBooks& books) { books.sessions().expire_stale(); }

void statistics(const RecordedBooks& books) {
  static_cast<void>(books.usage().user_stats({.user_id = "ada"}));
}

Call set_price(std::int64_t price) {
  return [=](const RecordedBooks& books) {
    books.pricing().set({.model_id = "m",
                         .price_per_1k_tokens = price,
                         .created_by = "admin",
                         .effective_from = kStart + days(1)});
  };
}

}  // namespace

std::vector<Scenario> isolation_scenarios() {
  using enum Interleaving;
  return {
      {.name = "deduct_deduct",
       .what = "Two deductions, of which the balance covers one.",
       .before = accounts_with(100),
       .actors = {{"ann", deduct(70)}, {"bea", deduct(80)}}},
      {.name = "deduct_deduct_deduct",
       .what = "Three deductions, of which the balance covers two.",
       .before = accounts_with(100),
       .actors = {{"ann", deduct(40)}, {"bea", deduct(45)}, {"cid", deduct(50)}},
       .interleaving = orders},
      {.name = "deduct_deduct_statements",
       .what = "Two deductions without pipelining: the other comes at each statement of the first.",
       .before = accounts_with(100),
       .actors = {{"ann", deduct(70)}, {"bea", deduct(20)}},
       .interleaving = statements},
      {.name = "charge_remembered",
       .what = "A charge by memory, in one trip, and a deduction that looks first.",
       .before = accounts_with(100),
       .actors = {{"charge", charge(30), charge(5)}, {"deduct", deduct(20)}},
       .interleaving = remembered},
      {.name = "charges_remembered",
       .what = "Charges of two accounts by memory, and a deduction from one that looks first.",
       .before = accounts_with(100, {"ada", "bob"}),
       .actors = {{"charge", charge_each({"ada", "bob"}), charge_each({"ada", "bob"})},
                  {"deduct", deduct(20)}},
       .interleaving = remembered},
      {.name = "charge_remembered_statements",
       .what = "The same without pipelining: the deduction comes at each statement of the charge.",
       .before = accounts_with(100),
       .actors = {{"charge", charge(30), charge(5)}, {"deduct", deduct(20)}},
       .interleaving = statements},
      {.name = "finalize_remembered",
       .what = "A session ends by memory while another process tells of tokens.",
       .before = accounts_with(100),
       .actors = {{"finalize", finalize, initialize}, {"tell", report}},
       .interleaving = remembered},
      {.name = "report_remembered",
       .what = "Tokens are told of by memory while another process ends the session.",
       .before = accounts_with(100),
       .actors = {{"tell", report, initialize}, {"stop", abort_session}},
       .interleaving = remembered},
      {.name = "finalize_abort",
       .what = "A session is finalized and aborted.",
       .before = account_with_session,
       .actors = {{"finalize", finalize}, {"stop", abort_session}}},
      {.name = "finalize_expire",
       .what = "A session is finalized while expire_stale ends it.",
       .before = account_with_session,
       .actors = {{"finalize", finalize}, {"expire", expire}}},
      {.name = "finalize_abort_expire",
       .what = "A session is finalized, aborted and expired.",
       .before = account_with_session,
       .actors = {{"finalize", finalize}, {"stop", abort_session}, {"expire", expire}},
       .interleaving = orders},
      {.name = "finalize_revoke",
       .what = "A session ends while the allocation is revoked that it holds credits of.",
       .before = account_with_session,
       .actors = {{"finalize", finalize}, {"revoke", revoke}}},
      {.name = "allocate_deduct",
       .what = "A deduction that only a new allocation makes possible.",
       .before = accounts_with(10),
       .actors = {{"allocate", allocate}, {"deduct", deduct(40)}}},
      {.name = "same_key",
       .what = "A charge is sent twice with the same key.",
       .before = accounts_with(100),
       .actors = {{"ann", charge(30, "key")}, {"again", charge(30, "key")}}},
      {.name = "same_key_other_request",
       .what = "Two charges with the same key that differ.",
       .before = accounts_with(100),
       .actors = {{"ann", charge(30, "key")}, {"bea", charge(31, "key")}}},
      {.name = "same_session",
       .what = "A session is begun twice with the same id.",
       .before = accounts_with(100),
       .actors = {{"ann", initialize}, {"again", initialize}}},
      {.name = "crosswise",
       .what = "Records of both that name the same accounts in opposite order.",
       .before = accounts_with(50, {"ada", "bob"}),
       .actors = {{"ann", record_each({"ada", "bob"})}, {"bea", record_each({"bob", "ada"})}}},
      {.name = "crosswise_left_out",
       .what =
           "Two batches of charges: accounts that the other holds are left out, not waited for.",
       .before = accounts_with(50, {"ada", "bob"}),
       .actors = {{"ann", charge_each({"ada", "bob"})}, {"bea", charge_each({"bob", "ada"})}}},
      {.name = "same_price",
       .what = "Two prices of a model from the same instant on.",
       .before = accounts_with(10),
       .actors = {{"ann", set_price(5)}, {"bea", set_price(6)}}},
      {.name = "charge_statistics",
       .what = "Statistics are read, statement by statement, while a charge is stored.",
       .before = accounts_with(100),
       .actors = {{"charge", charge(30)}, {"reader", statistics}},
       .interleaving = snapshot},
  };
}

}  // namespace accounting::testing
