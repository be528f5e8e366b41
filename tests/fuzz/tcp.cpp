#include "collectors/tcp.h"

#include "tests/fuzz/sockets.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  collect(
      *make_tcp(testing::settings({{"max-ports", "2"}, {"cpu-budget", "100%"}, {"info", "on"}})),
      input);
}

std::vector<std::string> seeds() { return socket_seeds(); }

}  // namespace inetdiag::fuzz
