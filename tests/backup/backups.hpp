// Backups: the ways in which docs/backup.md says that books are backed up and restored.
#pragma once

#include "support/databases.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace accounting::testing {

/// Books restored from a backup, in a database or file of their own.
struct RestoredBooks {
  std::string url;
  std::shared_ptr<void> storage;
};

/// One way to make a backup of running books and to restore it later.
struct BackupMethod {
  std::string name;
  std::function<void(const std::string& url, const std::filesystem::path& backup)> back_up;
  std::function<RestoredBooks(const std::filesystem::path& backup)> restore;
};

std::vector<BackupMethod> sqlite_backup_methods();
/// None, and a loud word, where a program is missing that they need.
std::vector<BackupMethod> postgresql_backup_methods(const std::string& server_url);

}  // namespace accounting::testing
