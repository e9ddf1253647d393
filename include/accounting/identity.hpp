// Identity: who calls.
#pragma once

#include <accounting/accounts.hpp>

#include <string>

namespace accounting {

struct Principal {
  std::string user_id;
  std::string username;
  std::string email;
  Role role = Role::user;

  friend bool operator==(const Principal&, const Principal&) = default;
};

class JwtVerifier;

}  // namespace accounting
