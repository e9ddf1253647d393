#include "backups.hpp"

#include "support/books.hpp"
#include "support/programs.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace accounting::testing {
namespace {

/// Runs a program that must succeed.
void run_well(const std::vector<std::string>& command) {
  const ProgramResult result = run_program(command);
  if (result.exit_code != 0) {
    throw std::runtime_error(command.front() + ": " + result.output);
  }
}

/// SQLite's online backup, some pages at a time, while others write.
void back_up_online(const std::string& url, const std::filesystem::path& backup) {
  sqlite3* from = nullptr;
  sqlite3* to = nullptr;
  sqlite3_open(url.c_str() + std::string("sqlite:///").size(), &from);
  sqlite3_open(backup.c_str(), &to);
  sqlite3_busy_timeout(from, 10'000);
  sqlite3_backup* copying = sqlite3_backup_init(to, "main", from, "main");
  int code = copying == nullptr ? SQLITE_ERROR : sqlite3_backup_step(copying, -1);
  sqlite3_backup_finish(copying);
  sqlite3_close(to);
  sqlite3_close(from);
  if (code != SQLITE_DONE) {
    throw std::runtime_error("sqlite3_backup_step: " + std::to_string(code));
  }
}

void vacuum_into(const std::string& url, const std::filesystem::path& backup) {
  run_on(url, "PRAGMA busy_timeout = 10000; VACUUM INTO '" + backup.string() + "'");
}

RestoredBooks restore_file(const std::filesystem::path& backup) {
  const auto directory = std::make_shared<TemporaryDirectory>();
  std::filesystem::copy_file(backup, directory->path() / "books.db");
  return {.url = directory->sqlite_url(), .storage = directory};
}

}  // namespace

std::vector<BackupMethod> sqlite_backup_methods() {
  return {{.name = "sqlite3_backup", .back_up = back_up_online, .restore = restore_file},
          {.name = "VACUUM INTO", .back_up = vacuum_into, .restore = restore_file}};
}

std::vector<BackupMethod> postgresql_backup_methods(const std::string& server_url) {
  const auto dump = server_program_or_skip("pg_dump");
  const auto restore = server_program_or_skip("pg_restore");
  const auto psql = server_program_or_skip("psql");
  if (!dump || !restore || !psql) {
    return {};
  }
  const auto dump_as = [dump](const std::string& format) {
    return [=](const std::string& url, const std::filesystem::path& backup) {
      run_well({dump->string(), "--format=" + format, "--file=" + backup.string(), url});
    };
  };
  const auto into_fresh = [server_url](std::vector<std::string> command) {
    const auto database = std::make_shared<FreshDatabase>(server_url);
    command.push_back("--dbname=" + database->url());
    run_well(command);
    return RestoredBooks{.url = database->url(), .storage = database};
  };
  const auto restore_custom = [=](const std::filesystem::path& backup) {
    return into_fresh({restore->string(), "--exit-on-error", backup.string()});
  };
  const auto restore_plain = [=](const std::filesystem::path& backup) {
    return into_fresh({psql->string(), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1",
                       "--output=/dev/null", "--file=" + backup.string()});
  };
  return {{.name = "pg_dump, custom", .back_up = dump_as("custom"), .restore = restore_custom},
          {.name = "pg_dump, plain", .back_up = dump_as("plain"), .restore = restore_plain}};
}

}  // namespace accounting::testing
