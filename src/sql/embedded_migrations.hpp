// The migrations' SQL, embedded when the library is built from src/sql/migrations.
#pragma once

#include <string_view>
#include <vector>

namespace accounting::sql {

/// One step of the schema, in both dialects. The texts live as long as the program.
struct EmbeddedMigration {
  int version;
  std::string_view name;
  std::string_view postgresql;
  std::string_view sqlite;
};

/// All migrations; versions count 1, 2, … without gaps.
const std::vector<EmbeddedMigration>& embedded_migrations();

}  // namespace accounting::sql
