#include "platform/host_addresses.hpp"

#include <algorithm>
#include <array>
#include <memory>

#ifdef _WIN32
#include <ws2tcpip.h>
#else
#include <netdb.h>
#include <sys/socket.h>
#endif

namespace accounting::platform {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* addresses) const noexcept { freeaddrinfo(addresses); }
};

}  // namespace

std::vector<std::string> addresses_of(const std::string& host) {
  std::vector<std::string> addresses;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* answer = nullptr;
  if (host.empty() || getaddrinfo(host.c_str(), nullptr, &hints, &answer) != 0) {
    return addresses;
  }
  const std::unique_ptr<addrinfo, FreeAddresses> found(answer);
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    std::array<char, 256> text{};
    if (getnameinfo(each->ai_addr, static_cast<socklen_t>(each->ai_addrlen), text.data(),
                    text.size(), nullptr, 0, NI_NUMERICHOST) == 0 &&
        std::ranges::find(addresses, text.data()) == addresses.end()) {
      addresses.emplace_back(text.data());
    }
  }
  return addresses;
}

}  // namespace accounting::platform
