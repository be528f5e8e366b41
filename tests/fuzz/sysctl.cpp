#include "collectors/sysctl.h"

#include "tests/fuzz/proc_file.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  collect(*make_sysctl({}), {"sys/net/core/somaxconn", "sys/net/ipv4/tcp_mem"}, input);
}

std::vector<std::string> seeds() {
  return {fixture_text("sys/net/ipv4/tcp_mem"), "4096\n", "cubic\n", "-1 18446744073709551615"};
}

}  // namespace inetdiag::fuzz
