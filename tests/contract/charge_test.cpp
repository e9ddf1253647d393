// Charges: a deduction and its usage record in one step; records that only record.
#include "support/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

ChargeRequest charge_of(std::int64_t credits, const std::string& user_id = "ada") {
  return {.user_id = user_id, .service = "images", .operation = "draw", .credits = credits};
}

RecordRequest record_of(std::int64_t credits, const std::string& user_id = "ada") {
  return {.user_id = user_id, .service = "images", .operation = "draw", .credits = credits};
}

}  // namespace

TEST_SUITE("charge") {
  TEST_CASE("a charge takes the credits and records the use") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.give("ada", 10, 5);
      books.give("ada", 20, 9);
      books.advance(5s);
      auto request = charge_of(12);
      request.metadata = R"({"size": "large"})";
      const Charge charge = books.credits().charge(request);
      CHECK(charge.deduction == Deduction{.credits = 12, .slices = {{1, 10}, {2, 2}}});
      CHECK(charge.usage_record == UsageRecord{.id = 1,
                                               .user_id = "ada",
                                               .timestamp = kStart + 5s,
                                               .service = "images",
                                               .operation = "draw",
                                               .credits = 12,
                                               .collected_credits = 12,
                                               .metadata = R"({"size":"large"})"});
      CHECK(books.usage_of("ada") == std::vector{charge.usage_record});
      CHECK(books.balance("ada") == 18);
    });
  }

  TEST_CASE("a charge that the balance does not cover takes and records nothing") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      CHECK(outcome_of([&] { books.credits().charge(charge_of(11)); }) ==
            "insufficient_credits(required 11, available 10)");
      CHECK(books.balance("ada") == 10);
      CHECK(books.usage_of("ada").empty());
      CHECK(books.entries("ada").size() == 1);
      CHECK(books.usage().user_stats({.user_id = "ada"}) == UserStats{});
      CHECK(books.credits().charge(charge_of(10)).usage_record.id == 1);
    });
  }

  TEST_CASE("of many charges each is by itself, in order") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      books.account("bob", 1);
      const auto outcomes = books.credits().charge_many(
          {charge_of(6), charge_of(6), charge_of(1, "bob"), charge_of(1, "nobody"), charge_of(0),
           charge_of(4), charge_of(1)});
      const std::vector<std::string> expected = {"ok",
                                                 "insufficient_credits(required 6, available 4)",
                                                 "ok",
                                                 "not_found",
                                                 "invalid_argument(credits)",
                                                 "ok",
                                                 "insufficient_credits(required 1, available 0)"};
      REQUIRE(outcomes.size() == expected.size());
      for (std::size_t index = 0; index < expected.size(); ++index) {
        CAPTURE(index);
        CHECK(outcome_of([&] { return outcomes[index].value(); }) == expected[index]);
        CHECK(outcomes[index].ok() == (expected[index] == "ok"));
        CHECK((outcomes[index].error() == nullptr) == outcomes[index].ok());
      }
      CHECK(outcomes[5].value().usage_record.id == 2);
      CHECK(books.balance("ada") == 0);
      CHECK(books.balance("bob") == 0);
      CHECK(books.usage_of("ada").size() == 2);
      CHECK(books.credits().charge_many({}).empty());
    });
  }

  TEST_CASE("record records a use and takes nothing for it") {
    for_each_database([](Books& books) {
      books.account("ada", 5);
      books.advance(5s);
      const UsageRecord record = books.usage().record(record_of(1'000));
      CHECK(record == UsageRecord{.id = 1,
                                  .user_id = "ada",
                                  .timestamp = kStart + 5s,
                                  .service = "images",
                                  .operation = "draw",
                                  .credits = 1'000,
                                  .collected_credits = 0,
                                  .metadata = std::nullopt});
      CHECK(books.usage_of("ada") == std::vector{record});
      CHECK(books.balance("ada") == 5);
      CHECK(books.entries("ada").size() == 1);
    });
  }

  TEST_CASE("many records are written together or not at all") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob");
      CHECK(outcome_of([&] {
              books.usage().record_many({record_of(1), record_of(1, "nobody")});
            }) == "not_found");
      CHECK_THROWS_AS(books.usage().record_many({record_of(1), record_of(0)}), InvalidArgument);
      CHECK(books.usage_of("ada").empty());

      CHECK(books.usage().record_many({record_of(1), record_of(2, "bob"), record_of(3)}) == 3);
      const auto records = books.usage_of("ada");
      REQUIRE(records.size() == 2);
      CHECK(records[0].credits == 1);
      CHECK(records[1].credits == 3);
      CHECK(records[1].id == 2);
      CHECK(books.usage_of("bob").size() == 1);
      CHECK(books.usage().record_many({}) == 0);
    });
  }

  TEST_CASE("an import of a thousand records is one call") {
    for_each_database([](Books& books) {
      books.account("ada");
      std::vector<RecordRequest> requests;
      for (int number = 1; number <= 1'000; ++number) {
        requests.push_back(record_of(number));
      }
      CHECK(books.usage().record_many(requests) == 1'000);
      const auto stats = books.usage().user_stats({.user_id = "ada"});
      CHECK(stats.total_records == 1'000);
      CHECK(stats.total_credits == 500'500);
      CHECK(books.usage_of("ada").back().credits == 1'000);
    });
  }

  TEST_CASE("ids of usage records count from 1 within the account, whoever writes them") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      books.account("bob", 100);
      books.price("m", "1");
      CHECK(books.credits().charge(charge_of(1)).usage_record.id == 1);
      CHECK(books.credits().charge(charge_of(1, "bob")).usage_record.id == 1);
      CHECK(books.usage().record(record_of(1)).id == 2);
      books.sessions().initialize({"s", "ada", "m", 1'000});
      books.sessions().finalize({"s", "ada", 1'000});
      CHECK(books.usage_of("ada").back().id == 3);
    });
  }

  TEST_CASE("metadata is JSON, kept with sorted members and no blanks") {
    struct Row {
      std::optional<std::string> given;
      std::optional<std::string> kept;
    };
    const std::vector<Row> rows = {
        {std::nullopt, std::nullopt},
        {"{}", "{}"},
        {"null", "null"},
        {R"( { "b" : 1 , "a" : [ 1, 2 ] } )", R"({"a":[1,2],"b":1})"},
        {R"({"z":{"y":1,"x":2},"a":null})", R"({"a":null,"z":{"x":2,"y":1}})"},
        {R"(["", "a\"b\\c", true])", R"(["","a\"b\\c",true])"},
        {"{\"name\":\"Zo\xC3\xAB\"}", "{\"name\":\"Zo\xC3\xAB\"}"},
        {R"({"name":"Zo\u00eb"})", "{\"name\":\"Zo\xC3\xAB\"}"},
        {R"({"big":9007199254740993,"small":-1})", R"({"big":9007199254740993,"small":-1})"},
        {R"({"b":1,"aa":2,"B":3,"":4})", R"({"":4,"B":3,"aa":2,"b":1})"},
        {"7", "7"},
        {"\"text\"", "\"text\""},
    };
    for_each_database([&](Books& books) {
      books.account("ada", 100);
      for (const auto& [given, kept] : rows) {
        CAPTURE(given);
        auto request = charge_of(1);
        request.metadata = given;
        const auto charge = books.credits().charge(request);
        CHECK(charge.usage_record.metadata == kept);
        CHECK(books.usage_of("ada").back().metadata == kept);
        auto recorded = record_of(1);
        recorded.metadata = given;
        CHECK(books.usage().record(recorded).metadata == kept);
        CHECK(books.usage_of("ada").back().metadata == kept);
      }
    });
  }

  TEST_CASE("numbers in metadata come back as they were answered") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      for (const char* number :
           {"0", "-1", "0.1", "3.0", "-0.0", "2.5e-7", "1E3", "1e15", "1e16", "1234567890123456.0",
            "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e300",
            "5e-324", "1.7976931348623157e308"}) {
        CAPTURE(number);
        const ChargeRequest request{"ada", "s", "o", 1, number, std::string("key of ") + number};
        const auto charge = books.credits().charge(request);
        CHECK(books.usage_of("ada").back() == charge.usage_record);
        CHECK(books.credits().charge(request) == charge);
      }
    });
  }

  TEST_CASE("metadata takes 64 KiB") {
    for_each_database([](Books& books) {
      books.account("ada");
      auto request = record_of(1);
      request.metadata = "\"" + std::string(64 * 1024 - 2, 'x') + "\"";
      CHECK(books.usage().record(request).metadata == request.metadata);
      CHECK(books.usage_of("ada").at(0).metadata == request.metadata);
    });
  }
}

}  // namespace accounting::testing
