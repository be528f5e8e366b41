#include <stdexcept>

#include "exporter/statsd/address.h"
#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  try {
    const statsd::Address address = statsd::parse_address(input);
    require(statsd::parse_address(address.text()) == address, "addresses survive a round trip");
    require(address.is_unix() != !address.port.empty(), "addresses are a path or have a port");
  } catch (const std::invalid_argument& error) {
    require(*error.what() != '\0', "errors have a message");
  }
}

std::vector<std::string> seeds() {
  return {"127.0.0.1:8125",
          "[::1]:8125",
          "statsd.example:8125",
          "unix:///run/statsd.sock",
          "unix://relative",
          "127.0.0.1:0",
          "::1:8125",
          "[[a]]:1",
          "[]:1",
          "host:65536",
          "unix:///" + std::string(120, 'a')};
}

}  // namespace inetdiag::fuzz
