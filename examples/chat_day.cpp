// The main job: a chat service in miniature that links the library and bills a day of real traffic.
// Users buy credits of several lives; every request holds its estimate, reports while it streams,
// holds more where the answer outgrows the estimate, and pays what it used in the end. The trace's
// own time drives the clock. `chat_day --help` lists the options.
#include "chat_day/audit.hpp"
#include "chat_day/figures.hpp"
#include "chat_day/options.hpp"
#include "chat_day/progress.hpp"
#include "chat_day/report.hpp"
#include "chat_day/script.hpp"
#include "chat_day/service.hpp"
#include "chat_day/shop.hpp"
#include "chat_day/trace.hpp"

#include <accounting/accounting.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace chat_day;
using accounting::Accounting;
using accounting::ManualClock;

constexpr std::uint64_t seed = 2023'11'16;
constexpr std::int64_t generated_requests = 20'000;

std::vector<Request> requests_for(const Options& options) {
  if (options.trace) {
    const auto all = std::numeric_limits<std::int64_t>::max();
    return read_trace(*options.trace, options.requests.value_or(all), options.malformed, std::cerr);
  }
  return generate_trace(options.requests.value_or(generated_requests), seed);
}

/// A new SQLite file among the temporary ones.
std::filesystem::path new_file() {
  std::random_device random;
  std::filesystem::path path;
  do {
    const std::uint64_t number = (std::uint64_t{random()} << 32U) | random();
    path = std::filesystem::temp_directory_path() /
           ("accounting-chat-day-" + std::to_string(number) + ".db");
  } while (std::filesystem::exists(path));
  return path;
}

/// The URL of a file: what would mean something else in a URL is percent-encoded.
std::string url_of(const std::string& file) {
  std::string url = "sqlite:///";
  for (const char character : file) {
    switch (character) {
      case '%':
        url += "%25";
        break;
      case '?':
        url += "%3F";
        break;
      case '#':
        url += "%23";
        break;
      default:
        url += character;
    }
  }
  return url;
}

/// Opens the database of the options, set up where it is empty, and says which it is.
Accounting open_books(const Options& options, const std::shared_ptr<ManualClock>& clock,
                      Origin& origin) {
  std::string url;
  if (options.database) {
    url = *options.database;  // not repeated in the summary: it may hold a password
    origin.database = "as --database names it";
  } else {
    const std::string file = new_file().generic_string();
    url = url_of(file);
    origin.database = file;
  }
  try {
    auto books = Accounting::open(
        {.database = url, .policy = service_policy(), .clock = clock, .migrate = true});
    origin.database = books.health().database + ", " + origin.database;
    return books;
  } catch (const accounting::InvalidArgument& error) {
    if (error.argument() != "database") {
      throw;
    }
    throw UsageError(std::string("--") + error.what());
  }
}

int bill(const Options& options) {
  Origin origin{.trace = options.trace.value_or("generated"), .seed = seed};
  const Script script =
      write_script(requests_for(options), options.users, options.aborts_per_million, seed);

  const auto start = std::chrono::steady_clock::now();
  const auto clock = std::make_shared<ManualClock>(script.opening);
  Accounting books = open_books(options, clock, origin);
  Figures figures;
  set_prices(books);
  const Tenant tenant = open_tenant(books);
  figures.allocated = sell_packages(books, tenant, script);
  {
    ProgressBar bar(std::ssize(script.turns));
    ChatService service(books, *clock, tenant, script, figures);
    service.run([&bar](std::int64_t begun, accounting::Timestamp now) { bar.show(begun, now); });
  }
  close_day(books, tenant, figures);
  figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  print_summary(options.json ? std::cerr : std::cout, figures, origin, script, tenant);
  if (options.json) {
    print_json(std::cout, figures, origin);
  }
  if (!std::cout.flush()) {
    throw std::runtime_error("standard output cannot be written to");
  }
  return figures.problems.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse_options({argv + 1, argv + argc});
    if (options.help) {
      std::cout << help_text;
      return 0;
    }
    return bill(options);
  } catch (const UsageError& error) {
    std::cerr << "chat_day: " << error.what() << "\nchat_day --help lists the options.\n";
    return 2;
  } catch (const TraceError& error) {
    std::cerr << "chat_day: " << error.what() << "\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "chat_day: " << error.what() << "\n";
    return 1;
  }
}
