#include "settings.hpp"

#include <functional>
#include <map>
#include <stdexcept>

namespace accounting::testing {

WorkerSettings read_settings(int count, char** arguments) {
  WorkerSettings settings;
  if (count < 3) {
    throw std::runtime_error("usage: COMMAND URL [--option value]...");
  }
  settings.command = arguments[1];
  settings.url = arguments[2];
  const auto number = [](std::int64_t& target) {
    return [&target](const std::string& text) { target = std::stoll(text); };
  };
  const auto milliseconds = [](std::chrono::milliseconds& target) {
    return [&target](const std::string& text) {
      target = std::chrono::milliseconds(std::stoll(text));
    };
  };
  const std::map<std::string, std::function<void(const std::string&)>> takers = {
      {"--log", [&](const std::string& text) { settings.log = text; }},
      {"--pace", [&](const std::string& text) { settings.pace = text; }},
      {"--name", [&](const std::string& text) { settings.name = text; }},
      {"--seed", [&](const std::string& text) { settings.seed = std::stoull(text); }},
      {"--seconds", number(settings.seconds)},
      {"--warm-up", [&](const std::string& text) { settings.warm_up = text == "True"; }},
      {"--linger", number(settings.linger)},
      {"--grants", number(settings.grants)},
      {"--operations", number(settings.operations)},
      {"--accounts", number(settings.accounts)},
      {"--threads", number(settings.threads)},
      {"--die-at-write", number(settings.die_at_write)},
      {"--every", number(settings.every)},
      {"--session-ttl", milliseconds(settings.session_ttl)},
      {"--patience", milliseconds(settings.patience)},
  };
  for (int index = 3; index < count; index += 2) {
    const auto taker = takers.find(arguments[index]);
    if (taker == takers.end() || index + 1 == count) {
      throw std::runtime_error(std::string("not an option with a value: ") + arguments[index]);
    }
    taker->second(arguments[index + 1]);
  }
  return settings;
}

Options options_of(const WorkerSettings& settings) {
  Options options;
  options.database = settings.url;
  options.policy.session_ttl = settings.session_ttl;
  options.pool_size = settings.threads;
  return options;
}

}  // namespace accounting::testing
