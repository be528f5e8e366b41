#include "collectors/listeners.h"

#include "tests/fuzz/sockets.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  collect(*make_listeners(testing::settings({{"max", "2"}, {"sample-interval", "0"}})), input);
}

std::vector<std::string> seeds() { return socket_seeds(); }

}  // namespace inetdiag::fuzz
