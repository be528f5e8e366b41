#include "collectors/kernel/netlink/connection_info.h"

namespace inetdiag::kernel {
namespace {

constexpr double seconds_per_us = 1e-6;

std::uint64_t is_at_least_half(std::uint64_t part, std::uint64_t whole) {
  return whole > 0 && part >= whole - part ? 1 : 0;
}

}  // namespace

void ConnectionInfo::add(const TcpInfo& info) {
  ++connections;
  if (info.rtt_us > 0) {
    rtt.add(info.rtt_us * seconds_per_us, rtt_bounds);
  }
  congestion_window.add(info.congestion_window, congestion_window_bounds);
  retransmitted += info.total_retransmissions > 0 ? 1 : 0;
  receive_window_limited += is_at_least_half(info.receive_window_limited_us, info.busy_us);
  send_buffer_limited += is_at_least_half(info.send_buffer_limited_us, info.busy_us);
}

ConnectionInfo& ConnectionInfo::operator+=(const ConnectionInfo& other) {
  connections += other.connections;
  rtt += other.rtt;
  congestion_window += other.congestion_window;
  retransmitted += other.retransmitted;
  receive_window_limited += other.receive_window_limited;
  send_buffer_limited += other.send_buffer_limited;
  return *this;
}

}  // namespace inetdiag::kernel
