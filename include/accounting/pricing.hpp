// Pricing: which model costs how much, from when until when.
#pragma once

#include <accounting/export.hpp>
#include <accounting/price.hpp>
#include <accounting/types.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace accounting {

namespace services {
class Context;
}

/// A model's price during [effective_from, effective_to).
struct PricingRule {
  std::int64_t id = 0;  ///< counts from 1 within the model
  std::string model_id;
  Price price_per_1k_tokens;
  std::optional<Price> input;         ///< own price of input tokens
  std::optional<Price> output;        ///< own price of output tokens
  std::optional<Price> cached_input;  ///< own price of cached input tokens
  Timestamp effective_from;
  std::optional<Timestamp> effective_to;  ///< none: open
  std::string created_by;

  friend bool operator==(const PricingRule&, const PricingRule&) = default;
};

struct SetPriceRequest {
  std::string model_id;  ///< 1 … 100 bytes
  Price price_per_1k_tokens;
  std::string created_by;  ///< 1 … 50 bytes; need not be an account
  std::optional<Timestamp> effective_from = std::nullopt;  ///< none: now; may be past or future
  std::optional<Timestamp> effective_to = std::nullopt;    ///< after `effective_from`
  std::optional<Price> input = std::nullopt;
  std::optional<Price> output = std::nullopt;
  std::optional<Price> cached_input = std::nullopt;
};

struct GetPriceRequest {
  std::string model_id;
  std::optional<Timestamp> at = std::nullopt;  ///< none: now
};

struct ListPricesRequest {
  std::optional<std::string> model_id = std::nullopt;
};

struct CalculateRequest {
  std::string model_id;
  Tokens tokens;                               ///< 0 … 10^12
  std::optional<Timestamp> at = std::nullopt;  ///< none: now
};

/// Versioned prices. Thread-safe; a cheap handle that may be copied and that keeps the books open.
/// Every call may throw InvalidArgument and StoreError.
class ACCOUNTING_EXPORT Pricing {
 public:
  explicit Pricing(std::shared_ptr<const services::Context> context);

  /// Adds a rule and closes the open one at its start. The same rule again answers the stored one.
  /// Errors: Conflict (a start before the open rule's start or inside a closed rule, the same start
  /// with other values, or a rule that would reach into a later one).
  PricingRule set(const SetPriceRequest& request);

  /// The stored rule in force. Errors: PriceNotFound.
  [[nodiscard]] PricingRule get(const GetPriceRequest& request) const;

  /// All rules, or one model's, by model and start.
  [[nodiscard]] std::vector<PricingRule> list(const ListPricesRequest& request = {}) const;

  /// What tokens cost, rounded up once: by the stored rule, else the policy's default prices, else
  /// its fallback price. Errors: PriceNotFound; InvalidArgument above 10^15 credits.
  [[nodiscard]] std::int64_t calculate(const CalculateRequest& request) const;

 private:
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
