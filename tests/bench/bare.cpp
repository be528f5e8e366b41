// The lower bound of the cost of a TCP socket dump: a netlink dump that parses only message
// headers.
//
// `bare dump` requests every state of both families, `bare partial` every state except ESTABLISHED,
// TIME_WAIT and LISTEN: the kernel iterates over all sockets and returns almost none. For each line
// on standard input it does one dump and prints the cost as a line of JSON, so that process startup
// is not measured.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "collectors/kernel/base/unique_fd.h"

namespace {

using inetdiag::kernel::UniqueFd;

// TCP_ESTABLISHED to TCP_CLOSING, the states of idiag_states; 0 is no state.
constexpr std::uint32_t all_states = ((1U << (TCP_CLOSING + 1U)) - 1U) & ~1U;
constexpr std::uint32_t bulk_states =
    1U << TCP_ESTABLISHED | 1U << TCP_TIME_WAIT | 1U << TCP_LISTEN;
// The maximum size of a datagram of a dump.
constexpr std::size_t receive_buffer_bytes = 1U << 15U;

struct Cost {
  double wall = 0;
  double cpu = 0;
  double user = 0;
  double system = 0;
};

struct Request {
  nlmsghdr header;
  inet_diag_req body;
};

[[noreturn]] void fail(const char* message, int error = errno) {
  throw std::system_error(error, std::generic_category(), message);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Cost read_clocks() {
  timespec cpu{};
  rusage usage{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) != 0 || getrusage(RUSAGE_THREAD, &usage) != 0) {
    fail("cannot read CPU clocks");
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now().time_since_epoch();
  return {.wall = wall.count(),
          .cpu = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9,
          .user = seconds(usage.ru_utime),
          .system = seconds(usage.ru_stime)};
}

UniqueFd request_dump(std::uint32_t states) {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket) {
    fail("cannot open NETLINK_SOCK_DIAG socket");
  }
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = TCPDIAG_GETSOCK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.idiag_family = AF_UNSPEC;
  request.body.idiag_states = states;
  if (::send(socket.get(), &request, sizeof request, 0) < 0) {
    fail("cannot send sock_diag request");
  }
  return socket;
}

/// Counts the sockets of one datagram. Returns whether it ends the dump.
bool parse_datagram(const std::byte* data, std::size_t size, std::uint64_t& sockets) {
  while (size >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, data, sizeof header);
    if (header.nlmsg_type == NLMSG_DONE) {
      return true;
    }
    if (header.nlmsg_type == NLMSG_ERROR) {
      nlmsgerr error{};
      std::memcpy(&error, data + sizeof header, std::min(size - sizeof header, sizeof error));
      fail("sock_diag dump failed", -error.error);
    }
    if (header.nlmsg_len < sizeof header) {
      throw std::runtime_error("invalid message length in sock_diag dump");
    }
    ++sockets;
    const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), size);
    data += step;
    size -= step;
  }
  return false;
}

std::uint64_t dump(std::uint32_t states) {
  const UniqueFd socket = request_dump(states);
  alignas(nlmsghdr) std::array<std::byte, receive_buffer_bytes> buffer{};
  std::uint64_t sockets = 0;
  while (true) {
    const ssize_t length = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (length < 0) {
      fail("cannot receive sock_diag dump");
    }
    if (parse_datagram(buffer.data(), static_cast<std::size_t>(length), sockets)) {
      return sockets;
    }
  }
}

void measure(std::uint32_t states) {
  const Cost before = read_clocks();
  const std::uint64_t sockets = dump(states);
  const Cost after = read_clocks();
  std::cout << R"({"wall": )" << after.wall - before.wall << R"(, "cpu": )"
            << after.cpu - before.cpu << R"(, "user": )" << after.user - before.user
            << R"(, "system": )" << after.system - before.system << R"(, "sockets": )" << sockets
            << "}" << std::endl;
}

std::uint32_t states_of(const std::string& mode) {
  if (mode == "dump") {
    return all_states;
  }
  if (mode == "partial") {
    return all_states & ~bulk_states;
  }
  throw std::invalid_argument("usage: bare dump|partial");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::uint32_t states = states_of(argc == 2 ? argv[1] : "");
    for (std::string line; std::getline(std::cin, line);) {
      measure(states);
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "bare: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
