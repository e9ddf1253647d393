#include "databases.hpp"

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <cctype>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace accounting::testing {
namespace {

struct Finish {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};

struct Clear {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};

std::string random_name(const std::string& prefix) {
  std::random_device device;
  std::string name = prefix;
  for (int digit = 0; digit < 12; ++digit) {
    name += "0123456789abcdef"[device() % 16];
  }
  return name;
}

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const unsigned char byte : text) {
    if (std::isalnum(byte) != 0 || byte == '-' || byte == '_' || byte == '.') {
      encoded += static_cast<char>(byte);
    } else {
      encoded += '%';
      encoded += "0123456789ABCDEF"[byte / 16];
      encoded += "0123456789ABCDEF"[byte % 16];
    }
  }
  return encoded;
}

}  // namespace

std::optional<std::string> postgresql_url() {
  const char* url = std::getenv("ACCOUNTING_TEST_POSTGRESQL");
  if (url == nullptr || *url == '\0') {
    return std::nullopt;
  }
  return url;
}

std::optional<std::string> postgresql_url_or_skip() {
  auto url = postgresql_url();
  if (!url) {
    MESSAGE("SKIPPED: needs PostgreSQL, and ACCOUNTING_TEST_POSTGRESQL is not set");
  }
  return url;
}

std::string run_sql(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, Finish> connection(PQconnectdb(url.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(connection.get()));
  }
  const std::unique_ptr<PGresult, Clear> result(PQexec(connection.get(), sql.c_str()));
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(PQerrorMessage(connection.get()));
  }
  if (PQntuples(result.get()) == 0 || PQnfields(result.get()) == 0) {
    return {};
  }
  return PQgetvalue(result.get(), 0, 0);
}

std::string with_parameter(const std::string& url, const std::string& name,
                           const std::string& value) {
  const char separator = url.find('?') == std::string::npos ? '?' : '&';
  return url + separator + name + '=' + percent_encoded(value);
}

FreshSchema::FreshSchema(const std::string& server_url)
    : server_url_(server_url),
      name_(random_name("accounting_test_")),
      url_(with_parameter(server_url, "options", "-csearch_path=" + name_)) {
  run_sql(server_url_, "CREATE SCHEMA " + name_);
}

FreshSchema::~FreshSchema() {
  try {
    run_sql(server_url_,
            "SET client_min_messages = warning; SET lock_timeout = '10s'; DROP SCHEMA IF EXISTS " +
                name_ + " CASCADE");
  } catch (const std::exception& error) {
    MESSAGE("the schema " << name_ << " was not dropped: " << error.what());
  }
}

FreshDatabase::FreshDatabase(const std::string& server_url)
    : server_url_(server_url), name_(random_name("accounting_test_")), url_(server_url) {
  const auto path = url_.find('/', url_.find("://") + 3);
  const auto query = url_.find('?');
  if (path == std::string::npos || path > query) {
    throw std::invalid_argument("ACCOUNTING_TEST_POSTGRESQL names no database");
  }
  url_.replace(path + 1, (query == std::string::npos ? url_.size() : query) - path - 1, name_);
  run_sql(server_url_, "CREATE DATABASE " + name_ + " TEMPLATE template0");
}

FreshDatabase::~FreshDatabase() {
  try {
    // Only this test's own connections can be open.
    run_sql(server_url_, "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  } catch (const std::exception& error) {
    MESSAGE("the database " << name_ << " was not dropped: " << error.what());
  }
}

std::int64_t FreshDatabase::deadlocks() const {
  return std::stoll(run_sql(
      server_url_, "SELECT deadlocks FROM pg_stat_database WHERE datname = '" + name_ + "'"));
}

void FreshDatabase::wait_until_left() const {
  const std::string connected =
      "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + name_ + "'";
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (run_sql(server_url_, connected) != "0") {
    if (std::chrono::steady_clock::now() > give_up) {
      throw std::runtime_error("somebody is still connected to " + name_);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void FreshDatabase::set(const std::string& setting, const std::string& value) const {
  run_sql(server_url_, "ALTER DATABASE " + name_ + " SET " + setting + " = '" + value + "'");
}

TemporaryDirectory::TemporaryDirectory()
    : path_(std::filesystem::temp_directory_path() / random_name("accounting-test-")) {
  std::filesystem::create_directories(path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::sqlite_url(const std::string& file) const {
  return "sqlite:///" + (path_ / file).string();
}

}  // namespace accounting::testing
