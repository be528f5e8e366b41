#include "exporter/http/listen_address.h"

#include <stdexcept>

#include <netdb.h>

#include "tests/fuzz/target.h"

/// Replaces the C library, so that no name server is queried.
extern "C" int getaddrinfo(const char* /*node*/, const char* /*service*/, const addrinfo* /*hints*/,
                           addrinfo** /*list*/) {
  return EAI_NONAME;
}

namespace inetdiag::fuzz {

void run(std::string_view input) {
  try {
    const ListenAddress address = parse_listen_address(input);
    const std::string text = address.is_unix()
                                 ? address.text()
                                 : (address.host.empty() ? "" : "[" + address.host + "]") + ":" +
                                       std::to_string(address.port);
    require(parse_listen_address(text) == address, "addresses survive a round trip");
    require(address.url().starts_with(address.is_unix() ? "unix:/" : "http://"),
            "addresses have a URL");
  } catch (const std::invalid_argument& error) {
    require(*error.what() != '\0', "errors have a message");
  }
}

std::vector<std::string> seeds() {
  return {":10045",
          "127.0.0.1:10045",
          "[0.0.0.0]:1",
          "[::1]:65535",
          "localhost:80",
          "[::ffff:1.2.3.4]:0",
          "::1:80",
          "[]:1",
          ":65536",
          "unix:/run/a.sock",
          "unix:///run//a.sock",
          "unix:80"};
}

}  // namespace inetdiag::fuzz
