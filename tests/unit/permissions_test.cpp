// The permission table as the documentation prints it.
#include "domain/permissions.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace accounting::testing {

TEST_SUITE("permissions") {
  TEST_CASE("docs/permissions.md holds the table of the code") {
    // ACCOUNTING_TEST_UPDATE=1 writes it.
    const std::filesystem::path page =
        std::filesystem::path(ACCOUNTING_SOURCE_DIR) / "docs" / "permissions.md";
    std::ifstream file(page);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::string head = "<!-- the table of src/domain/permissions.cpp -->\n";
    const auto begin = text.find(head);
    REQUIRE(begin != std::string::npos);
    const auto table = begin + head.size();
    const auto end = text.find("\n\n", table);
    const std::string expected = domain::permission_table();
    if (std::getenv("ACCOUNTING_TEST_UPDATE") != nullptr) {
      text.replace(table, end + 1 - table, expected);
      std::ofstream(page) << text;
      return;
    }
    CHECK(text.substr(table, end + 1 - table) == expected);
  }

  TEST_CASE("another's account asks for no lower a role than one's own, but to give credits") {
    for (const domain::PermissionRule& rule : domain::permission_rules()) {
      CAPTURE(rule.name);
      if (rule.own && rule.other && rule.operation != domain::Operation::allocate) {
        CHECK(rule.own->role <= rule.other->role);
      }
    }
  }
}

}  // namespace accounting::testing
