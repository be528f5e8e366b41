#pragma once

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/statsd/address.h"

namespace inetdiag::statsd {

/// A socket that is connected to a StatsD listener.
class Sender {
 public:
  explicit Sender(kernel::UniqueFd fd) : fd_(std::move(fd)) {}

  /// Waits for room until `end`, and returns the error of send(2), or 0; EAGAIN where there is
  /// none. That nobody listens is known at once on this host.
  int send(std::string_view datagram, std::chrono::steady_clock::time_point end) const;

  /// What came since: of UDP ECONNREFUSED, by ICMP, where nobody listens; or 0.
  int pending_error() const;

 private:
  kernel::UniqueFd fd_;
};

/// One for each address of the name that this machine has a way to, in the resolver's order. Which
/// of them somebody listens on shows only when they are sent to: `localhost` may be ::1 first. At
/// least one; throws std::runtime_error.
std::vector<Sender> senders_to(const Address& address);

}  // namespace inetdiag::statsd
