#include "options.hpp"

#include "answers.hpp"
#include "arguments.hpp"
#include "gil.hpp"
#include "services.hpp"

#include <pybind11/typing.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace accounting::python {
namespace {

// The words of accounting.RefundPolicy and accounting.OveragePolicy, in the order of the C++ enums.
constexpr std::array refund_words = {"to_source", "new_allocation"};
constexpr std::array overage_words = {"charge", "absorb"};
constexpr std::array log_words = {"debug", "info", "warning", "error"};

template <class Enum, std::size_t count>
Enum from_word(py::handle value, const std::string& name,
               const std::array<const char*, count>& words) {
  const std::string word = to_text(value, name);
  for (std::size_t index = 0; index < count; ++index) {
    if (word == words[index]) {
      return static_cast<Enum>(index);
    }
  }
  throw InvalidArgument(name, "\"" + std::string(words[0]) + "\" or \"" + words[1] + "\"");
}

template <class Enum, std::size_t count>
py::str to_word(Enum value, const std::array<const char*, count>& words) {
  return words[static_cast<std::size_t>(value)];
}

/// A policy as the arguments of accounting.Policy.
py::typing::Dict<py::str, py::object> policy_fields(const Policy& policy) {
  py::typing::Dict<py::str, py::object> fields;
  fields["buffer"] = policy.buffer;
  fields["allocation_expiry_days"] = policy.allocation_expiry_days;
  fields["refund"] = to_word(policy.refund, refund_words);
  fields["refund_expiry_days"] = policy.refund_expiry_days;
  fields["overage"] = to_word(policy.overage, overage_words);
  py::dict prices;
  for (const auto& [model_id, price] : policy.default_prices) {
    prices[py::str(model_id)] = price;
  }
  fields["default_prices"] = prices;
  fields["fallback_price"] = policy.fallback_price;
  fields["session_ttl"] = from_duration(policy.session_ttl);
  return fields;
}

constexpr std::chrono::sys_days first_instant = std::chrono::year(1970) / 1 / 1;
constexpr std::chrono::sys_days end_of_time = std::chrono::year(10'000) / 1 / 1;

[[noreturn]] void refuse_instant(const std::string& name) {
  throw InvalidArgument(name, "an instant in the years 1970 to 9999");
}

/// What a clock may show: the books keep no other instants, and would refuse every write.
Timestamp to_clock_instant(py::handle value, const std::string& name) {
  const Timestamp instant = to_instant(value, name);
  if (instant < first_instant || instant >= end_of_time) {
    refuse_instant(name);
  }
  return instant;
}

void advance(ManualClock& clock, py::handle step, const std::string& name) {
  const std::chrono::microseconds by = to_duration(step, name);
  const Timestamp now = clock.now();
  // Compared so that nothing overflows, however large the step.
  if (by < first_instant - now || by >= end_of_time - now) {
    refuse_instant(name);
  }
  clock.advance(by);
}

}  // namespace

Policy to_policy(py::handle policy) {
  const auto field = [&](const char* name) { return py::object(policy.attr(name)); };
  Policy answer{
      .buffer = to_integer(field("buffer"), "policy.buffer"),
      .allocation_expiry_days =
          to_integer(field("allocation_expiry_days"), "policy.allocation_expiry_days"),
      .refund = from_word<RefundPolicy>(field("refund"), "policy.refund", refund_words),
      .refund_expiry_days = to_integer(field("refund_expiry_days"), "policy.refund_expiry_days"),
      .overage = from_word<OveragePolicy>(field("overage"), "policy.overage", overage_words),
      .default_prices = {},
      .fallback_price = {},
      .session_ttl = to_duration(field("session_ttl"), "policy.session_ttl")};
  for (const auto& [model_id, price] : py::dict(field("default_prices"))) {
    answer.default_prices.emplace(to_text(model_id, "policy.default_prices"),
                                  to_price(price, "policy.default_prices"));
  }
  const py::object fallback = field("fallback_price");
  if (!fallback.is_none()) {
    answer.fallback_price = to_price(fallback, "policy.fallback_price");
  }
  return answer;
}

LogSink to_log_sink(py::handle callable) {
  if (callable.is_none()) {
    return nullptr;
  }
  if (PyCallable_Check(callable.ptr()) == 0) {
    refuse("log", "a callable (level, message) or None", callable);
  }
  // Whoever destroys the sink may not hold the lock.
  const std::shared_ptr<py::object> sink(
      new py::object(py::reinterpret_borrow<py::object>(callable)), [](py::object* held) {
        const AcquiredGil acquired;
        delete held;
      });
  return [sink](LogLevel level, std::string_view message) {
    const AcquiredGil acquired;
    try {
      (*sink)(log_words[static_cast<std::size_t>(level)], py::str(message.data(), message.size()));
    } catch (py::error_already_set& error) {
      // A sink must not throw into the library; Python reports such errors on its own channel.
      error.discard_as_unraisable("accounting's log callback");
    }
  };
}

void bind_policy(py::module_& module) {
  module.def("original_policy", [] { return policy_fields(Policy::original()); });
  module.def(
      "price", [](py::handle value, const std::string& name) { return to_price(value, name); },
      py::arg("value"), py::arg("name"),
      "A price as the library takes it: from str, Decimal or int, for the argument `name`.");
}

void bind_clock(py::module_& module) {
  py::class_<ManualClock, std::shared_ptr<ManualClock>>(module, "ManualClock")
      .def(py::init([](py::handle start) {
             return std::make_shared<ManualClock>(to_clock_instant(start, "start"));
           }),
           py::arg("start"))
      .def("now", &ManualClock::now)
      .def("advance", &advance, py::arg("step"), py::arg("name"),
           "Move by a timedelta that came of the argument `name`.")
      .def(
          "set",
          [](ManualClock& clock, py::handle now) { clock.set(to_clock_instant(now, "now")); },
          py::arg("now"));
}

}  // namespace accounting::python
