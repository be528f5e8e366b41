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

// For those in CivetWeb's queue and the files and sockets of scrapes.
constexpr rlim_t other_descriptors = 48;
// For CivetWeb's accepting thread, those of scrapes and the one that stops the program.
constexpr unsigned other_threads = 16;

/// How many threads can run beside those that do, up to `wanted`. Only to try tells: limits of
/// users, of control groups and of memory bind, and not all of them can be read.
unsigned threads_to_be_had(unsigned wanted) {
  std::latch gate(1);
  std::vector<std::jthread> threads;
  threads.reserve(wanted);
  try {
    while (threads.size() < wanted) {
      threads.emplace_back([&gate] { gate.wait(); });
    }
  } catch (const std::exception&) {  // of the system or of memory
    // As many as there are; those that run wait for the gate.
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

unsigned max_clients_for_descriptors(unsigned wanted, unsigned descriptors_each,
                                     std::size_t listening) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t others = other_descriptors + listening;
  const rlim_t free = std::max(limit.rlim_cur, others) - others;
  const auto clients = static_cast<unsigned>(std::min<rlim_t>(wanted, free / descriptors_each));
  if (clients == 0) {
    throw std::runtime_error("cannot serve with " + std::to_string(limit.rlim_cur) +
                             " descriptors; raise the limit (LimitNOFILE, ulimit -n)");
  }
  return clients;
}

unsigned max_concurrent_clients(unsigned wanted, unsigned descriptors_each, std::size_t listening) {
  const unsigned by_descriptors = max_clients_for_descriptors(wanted, descriptors_each, listening);
  const unsigned threads = threads_to_be_had(wanted + other_threads);
  if (threads <= other_threads) {
    throw std::runtime_error(
        "cannot start enough threads; raise the limit (TasksMax, pids.max, ulimit -u)");
  }
  return std::min(by_descriptors, threads - other_threads);
}

}  // namespace inetdiag
