#include "collectors/unix.h"

#include "tests/fuzz/sockets.h"

namespace inetdiag::fuzz {

using testing::FakeUnixSocket;

void run(std::string_view input) { collect(*make_unix(testing::settings({{"max", "2"}})), input); }

std::vector<std::string> seeds() {
  const auto one = [](const FakeUnixSocket& socket) { return chunk(socket.payload()); };
  using namespace std::string_literals;
  return {one({.name = "/run/a", .receive_queue = 5, .send_queue = 4}) +
              one({.name = "\0abstract"s}) + one({.name = "\xff\n\"\\"}) +
              one({.state = kernel::TcpState::established}),
          one({.name = "/log",
               .state = kernel::TcpState::close,
               .type = SOCK_DGRAM,
               .receive_queue = 9,
               .uid = 1000,
               .inode = 1}) +
              one({.name = "other",
                   .state = kernel::TcpState::established,
                   .type = SOCK_DGRAM,
                   .send_queue = 768,
                   .inode = 2,
                   .peer_inode = 1}),
          one({.name = "other"}) + one({.name = "b"}) + one({.name = "c"})};
}

}  // namespace inetdiag::fuzz
