// Forged sock_diag messages from a process with CAP_NET_ADMIN in the same network namespace.
#include "collectors/kernel/netlink/netlink.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

#include <linux/netlink.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collectors/kernel/netlink/tcp_table.h"
#include "exporter/build_info.h"
#include "tests/live/network_namespace.h"
#include "tests/unit/support/diag_messages.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::Deadline;

using ForgedMessages = NetworkNamespace;

UniqueFd open_netlink() {
  return UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
}

/// Sends a datagram to a netlink socket. Returns 0 or errno.
int send_to(const UniqueFd& sender, std::uint32_t port_id, const Bytes& datagram) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_pid = port_id;
  const ssize_t length = ::sendto(sender.get(), datagram.data(), datagram.size(), MSG_DONTWAIT,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return length < 0 ? errno : 0;
}

Bytes forged_listener(std::uint32_t sequence, std::uint32_t port_id) {
  return message(TCPDIAG_GETSOCK, FakeSocket{.port = 6666, .cookie = 1}.payload(), sequence,
                 NLM_F_MULTI, port_id);
}

/// Opens a socket like the exporter, but undoes its connect().
struct UnconnectedSocket {
  std::unique_ptr<kernel::Netlink> netlink;

  UnconnectedSocket() {
    const int fd = open_netlink().get();  // closed again: the lowest free descriptor
    netlink = kernel::open_netlink(NETLINK_SOCK_DIAG);
    const sockaddr_nl none{};
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&none), sizeof none), 0);
  }
};

std::size_t count_listeners(const kernel::NetlinkFactory& open) {
  kernel::TcpTable table(open, Deadline::in(std::chrono::seconds(10)));
  return table.listeners().size();
}

TEST_F(ForgedMessages, AreRefusedByTheKernel) {
  const auto netlink = kernel::open_netlink(NETLINK_SOCK_DIAG);
  const Bytes datagram = forged_listener(netlink->sequence(), netlink->port_id());
  EXPECT_EQ(send_to(open_netlink(), netlink->port_id(), datagram), ECONNREFUSED);
}

TEST_F(ForgedMessages, AreIgnoredBecauseOfTheirSender) {
  const UniqueFd listener = listen_on({});
  const UniqueFd forger = open_netlink();
  EXPECT_EQ(count_listeners([&](int /*protocol*/) {
              UnconnectedSocket socket;
              const std::uint32_t port_id = socket.netlink->port_id();
              const std::uint32_t sequence = socket.netlink->sequence();
              for (int i = 0; i < 10; ++i) {
                EXPECT_EQ(send_to(forger, port_id, forged_listener(sequence, port_id)), 0);
              }
              return std::move(socket.netlink);
            }),
            1U);
}

TEST_F(ForgedMessages, DoNotExtendTheDeadline) {
  const UnconnectedSocket socket;
  const std::uint32_t port_id = socket.netlink->port_id();
  EXPECT_EQ(send_to(open_netlink(), port_id, forged_listener(1, port_id)), 0);
  Bytes buffer(1000);
  EXPECT_THROW(socket.netlink->receive(buffer, Deadline::in(std::chrono::milliseconds(50))),
               kernel::DeadlineExceeded);
}

struct FloodState {
  std::atomic<bool> is_stopped;
  std::atomic<std::uint64_t> delivered;
  std::atomic<std::uint64_t> refused;
};

/// Sends forged listeners to the netlink port `victim` until it is stopped.
void flood(FloodState& state, std::uint32_t victim) {
  const UniqueFd sender = open_netlink();
  Bytes datagram;
  while (datagram.size() < 30000) {
    datagram = datagram + forged_listener(1, victim);
  }
  while (!state.is_stopped) {
    if (const int error = send_to(sender, victim, datagram); error == 0) {
      ++state.delivered;
    } else if (error == ECONNREFUSED) {
      ++state.refused;
    }
  }
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(ForgedMessages, DoNotChangeDumpsOrMemoryDuringAFlood) {
  std::vector<UniqueFd> listeners;
  for (int i = 0; i < 200; ++i) {
    listeners.push_back(listen_on({}));
  }
  void* memory = ::mmap(nullptr, sizeof(FloodState), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& state = *new (memory) FloodState{};
  // The first netlink socket of a process has its process ID as port.
  const auto victim = static_cast<std::uint32_t>(::getpid());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    flood(state, victim);
    ::_exit(0);
  }
  wait_until("the flood has started", [&] { return state.refused + state.delivered > 0; });
  int right = 0;
  int wrong = 0;
  const auto count = [&] {
    try {
      ++(count_listeners(kernel::open_netlink) == listeners.size() ? right : wrong);
    } catch (const std::system_error& error) {
      // On a slow machine the flood can fill the queue between bind() and connect().
      EXPECT_EQ(error.code(), std::errc::no_buffer_space);
    }
  };
  count();
  const std::size_t before = resident_bytes();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < end) {
    count();
  }
  const std::size_t after = resident_bytes();
  state.is_stopped = true;
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(right, 0);
  EXPECT_GT(state.refused, 100U);
  if (build_info::sanitizers == "none") {
    EXPECT_LT(after, before + (2U << 20U));
  }
  ::munmap(memory, sizeof(FloodState));
}

}  // namespace
}  // namespace inetdiag
