// Threads: what several do at once comes out as if they had done it one after the other.
#include "support/books.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

constexpr int kThreads = 16;
const Setup kSixConnections{.pool_size = 6};

/// Makes the same call from all threads at once and answers what each was told.
template <class Call>
auto from_all_threads(Call&& call) {
  using Answer = std::invoke_result_t<Call&, int>;
  std::vector<std::optional<Answer>> answers(kThreads);
  in_threads(kThreads,
             [&](int thread) { answers[static_cast<std::size_t>(thread)] = call(thread); });
  return answers;
}

}  // namespace

TEST_SUITE("threads") {
  TEST_CASE("of more charges than credits exactly as many succeed as there are credits") {
    for_each_database(kSixConnections, [](Books& books) {
      constexpr int kCredits = 60;
      constexpr int kTriesEach = 6;
      books.account("ada");
      books.give("ada", 25, 3);
      books.give("ada", kCredits - 25, 9);
      std::atomic<int> succeeded = 0;
      std::atomic<int> refused = 0;
      in_threads(kThreads, [&](int) {
        for (int time = 0; time < kTriesEach; ++time) {
          try {
            books.credits().charge({"ada", "chat", "m", 1});
            ++succeeded;
          } catch (const InsufficientCredits&) {
            ++refused;
          }
        }
      });
      CHECK(succeeded == kCredits);
      CHECK(refused == kThreads * kTriesEach - kCredits);
      CHECK(books.balance("ada") == 0);
      CHECK(books.usage().user_stats({"ada"}).total_records == kCredits);
    });
  }

  TEST_CASE("many accounts at once do not disturb each other") {
    for_each_database(kSixConnections, [](Books& books) {
      for (int thread = 0; thread < kThreads; ++thread) {
        books.account("u" + std::to_string(thread), 100);
      }
      books.price("m", "1000");
      in_threads(kThreads, [&](int thread) {
        const std::string user = "u" + std::to_string(thread);
        books.sessions().initialize({"s", user, "m", 10});
        books.sessions().report({"s", user, 5});
        books.credits().deduct({user, 1});
        books.sessions().finalize({"s", user, 10});
      });
      for (int thread = 0; thread < kThreads; ++thread) {
        CHECK(books.balance("u" + std::to_string(thread)) == 89);
      }
    });
  }

  TEST_CASE("a session that all threads finalize is settled once, with one answer for all") {
    for_each_database(kSixConnections, [](Books& books) {
      books.account("ada", 100);
      books.price("m", "1000");
      books.sessions().initialize({"s", "ada", "m", 10});
      const auto answers = from_all_threads([&](int) {
        return books.sessions().finalize({"s", "ada", 7});
      });
      for (const auto& answer : answers) {
        CHECK(answer == answers[0]);
      }
      CHECK(answers[0]->refund == 5);
      CHECK(books.balance("ada") == 93);
      CHECK(books.usage_of("ada").size() == 1);
    });
  }

  TEST_CASE("of different ends at once one wins, the others hear that the session has ended") {
    for_each_database(kSixConnections, [](Books& books) {
      books.account("ada", 100);
      books.price("m", "1000");
      books.sessions().initialize({"s", "ada", "m", 10});
      books.advance(2h);
      const auto answers = from_all_threads([&](int thread) {
        return outcome_of([&] {
          if (thread % 3 == 0) {
            books.sessions().expire_stale();
          } else if (thread % 3 == 1) {
            books.sessions().abort({"s", "ada", thread});
          } else {
            books.sessions().finalize({"s", "ada", thread});
          }
        });
      });
      for (const auto& answer : answers) {
        CHECK((answer == "ok" || answer == "session_closed"));
      }
      CHECK(books.usage_of("ada").size() == 1);
      CHECK(books.held("ada") == 0);
      CHECK(books.sessions().active("ada").empty());
    });
  }

  TEST_CASE("one session id from all threads holds once") {
    for_each_database(kSixConnections, [](Books& books) {
      books.account("ada", 20);
      books.price("m", "1000");
      const auto answers = from_all_threads([&](int) {
        return books.sessions().initialize({"s", "ada", "m", 10});
      });
      for (const auto& answer : answers) {
        CHECK((answer == answers[0]));
      }
      CHECK(books.held("ada") == 12);
      CHECK(books.balance("ada") == 8);
    });
  }

  TEST_CASE("one idempotency key from all threads has one effect and one answer") {
    for_each_database(kSixConnections, [](Books& books) {
      books.account("ada", 20);
      const auto answers = from_all_threads([&](int) {
        return books.credits().charge({"ada", "s", "o", 5, {}, "k"});
      });
      for (const auto& answer : answers) {
        CHECK((answer == answers[0]));
      }
      CHECK(books.balance("ada") == 15);
      CHECK(books.usage_of("ada").size() == 1);
    });
  }

  TEST_CASE("expire_stale in several places ends each session once") {
    for_each_database(kSixConnections, [](Books& books) {
      books.price("m", "1000");
      for (int number = 0; number < 12; ++number) {
        const std::string user = "u" + std::to_string(number % 4);
        books.account(user, 100);
        books.sessions().initialize({"s" + std::to_string(number), user, "m", 10});
      }
      books.advance(1h);
      std::atomic<std::size_t> expired = 0;
      in_threads(6, [&](int) { expired += books.sessions().expire_stale().size(); });
      CHECK(expired == 12);
      CHECK(books.sessions().all_active().empty());
    });
  }

  TEST_CASE("one account created by all threads is created once") {
    for_each_database(kSixConnections, [](Books& books) {
      std::atomic<int> created = 0;
      in_threads(kThreads, [&](int) {
        created += books.accounts().sync({"ada", "e", "n"}).created ? 1 : 0;
      });
      CHECK(created == 1);
      CHECK(books.accounts().list().total == 1);
    });
  }

  TEST_CASE("prices set by all threads never overlap") {
    for_each_database(kSixConnections, [](Books& books) {
      const auto answers = from_all_threads([&](int thread) {
        return outcome_of([&] {
          books.pricing().set({.model_id = "m",
                               .price_per_1k_tokens = 1 + thread % 2,
                               .created_by = "x",
                               .effective_from = kStart + (thread / 2) * 1s});
        });
      });
      for (const auto& answer : answers) {
        CHECK((answer == "ok" || answer == "conflict"));
      }
      const auto rules = books.pricing().list();
      REQUIRE_FALSE(rules.empty());
      for (std::size_t index = 1; index < rules.size(); ++index) {
        CHECK(rules[index - 1].effective_to == rules[index].effective_from);
      }
      CHECK_FALSE(rules.back().effective_to.has_value());
    });
  }

  TEST_CASE("readers see whole transactions: a transfer never shows half done") {
    for_each_database(kSixConnections, [](Books& books) {
      books.account("ada", 100);
      books.price("m", "1000");
      std::atomic<bool> done = false;
      std::atomic<int> wrong = 0;
      in_threads(3, [&](int thread) {
        if (thread == 0) {
          for (int time = 0; time < 20; ++time) {
            const std::string session = "s" + std::to_string(time);
            books.sessions().initialize({session, "ada", "m", 10});
            books.sessions().abort({session, "ada"});
          }
          done = true;
        } else {
          while (!done) {
            const auto balance = books.credits().balance("ada");
            if (balance.total_credits + balance.held_credits != 100) {
              ++wrong;
            }
          }
        }
      });
      CHECK(wrong == 0);
    });
  }

  TEST_CASE("verify sees one moment: what is going on is no problem") {
    for_each_database(kSixConnections, [](Books& books) {
      books.account("ada", 1'000);
      books.account("bob", 1'000);
      books.price("m", "1000");
      std::atomic<bool> done = false;
      std::atomic<int> problems = 0;
      in_threads(3, [&](int thread) {
        const std::string user = thread == 0 ? "ada" : "bob";
        for (int time = 0; thread < 2 && time < 10; ++time) {
          const std::string session = "s" + std::to_string(time);
          books.sessions().initialize({session, user, "m", 10});
          books.credits().charge({user, "chat", "m", 1});
          books.sessions().finalize({session, user, 15});
          done = time == 9;
        }
        while (thread == 2 && !done) {
          problems += static_cast<int>(books.accounting().verify().problems.size());
        }
      });
      CHECK(problems == 0);
    });
  }
}

}  // namespace accounting::testing
