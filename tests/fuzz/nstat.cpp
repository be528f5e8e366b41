#include "collectors/nstat.h"

#include "tests/fuzz/proc_file.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  static const Settings settings = testing::settings({{"include", ""}, {"exclude", ""}});
  collect(*make_nstat(settings), {"net/netstat", "net/snmp", "net/snmp6"}, input);
}

std::vector<std::string> seeds() {
  return {fixture_text("net/netstat"), fixture_text("net/snmp"), fixture_text("net/snmp6"),
          "Tcp: A A\nTcp: 1 2\n", "Ip6A 1\nIp6A 2\n"};
}

}  // namespace inetdiag::fuzz
