// Opens TCP sockets on loopback and holds them until standard input is closed or SIGTERM arrives.
//
// Run it in a separate network namespace, like `run` in this directory does: it connects 127.0.0.1
// to 127.0.0.x and ::1 to ::1. When all sockets are open it prints `ready` and their numbers as
// JSON. TIME_WAIT sockets expire after a minute: a line `timewait N` on standard input opens N
// further ones and prints `ready` again.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"

namespace {

using inetdiag::kernel::UniqueFd;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t max_sockets = 4'000'000;
constexpr std::uint64_t max_listeners = 1000;
constexpr std::uint64_t max_processes = 512;
constexpr std::uint64_t max_timeout_seconds = 3600;
// Descriptors of a process other than connections and listeners: standard streams, pipes.
constexpr std::uint64_t other_descriptors = 32;
constexpr std::uint32_t destinations = 250;  // 127.0.0.1 to 127.0.0.250
constexpr timeval handshake_timeout{5, 0};

constexpr std::string_view usage =
    "usage: sockets [--established N] [--time-wait N] [--ipv6-percent N] [--listeners N] "
    "[--timeout SECONDS]\n"
    "  --established N    sockets, two per connection (0)\n"
    "  --time-wait N      TIME_WAIT sockets (0)\n"
    "  --ipv6-percent N   percentage of connections over ::1 (33)\n"
    "  --listeners N      listeners per family (8)\n"
    "  --timeout SECONDS  for opening all sockets (300)\n";

struct Options {
  std::uint64_t established = 0;
  std::uint64_t time_wait = 0;
  std::uint64_t ipv6_percent = 33;
  std::uint64_t listeners = 8;
  std::uint64_t timeout = 300;
};

struct UsageError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

std::uint64_t parse_number(std::string_view text, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) {
    throw UsageError("'" + std::string(text) + "' is not a number up to " + std::to_string(max));
  }
  return value;
}

Options parse(std::span<char* const> arguments) {
  struct Flag {
    std::string_view name;
    std::uint64_t Options::*value;
    std::uint64_t max;
  };
  constexpr std::array<Flag, 5> flags = {{{"--established", &Options::established, max_sockets},
                                          {"--time-wait", &Options::time_wait, max_sockets},
                                          {"--ipv6-percent", &Options::ipv6_percent, 100},
                                          {"--listeners", &Options::listeners, max_listeners},
                                          {"--timeout", &Options::timeout, max_timeout_seconds}}};
  Options options;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const auto* flag = std::ranges::find(flags, std::string_view(arguments[i]), &Flag::name);
    if (flag == flags.end() || i + 1 == arguments.size()) {
      throw UsageError(std::string("'") + arguments[i] + "' is not a flag, or has no value");
    }
    options.*flag->value = parse_number(arguments[i + 1], flag->max);
  }
  if (options.listeners == 0) {
    throw UsageError("--listeners must be 1 or more");
  }
  return options;
}

/// Returns the limit that an errno indicates.
const char* hint(int error) {
  switch (error) {
    case EMFILE:
      return " (RLIMIT_NOFILE: ulimit -n)";
    case ENFILE:
      return " (sysctl fs.file-max)";
    case EADDRNOTAVAIL:
      return " (no free local port: use more --listeners or a wider net.ipv4.ip_local_port_range)";
    case EINPROGRESS:
    case EAGAIN:
      return " (timed out: is lo up?)";
    case ENETUNREACH:
      return " (is lo up?)";
    default:
      return "";
  }
}

[[noreturn]] void fail(const std::string& call) {
  const int error = errno;
  throw std::system_error(error, std::generic_category(), call + hint(error));
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// Returns a listen address without a port. IPv4 accepts all of 127.0.0.0/8.
Address listen_address(int family) {
  Address address;
  address.storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_addr = in6addr_loopback;
    address.length = sizeof(sockaddr_in6);
  } else {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_addr.s_addr = htonl(INADDR_ANY);
    address.length = sizeof(sockaddr_in);
  }
  return address;
}

UniqueFd stream_socket(const Address& address) {
  UniqueFd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    fail("socket");
  }
  return socket;
}

struct Listener {
  UniqueFd socket;
  Address address;
};

Listener listen_on(int family) {
  Address address = listen_address(family);
  UniqueFd socket = stream_socket(address);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &handshake_timeout, sizeof handshake_timeout);
  if (::bind(socket.get(), address.get(), address.length) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0 ||
      ::getsockname(socket.get(), address.get(), &address.length) != 0) {
    fail("listen");
  }
  return {std::move(socket), address};
}

struct Connection {
  UniqueFd client;
  UniqueFd server;
};

/// Opens connections, distributed over listeners and destinations.
class Connector {
 public:
  Connector(const Options& options, Clock::time_point deadline)
      : ipv6_percent_(options.ipv6_percent), deadline_(deadline) {
    for (std::uint64_t i = 0; i < options.listeners; ++i) {
      ipv4_.push_back(listen_on(AF_INET));
      ipv6_.push_back(listen_on(AF_INET6));
    }
  }

  Connection connect() {
    if (Clock::now() > deadline_) {
      throw std::runtime_error("timed out (--timeout)");
    }
    const std::uint64_t ipv6_count = opened_ * ipv6_percent_ / 100;
    const bool is_ipv6 = (opened_ + 1) * ipv6_percent_ / 100 > ipv6_count;
    const std::uint64_t index = is_ipv6 ? ipv6_count : opened_ - ipv6_count;
    ++opened_;
    const auto& listeners = is_ipv6 ? ipv6_ : ipv4_;
    const Listener& listener = listeners[index % listeners.size()];
    Address destination = listener.address;
    if (!is_ipv6) {
      const auto host = static_cast<std::uint32_t>(index / listeners.size() % destinations);
      reinterpret_cast<sockaddr_in&>(destination.storage).sin_addr.s_addr =
          htonl(INADDR_LOOPBACK + host);
    }
    return connect_to(listener, destination);
  }

  void extend(Clock::time_point deadline) { deadline_ = deadline; }

  /// Skips the destinations that a child process used.
  void skip(std::uint64_t connections) { opened_ += connections; }

 private:
  static Connection connect_to(const Listener& listener, Address& destination) {
    Connection connection{stream_socket(destination), UniqueFd()};
    ::setsockopt(connection.client.get(), SOL_SOCKET, SO_SNDTIMEO, &handshake_timeout,
                 sizeof handshake_timeout);
    if (::connect(connection.client.get(), destination.get(), destination.length) != 0) {
      fail("connect");
    }
    connection.server = UniqueFd(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.server) {
      fail("accept");
    }
    return connection;
  }

  std::uint64_t ipv6_percent_;
  Clock::time_point deadline_;
  std::vector<Listener> ipv4_;
  std::vector<Listener> ipv6_;
  std::uint64_t opened_ = 0;
};

void open_time_wait(Connector& connector, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Connection connection = connector.connect();
    connection.client = UniqueFd();
    connection.server = UniqueFd();
  }
}

/// Opens a connection that closes with a reset, so that no TIME_WAIT sockets remain for the next
/// size.
Connection connect_with_reset(Connector& connector) {
  Connection connection = connector.connect();
  constexpr linger reset{1, 0};
  ::setsockopt(connection.client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  return connection;
}

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    fail("pipe");
  }
  return {.reader = UniqueFd(ends[0]), .writer = UniqueFd(ends[1])};
}

/// The processes that hold the connections, as many as RLIMIT_NOFILE requires. They exit when the
/// write end of a pipe is closed, by the destructor or when the parent exits.
class Holders {
 public:
  Holders() = default;
  Holders(const Holders&) = delete;
  Holders& operator=(const Holders&) = delete;
  ~Holders() {
    lifetime_.writer = UniqueFd();
    for (const pid_t pid : pids_) {
      ::waitpid(pid, nullptr, 0);
    }
  }

  /// Starts a process and waits until it has opened the connections.
  void add(Connector& connector, std::uint64_t connections) {
    Pipe done = make_pipe();
    const pid_t pid = ::fork();
    if (pid < 0) {
      fail("fork");
    }
    if (pid == 0) {
      lifetime_.writer = UniqueFd();
      done.reader = UniqueFd();
      ::_exit(hold(connector, connections, done.writer));
    }
    pids_.push_back(pid);
    done.writer = UniqueFd();
    connector.skip(connections);
    char byte = 0;
    if (::read(done.reader.get(), &byte, 1) != 1) {
      throw std::runtime_error("a child process failed");
    }
  }

  std::size_t size() const { return pids_.size(); }

 private:
  int hold(Connector& connector, std::uint64_t count, const UniqueFd& done) const {
    try {
      std::vector<Connection> connections;
      connections.reserve(count);
      while (connections.size() < count) {
        connections.push_back(connect_with_reset(connector));
      }
      if (::write(done.get(), "", 1) != 1) {
        return EXIT_FAILURE;
      }
      char byte = 0;
      while (::read(lifetime_.reader.get(), &byte, 1) < 0 && errno == EINTR) {
      }
      return EXIT_SUCCESS;
    } catch (const std::exception& error) {
      std::cerr << "sockets: " << error.what() << '\n';
      return EXIT_FAILURE;
    }
  }

  Pipe lifetime_ = make_pipe();
  std::vector<pid_t> pids_;
};

std::uint64_t raise_descriptor_limit(std::uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    fail("getrlimit");
  }
  std::uint64_t ceiling = limit.rlim_max;
  std::ifstream("/proc/sys/fs/nr_open") >> ceiling;
  const rlimit higher{std::min(wanted, ceiling),
                      std::max(limit.rlim_max, std::min(wanted, ceiling))};
  const rlimit allowed{std::min<rlim_t>(wanted, limit.rlim_max), limit.rlim_max};
  // Only a privileged process may raise the hard limit.
  if (::setrlimit(RLIMIT_NOFILE, &higher) == 0) {
    return higher.rlim_cur;
  }
  if (::setrlimit(RLIMIT_NOFILE, &allowed) != 0) {
    fail("setrlimit");
  }
  return allowed.rlim_cur;
}

/// Returns the number of connections that one process can hold.
std::uint64_t connections_per_process(const Options& options) {
  const std::uint64_t others = 2 * options.listeners + other_descriptors;
  const std::uint64_t limit = raise_descriptor_limit(options.established + others);
  const std::uint64_t usable = limit > others ? limit - others : 0;
  if (usable / 2 * max_processes < options.established / 2) {
    throw std::runtime_error("RLIMIT_NOFILE of " + std::to_string(limit) + " allows " +
                             std::to_string(usable / 2 * 2 * max_processes) + " sockets in " +
                             std::to_string(max_processes) +
                             " processes; raise it (ulimit -Hn) or run as root");
  }
  return usable / 2;
}

void print_ready(const Options& options, std::uint64_t time_wait, std::size_t processes,
                 Clock::time_point begin) {
  const std::chrono::duration<double> duration = Clock::now() - begin;
  std::cout << R"(ready {"established": )" << options.established / 2 * 2 << R"(, "time_wait": )"
            << time_wait << R"(, "listeners": )" << options.listeners * 2 << R"(, "processes": )"
            << processes << R"(, "seconds": )" << duration.count() << "}" << std::endl;
}

void run_commands(const Options& options, Connector& connector, std::size_t processes) {
  for (std::string line; std::getline(std::cin, line);) {
    const std::string_view command = "timewait ";
    if (!line.starts_with(command)) {
      throw UsageError("'" + line + "' is not a command");
    }
    const std::uint64_t count =
        parse_number(std::string_view(line).substr(command.size()), max_sockets);
    const auto begin = Clock::now();
    connector.extend(begin + std::chrono::seconds(options.timeout));
    open_time_wait(connector, count);
    print_ready(options, count, processes, begin);
  }
}

void run(const Options& options) {
  const auto begin = Clock::now();
  const std::uint64_t per_process = connections_per_process(options);
  Connector connector(options, begin + std::chrono::seconds(options.timeout));
  Holders holders;
  for (std::uint64_t left = options.established / 2; left > 0;) {
    const std::uint64_t share = std::min(left, per_process);
    holders.add(connector, share);
    left -= share;
  }
  open_time_wait(connector, options.time_wait);
  print_ready(options, options.time_wait, holders.size(), begin);
  run_commands(options, connector, holders.size());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(std::span<char* const>(argv, static_cast<std::size_t>(argc)).subspan(1)));
    return EXIT_SUCCESS;
  } catch (const UsageError& error) {
    std::cerr << "sockets: " << error.what() << '\n' << usage;
  } catch (const std::exception& error) {
    std::cerr << "sockets: " << error.what() << '\n';
  }
  return EXIT_FAILURE;
}
