#include "exporter/http/listen_address.h"

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

constexpr std::size_t max_unix_path = sizeof(sockaddr_un::sun_path) - 1;

bool is_address(int family, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(family, host.c_str(), address.data()) == 1;
}

/// Returns the first address of a host name in this family.
std::optional<std::string> resolve(const std::string& host, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) {
    return std::nullopt;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    // Skips link-local addresses, which have a zone (fe80::1%eth0).
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0 &&
        is_address(family, text.data())) {
      return text.data();
    }
  }
  return std::nullopt;
}

}  // namespace

std::string ListenAddress::text() const {
  if (is_unix()) {
    return "unix:" + path;
  }
  return (is_ipv6() ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string ListenAddress::url(bool has_tls) const {
  if (is_unix()) {
    return text();
  }
  ListenAddress here{host, port};
  if (host.empty() || host == "0.0.0.0") {
    here.host = "localhost";
  } else if (host == "::") {
    here.host = "::1";
  }
  return (has_tls ? "https://" : "http://") + here.text() + "/";
}

ListenAddress parse_listen_address(std::string_view text) {
  const auto error = [&](std::string_view problem) {
    return std::invalid_argument("'" + std::string(text) + "' " + std::string(problem) +
                                 "; expected for example :10045, 127.0.0.1:10045, [::1]:10045 or "
                                 "unix:/run/inetdiag_exporter.sock");
  };
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with("unix:/")) {
    std::string_view path = text.substr(unix_prefix.size());
    while (path.starts_with("//")) {
      path.remove_prefix(1);
    }
    if (path.size() > max_unix_path) {
      throw error("has a path of more than " + std::to_string(max_unix_path) + " bytes");
    }
    return {.path = std::string(path)};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    throw error("has no port");
  }
  const auto port = kernel::to_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) {
    throw error("does not end with a port from 0 to 65535");
  }
  std::string host(text.substr(0, colon));
  const bool is_bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || is_address(AF_INET, host) || (is_bracketed && is_address(AF_INET6, host))) {
    return {host, *port};
  }
  if (is_bracketed) {
    throw error("has an invalid address in brackets");
  }
  if (host.find(':') != std::string::npos) {
    throw error("is an IPv6 address without brackets");
  }
  for (const int family : {AF_INET, AF_INET6}) {
    if (auto resolved = resolve(host, family)) {
      return {std::move(*resolved), *port};
    }
  }
  throw error("is a host name that cannot be resolved");
}

}  // namespace inetdiag
