// The floor of what asking the kernel for TCP sockets can cost: one netlink dump that looks at
// nothing but the end of the answer.
//
// `bare dump` asks for every state of both families, `bare walk` for every state but ESTABLISHED,
// TIME_WAIT and LISTEN: the kernel dump_cpu all sockets and tells next to none. The program stays
// alive, does one loop for each line on its stdin and prints what that cost as one line of JSON, so
// that no start of a process is measured.
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

// TCP_ESTABLISHED to TCP_CLOSING, the states that a dump may ask for; 0 is none.
constexpr std::uint32_t all_states = ((1U << (TCP_CLOSING + 1U)) - 1U) & ~1U;
constexpr std::uint32_t bulk_states =
    1U << TCP_ESTABLISHED | 1U << TCP_TIME_WAIT | 1U << TCP_LISTEN;
// What the kernel fills at most in one datagram of a dump.
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

[[noreturn]] void fail(const char* what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Cost clocks() {
  timespec cpu{};
  rusage usage{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) != 0 || getrusage(RUSAGE_THREAD, &usage) != 0) {
    fail("cannot read the clocks");
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now().time_since_epoch();
  return {.wall = wall.count(),
          .cpu = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9,
          .user = seconds(usage.ru_utime),
          .system = seconds(usage.ru_stime)};
}

UniqueFd ask(std::uint32_t states) {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket) {
    fail("cannot open a NETLINK_SOCK_DIAG socket");
  }
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = TCPDIAG_GETSOCK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.idiag_family = AF_UNSPEC;
  request.body.idiag_states = states;
  if (::send(socket.get(), &request, sizeof request, 0) < 0) {
    fail("cannot send a sock_diag request");
  }
  return socket;
}

/// Counts the sockets of one datagram; true where it has the end of the dump.
bool holds_the_end(const std::byte* at, std::size_t left, std::uint64_t& sockets) {
  while (left >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, at, sizeof header);
    if (header.nlmsg_type == NLMSG_DONE) {
      return true;
    }
    if (header.nlmsg_type == NLMSG_ERROR) {
      nlmsgerr error{};
      std::memcpy(&error, at + sizeof header, std::min(left - sizeof header, sizeof error));
      fail("the kernel refused the dump", -error.error);
    }
    if (header.nlmsg_len < sizeof header) {
      throw std::runtime_error("a sock_diag answer has a wrong length");
    }
    ++sockets;
    const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), left);
    at += step;
    left -= step;
  }
  return false;
}

std::uint64_t loop(std::uint32_t states) {
  const UniqueFd socket = ask(states);
  alignas(nlmsghdr) std::array<std::byte, receive_buffer_bytes> buffer{};
  std::uint64_t sockets = 0;
  while (true) {
    const ssize_t length = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (length < 0) {
      fail("cannot receive a sock_diag answer");
    }
    if (holds_the_end(buffer.data(), static_cast<std::size_t>(length), sockets)) {
      return sockets;
    }
  }
}

void measure(std::uint32_t states) {
  const Cost before = clocks();
  const std::uint64_t sockets = loop(states);
  const Cost after = clocks();
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
