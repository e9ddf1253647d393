// The journal: every change of an allocation appends an entry, and none is ever changed.
#include "support/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// An entry without what differs from run to run.
struct Line {
  EntryKind kind;
  std::int64_t allocation_id;
  std::int64_t credits;
  std::int64_t held_credits;
  std::optional<std::string> session_id = std::nullopt;
  std::optional<std::int64_t> usage_id = std::nullopt;

  friend bool operator==(const Line&, const Line&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Line& line) {
    return out << to_string(line.kind) << " #" << line.allocation_id << ' ' << line.credits << '/'
               << line.held_credits << " session " << line.session_id.value_or("-") << " usage "
               << line.usage_id.value_or(0) << '\n';
  }
};

std::vector<Line> lines_after(Books& books, std::int64_t sequence) {
  std::vector<Line> lines;
  for (const auto& entry : books.credits().entries({.user_id = "ada", .after = sequence})) {
    lines.push_back({entry.kind, entry.allocation_id, entry.credits, entry.held_credits,
                     entry.session_id, entry.usage_id});
  }
  return lines;
}

/// Allocations of 5 and 20 credits (entries 1 and 2) and a model at a credit a token.
void open_books(Books& books) {
  books.account("ada");
  books.price("m", "1000");
  books.give("ada", 5, 3);
  books.give("ada", 20, 9);
}

}  // namespace

TEST_SUITE("journal") {
  TEST_CASE("kinds are stored as lower-case words") {
    CHECK(to_string(EntryKind::allocate) == "allocate");
    CHECK(to_string(EntryKind::deduct) == "deduct");
    CHECK(to_string(EntryKind::charge) == "charge");
    CHECK(to_string(EntryKind::hold) == "hold");
    CHECK(to_string(EntryKind::settle) == "settle");
    CHECK(to_string(EntryKind::refund) == "refund");
    CHECK(to_string(EntryKind::move) == "move");
    CHECK(to_string(EntryKind::overage) == "overage");
    CHECK(to_string(EntryKind::revoke) == "revoke");
  }

  TEST_CASE("an entry names who, when and in which order") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob");
      books.advance(3s);
      books.give("ada", 5, 3);
      books.give("bob", 5, 3);
      books.advance(3s);
      books.credits().deduct({.user_id = "ada", .credits = 2});
      const auto entries = books.entries("ada");
      REQUIRE(entries.size() == 2);
      CHECK(entries[0].sequence == 1);
      CHECK(entries[0].user_id == "ada");
      CHECK(entries[0].created_at == kStart + 3s);
      CHECK_FALSE(entries[0].actor.empty());
      CHECK(entries[1].sequence == 2);
      CHECK(entries[1].created_at == kStart + 6s);
      CHECK(entries[1].actor == entries[0].actor);
      REQUIRE(books.entries("bob").size() == 1);
      CHECK(books.entries("bob")[0].sequence == 1);
    });
  }

  TEST_CASE("each operation writes what it did to each allocation") {
    for_each_database([](Books& books) {
      open_books(books);
      CHECK(lines_after(books, 0) ==
            std::vector<Line>{{EntryKind::allocate, 1, 5, 0}, {EntryKind::allocate, 2, 20, 0}});
      books.credits().deduct({.user_id = "ada", .credits = 6});
      CHECK(lines_after(books, 2) ==
            std::vector<Line>{{EntryKind::deduct, 1, -5, 0}, {EntryKind::deduct, 2, -1, 0}});
      books.credits().charge({.user_id = "ada", .service = "s", .operation = "o", .credits = 4});
      CHECK(lines_after(books, 4) ==
            std::vector<Line>{{EntryKind::charge, 2, -4, 0, std::nullopt, 1}});
      books.usage().record({.user_id = "ada", .service = "s", .operation = "o", .credits = 4});
      CHECK(lines_after(books, 5).empty());
      books.credits().revoke({.allocation_id = 2, .user_id = "ada", .revoked_by = "admin"});
      CHECK(lines_after(books, 5) == std::vector<Line>{{EntryKind::revoke, 2, -15, 0}});
    });
  }

  TEST_CASE("a session's hold, settlement and refund name the session") {
    for_each_database([](Books& books) {
      open_books(books);
      books.sessions().initialize({"s", "ada", "m", 5});
      CHECK(lines_after(books, 2) ==
            std::vector<Line>{{EntryKind::hold, 1, -5, 5, "s"}, {EntryKind::hold, 2, -1, 1, "s"}});
      books.sessions().extend({"s", "ada", 5});
      CHECK(lines_after(books, 4) == std::vector<Line>{{EntryKind::hold, 2, -6, 6, "s"}});
      books.sessions().report({"s", "ada", 3});
      CHECK(lines_after(books, 5).empty());

      books.sessions().finalize({"s", "ada", 7});
      std::int64_t settled = 0;
      std::int64_t refunded = 0;
      for (const auto& line : lines_after(books, 5)) {
        CAPTURE(line);
        CHECK(line.session_id == "s");
        if (line.kind == EntryKind::settle) {
          CHECK(line.credits == 0);
          CHECK(line.usage_id == 1);
          settled -= line.held_credits;
        } else {
          CHECK(line.kind == EntryKind::refund);
          CHECK(line.credits == -line.held_credits);
          CHECK(line.allocation_id == 2);
          refunded += line.credits;
        }
      }
      CHECK(settled == 7);
      CHECK(refunded == 5);
    });
  }

  TEST_CASE("an overage is a line of its own") {
    for_each_database([](Books& books) {
      open_books(books);
      books.sessions().initialize({"s", "ada", "m", 4});
      books.sessions().finalize({"s", "ada", 8});
      CHECK(lines_after(books, 3) == std::vector<Line>{{EntryKind::settle, 1, 0, -5, "s", 1},
                                                       {EntryKind::overage, 2, -3, 0, "s", 1}});
    });
  }

  TEST_CASE("new_allocation: what comes back moves into the refund's allocation") {
    for_each_database({.policy = Policy::original()}, [](Books& books) {
      open_books(books);
      books.sessions().initialize({"s", "ada", "m", 5});
      books.sessions().abort({"s", "ada"});
      std::int64_t moved = 0;
      std::int64_t allocated = 0;
      for (const auto& line : lines_after(books, 4)) {
        CAPTURE(line);
        CHECK(line.session_id == "s");
        if (line.kind == EntryKind::move) {
          CHECK(line.credits == 0);
          moved -= line.held_credits;
        } else {
          CHECK(line.kind == EntryKind::allocate);
          CHECK(line.allocation_id == 3);
          allocated += line.credits;
        }
      }
      CHECK(moved == 6);
      CHECK(allocated == 6);
    });
  }

  TEST_CASE("entries are read in pages, from after a sequence number") {
    for_each_database([](Books& books) {
      books.account("ada");
      for (int number = 0; number < 7; ++number) {
        books.give("ada", 1, 1);
      }
      const auto sequences = [&](std::int64_t after, std::int64_t limit) {
        std::vector<std::int64_t> numbers;
        for (const auto& entry :
             books.credits().entries({.user_id = "ada", .after = after, .limit = limit})) {
          numbers.push_back(entry.sequence);
        }
        return numbers;
      };
      CHECK(sequences(0, 3) == std::vector<std::int64_t>{1, 2, 3});
      CHECK(sequences(3, 3) == std::vector<std::int64_t>{4, 5, 6});
      CHECK(sequences(6, 3) == std::vector<std::int64_t>{7});
      CHECK(sequences(7, 3).empty());
      CHECK(sequences(0, 1'000).size() == 7);
    });
  }

  TEST_CASE("what was written stays as it was") {
    for_each_database([](Books& books) {
      open_books(books);
      books.sessions().initialize({"s", "ada", "m", 5});
      const auto before = books.entries("ada");
      books.sessions().finalize({"s", "ada", 2});
      books.credits().revoke({.allocation_id = 1, .user_id = "ada", .revoked_by = "admin"});
      auto after = books.entries("ada");
      REQUIRE(after.size() > before.size());
      after.resize(before.size());
      CHECK(after == before);
    });
  }

  TEST_CASE("the database itself refuses to change or delete an entry") {
    for_each_database([](Books& books) {
      if (!books.can_open_again()) {
        return;
      }
      open_books(books);
      const auto before = books.entries("ada");
      CHECK_THROWS(books.tamper("UPDATE credit_entries SET credits = 1000"));
      CHECK_THROWS(books.tamper("DELETE FROM credit_entries"));
      CHECK(books.entries("ada") == before);
    });
  }
}

}  // namespace accounting::testing
