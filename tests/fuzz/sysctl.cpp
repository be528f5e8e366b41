#include "collectors/sysctl.h"

#include "collectors/kernel/proc/ephemeral_ports.h"
#include "tests/fuzz/proc_file.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  const auto ports = kernel::parse_ephemeral_ports("1000 1999", input);
  require(!ports || ports->count() <= 1000, "reserved ports only reduce the ephemeral ones");
  (void)kernel::parse_ephemeral_ports(input, "");
  collect(*make_sysctl({}), {"sys/net/core/somaxconn", "sys/net/ipv4/tcp_mem"}, input);
}

std::vector<std::string> seeds() {
  return {fixture_text("sys/net/ipv4/tcp_mem"),
          "4096\n",
          "32768\t60999\n",
          "8080,9148-9200\n",
          "cubic\n",
          "-1 18446744073709551615"};
}

}  // namespace inetdiag::fuzz
