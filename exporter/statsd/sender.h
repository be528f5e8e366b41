#pragma once

#include <chrono>
#include <stdexcept>
#include <string_view>

#include "collectors/kernel/unique_fd.h"
#include "exporter/statsd/address.h"

namespace inetdiag::statsd {

/// A socket that is connected to a StatsD listener.
class Sender {
 public:
  /// Resolves the name. Throws std::runtime_error.
  explicit Sender(const Address& address);

  /// Waits for room until `end`, and returns the error of send(2), or 0; EAGAIN where there is
  /// none.
  int send(std::string_view datagram, std::chrono::steady_clock::time_point end) const;

  /// Whether the refusal of a datagram comes after it was sent: of UDP, by ICMP.
  bool is_refused_later() const { return is_refused_later_; }
  /// What came since: ECONNREFUSED where nobody listens, or 0.
  int later_error() const;

 private:
  kernel::UniqueFd fd_;
  bool is_refused_later_;
};

}  // namespace inetdiag::statsd
