#include "exporter/statsd/address.h"

#include <cstdint>
#include <stdexcept>

#include <netdb.h>
#include <sys/un.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag::statsd {
namespace {

constexpr std::string_view unix_scheme = "unix://";

}  // namespace

bool Address::has_host_name() const {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* list = nullptr;
  const bool is_numeric = ::getaddrinfo(host.c_str(), nullptr, &hints, &list) == 0;
  if (list != nullptr) {
    ::freeaddrinfo(list);
  }
  return !is_unix() && !is_numeric;
}

std::string Address::text() const {
  if (is_unix()) {
    return std::string(unix_scheme) + path;
  }
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

Address parse_address(std::string_view text) {
  const auto invalid = [&](std::string_view problem) {
    return std::invalid_argument("'" + std::string(text) + "' " + std::string(problem) +
                                 "; use 127.0.0.1:8125, [::1]:8125 or unix:///path");
  };
  if (text.starts_with(unix_scheme)) {
    const std::string_view path = text.substr(unix_scheme.size());
    if (!path.starts_with('/')) {
      throw invalid("has no absolute path");
    }
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      throw invalid("has a path that is too long for a UNIX socket");
    }
    return {.path = std::string(path)};
  }
  const std::size_t colon = text.rfind(':');
  const auto port = colon == std::string_view::npos
                        ? std::nullopt
                        : kernel::to_number<std::uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) {
    throw invalid("has no port between 1 and 65535");
  }
  std::string_view host = text.substr(0, colon);
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || host.find_first_of(is_bracketed ? "[]" : "[]:") != std::string_view::npos) {
    throw invalid("has no host");
  }
  return {.host = std::string(host), .port = std::to_string(*port)};
}

}  // namespace inetdiag::statsd
