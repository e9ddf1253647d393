#include "settings.hpp"

#include <functional>
#include <map>
#include <stdexcept>

namespace accounting::bench {

Settings read_settings(int count, char** arguments) {
  Settings settings;
  if (count < 2) {
    throw std::runtime_error("usage: COMMAND [--option value]...");
  }
  settings.command = arguments[1];
  using Taker = std::function<void(const std::string&)>;
  const auto text = [](std::string& target) -> Taker {
    return [&target](const std::string& value) { target = value; };
  };
  const auto number = [](std::int64_t& target) -> Taker {
    return [&target](const std::string& value) { target = std::stoll(value); };
  };
  const auto decimal = [](double& target) -> Taker {
    return [&target](const std::string& value) { target = std::stod(value); };
  };
  const std::map<std::string, Taker> takers = {
      {"--database", text(settings.database)},   {"--user", text(settings.user)},
      {"--accounts", number(settings.accounts)}, {"--allocations", number(settings.allocations)},
      {"--callers", number(settings.callers)},   {"--pool-size", number(settings.pool_size)},
      {"--batch", number(settings.batch)},       {"--seconds", decimal(settings.seconds)},
      {"--warm-up", decimal(settings.warm_up)},  {"--from-hours", number(settings.from_hours)},
      {"--to-hours", number(settings.to_hours)}, {"--port", number(settings.port)},
      {"--delay", number(settings.delay)},
  };
  for (int index = 2; index < count; index += 2) {
    const auto taker = takers.find(arguments[index]);
    if (taker == takers.end() || index + 1 == count) {
      throw std::runtime_error(std::string("not an option with a value: ") + arguments[index]);
    }
    taker->second(arguments[index + 1]);
  }
  return settings;
}

Accounting open_books(const Settings& settings) {
  return Accounting::open({.database = settings.database, .pool_size = settings.pool_size});
}

}  // namespace accounting::bench
