#include "support/programs.hpp"

#include "support/databases.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace accounting::testing {
namespace {

/// Where distributions put a server's programs that are on no PATH, newest first.
std::vector<std::filesystem::path> server_directories() {
  std::vector<std::pair<int, std::filesystem::path>> found;
  const std::filesystem::path debian = "/usr/lib/postgresql";
  if (std::filesystem::is_directory(debian)) {
    for (const auto& entry : std::filesystem::directory_iterator(debian)) {
      found.emplace_back(std::atoi(entry.path().filename().c_str()), entry.path());
    }
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<std::filesystem::path> directories;
  for (auto& [version, path] : found) {
    directories.push_back(path / "bin");
    directories.push_back(path / "lib/pgxs/src/test/isolation");
  }
  const char* path = std::getenv("PATH");
  std::istringstream words(path == nullptr ? "" : path);
  for (std::string word; std::getline(words, word, ':');) {
    directories.emplace_back(word);
  }
  return directories;
}

/// In the child only: becomes the program.
[[noreturn]] void become(const std::vector<std::string>& command, int input, int output) {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& command, const std::string& input) {
  // Through files, so that neither side waits for the other to read.
  const TemporaryDirectory directory;
  write_text(directory.path() / "input", input);
  const int in = open((directory.path() / "input").c_str(), O_RDONLY | O_CLOEXEC);
  const int out = open((directory.path() / "output").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const pid_t child = in < 0 || out < 0 ? -1 : fork();
  if (child == 0) {
    become(command, in, out);
  }
  close(in);
  close(out);
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child ||
      (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
    throw std::runtime_error("could not run " + command.at(0));
  }
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .output = read_text(directory.path() / "output")};
}

std::optional<std::filesystem::path> server_program_or_skip(const std::string& name) {
  for (const auto& directory : server_directories()) {
    if (access((directory / name).c_str(), X_OK) == 0) {
      return directory / name;
    }
  }
  MESSAGE("SKIPPED: needs PostgreSQL's " << name << ", which was not found");
  std::cerr << "*** SKIPPED: needs PostgreSQL's " << name << ", which was not found ***\n";
  return std::nullopt;
}

std::string read_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) {
    throw std::runtime_error("could not write " + path.string());
  }
}

}  // namespace accounting::testing
