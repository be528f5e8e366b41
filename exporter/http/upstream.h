#pragma once

#include <string>

#include <sys/socket.h>
#include <sys/un.h>

namespace inetdiag {

/// How the reverse proxy reaches the HTTP server of this process.
struct Upstream {
  /// The header field in which the proxy names the client: `TOKEN NAME`. Only the first one counts,
  /// which is that of the proxy.
  static constexpr const char* client_header = "X-Inetdiag-Client";

  sockaddr_un address{};  ///< an abstract UNIX address
  socklen_t address_length = 0;
  std::string token{};  ///< known to this process only: others must not bypass the proxy
};

}  // namespace inetdiag
