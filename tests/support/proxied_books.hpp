// ProxiedBooks: books on PostgreSQL behind a proxy that can count and break, with a second, direct
// pair of eyes on the same database.
#pragma once

#include "support/databases.hpp"
#include "support/tcp_proxy.hpp"

#include <accounting/accounting.hpp>

#include <string>

namespace accounting::testing {

class ProxiedBooks {
 public:
  explicit ProxiedBooks(const std::string& server_url)
      : schema_(server_url),
        proxy_(schema_.url()),
        direct(Accounting::open({.database = schema_.url(), .migrate = true})),
        proxied(Accounting::open(
            {.database = with_parameter(proxy_.url(), "application_name", application_name()),
             .pool_size = 1})) {
    direct.accounts().sync({.user_id = "ada", .email = "ada@example.org", .username = "Ada"});
    direct.pricing().set({.model_id = "m", .price_per_1k_tokens = 1'000, .created_by = "admin"});
    direct.credits().allocate({.user_id = "ada", .credits = 1'000, .allocated_by = "admin"});
    // Connects and looks at the schema, so that what follows is the tested call alone.
    static_cast<void>(proxied.credits().balance("ada"));
  }

  [[nodiscard]] TcpProxy& proxy() { return proxy_; }
  /// The database's own URL, past the proxy.
  [[nodiscard]] const std::string& url() const { return schema_.url(); }
  /// What the server calls the proxied connections; no other test's bear this name.
  [[nodiscard]] std::string application_name() const { return "proxied " + schema_.name(); }
  /// Runs SQL behind the library's back.
  std::string sql(const std::string& text) const { return run_sql(schema_.url(), text); }

 private:
  FreshSchema schema_;
  TcpProxy proxy_;

 public:
  Accounting direct;
  Accounting proxied;
};

}  // namespace accounting::testing
