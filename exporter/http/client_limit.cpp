#include "exporter/http/client_limit.h"

#include <algorithm>
#include <exception>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "collectors/kernel/proc/open_sysctls.h"
#include "exporter/http/http_server.h"

namespace inetdiag {
namespace {

constexpr rlim_t max_clients = 256;
// For the files and sockets of scrapes, and for the log.
constexpr rlim_t reserved_descriptors = 32;
// For CivetWeb's accepting thread, the proxy, scrapes and the shutdown.
constexpr unsigned reserved_threads = 16;

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

ClientLimits client_limits(std::size_t listening) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto [own, others] = kernel::sysctl_descriptors();
  const rlim_t reserved = reserved_descriptors + listening + own + others;
  const rlim_t available = std::max(limit.rlim_cur, reserved) - reserved;
  // Half of a small number for connections, half for clients without a complete request.
  const rlim_t connections = std::min<rlim_t>(HttpServer::threads, available / 4);
  if (connections == 0) {
    throw std::runtime_error("cannot serve with " + std::to_string(limit.rlim_cur) +
                             " descriptors; raise the limit (LimitNOFILE, ulimit -n)");
  }
  return {.clients = std::min(max_clients, available - 2 * connections),
          .connections = connections};
}

void require_threads() {
  // Starts them, because not every limit (RLIMIT_NPROC, pids.max, memory) can be read.
  std::latch gate(1);
  std::vector<std::jthread> threads;
  bool is_limited = false;
  try {
    while (threads.size() < HttpServer::threads + reserved_threads) {
      threads.emplace_back([&gate] { gate.wait(); });
    }
  } catch (const std::exception&) {  // std::system_error or std::bad_alloc
    is_limited = true;
  }
  gate.count_down();
  if (is_limited) {
    throw std::runtime_error(
        "cannot start enough threads; raise the limit (TasksMax, pids.max, ulimit -u)");
  }
}

}  // namespace inetdiag
