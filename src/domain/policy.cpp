#include "accounting/options.hpp"

namespace accounting {

Policy Policy::original() {
  Policy policy;
  policy.refund = RefundPolicy::new_allocation;
  policy.overage = OveragePolicy::absorb;
  policy.default_prices = {{"anthropic.claude-3-sonnet-20240229-v1:0", "3"},
                           {"anthropic.claude-3-haiku-20240307-v1:0", "0.25"},
                           {"anthropic.claude-instant-v1", "0.8"},
                           {"amazon.titan-text-express-v1", "0.3"}};
  policy.fallback_price = Price(1);
  return policy;
}

}  // namespace accounting
