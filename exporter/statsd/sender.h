#pragma once

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/statsd/address.h"

namespace inetdiag::statsd {

/// A socket connected to a StatsD server.
class Sender {
 public:
  explicit Sender(kernel::UniqueFd fd) : fd_(std::move(fd)) {}

  /// Sends a datagram, waiting until `end` while the socket is full. Returns 0 or the error of
  /// send(2): EAGAIN if the socket stays full, ECONNREFUSED if there is no server on this host.
  int send(std::string_view datagram, std::chrono::steady_clock::time_point end) const;

  /// Returns the error of an earlier send, or 0. A remote host without a server answers a UDP
  /// datagram with an ICMP error, which becomes ECONNREFUSED.
  int pending_error() const;

 private:
  kernel::UniqueFd fd_;
};

/// Returns a sender for each address of the host that has a route, in the resolver's order. Only
/// sending shows which of them has a server: `localhost` may resolve to ::1 first. Throws
/// std::runtime_error if there is none.
std::vector<Sender> open_senders(const Address& address);

}  // namespace inetdiag::statsd
