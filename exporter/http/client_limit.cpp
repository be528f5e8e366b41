#include "exporter/http/client_limit.h"

#include <algorithm>
#include <exception>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace inetdiag {
namespace {

// For CivetWeb's connection queue and the files and sockets of scrapes.
constexpr rlim_t reserved_descriptors = 48;
// For CivetWeb's accepting thread, scrapes and the shutdown.
constexpr unsigned reserved_threads = 16;

/// Returns how many more threads, up to `wanted`, this process can start. It starts them, because
/// not every limit (RLIMIT_NPROC, pids.max, memory) can be read.
unsigned count_available_threads(unsigned wanted) {
  std::latch gate(1);
  std::vector<std::jthread> threads;
  threads.reserve(wanted);
  try {
    while (threads.size() < wanted) {
      threads.emplace_back([&gate] { gate.wait(); });
    }
  } catch (const std::exception&) {
    // std::system_error or std::bad_alloc: the limit is reached.
  }
  gate.count_down();
  return static_cast<unsigned>(threads.size());
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

unsigned max_clients_for_descriptors(unsigned wanted, unsigned descriptors_per_client,
                                     std::size_t listening) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t reserved = reserved_descriptors + listening;
  const rlim_t available = std::max(limit.rlim_cur, reserved) - reserved;
  const auto clients =
      static_cast<unsigned>(std::min<rlim_t>(wanted, available / descriptors_per_client));
  if (clients == 0) {
    throw std::runtime_error("cannot serve with " + std::to_string(limit.rlim_cur) +
                             " descriptors; raise the limit (LimitNOFILE, ulimit -n)");
  }
  return clients;
}

unsigned max_concurrent_clients(unsigned wanted, unsigned descriptors_per_client,
                                std::size_t listening) {
  const unsigned by_descriptors =
      max_clients_for_descriptors(wanted, descriptors_per_client, listening);
  const unsigned threads = count_available_threads(wanted + reserved_threads);
  if (threads <= reserved_threads) {
    throw std::runtime_error(
        "cannot start enough threads; raise the limit (TasksMax, pids.max, ulimit -u)");
  }
  return std::min(by_descriptors, threads - reserved_threads);
}

}  // namespace inetdiag
