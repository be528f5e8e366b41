#include "exporter/client_limit.h"

#include <algorithm>
#include <latch>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace inetdiag {
namespace {

// For listening sockets, those in CivetWeb's queue and the files and sockets of scrapes.
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
  } catch (const std::system_error&) {
    // As many as there are.
  }
  gate.count_down();
  return static_cast<unsigned>(threads.size());
}

unsigned beyond(unsigned available, unsigned reserved) {
  return available > reserved ? available - reserved : 0;
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

unsigned clients_to_hold(unsigned wanted) {
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  const auto by_descriptors = static_cast<unsigned>(std::min<rlim_t>(
      wanted, std::max(descriptors.rlim_cur, other_descriptors) - other_descriptors));
  const unsigned by_threads = beyond(threads_to_be_had(wanted + other_threads), other_threads);
  if (by_descriptors == 0) {
    throw std::runtime_error("cannot serve with " + std::to_string(descriptors.rlim_cur) +
                             " descriptors; raise the limit (LimitNOFILE, ulimit -n)");
  }
  if (by_threads == 0) {
    throw std::runtime_error(
        "cannot start enough threads; raise the limit (TasksMax, pids.max, ulimit -u)");
  }
  return std::min(by_descriptors, by_threads);
}

}  // namespace inetdiag
