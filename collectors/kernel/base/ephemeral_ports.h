#pragma once

#include <bitset>
#include <cstddef>

namespace inetdiag::kernel {

constexpr std::size_t port_numbers = 65536;
using PortSet = std::bitset<port_numbers>;

/// Whether connect() may take the port of a connection to the same destination that is in TIME_WAIT
/// (net.ipv4.tcp_tw_reuse; net/ipv4/tcp_ipv4.c, tcp_twsk_unique). It also takes timestamps on both
/// connections, and a second in TIME_WAIT.
enum class TimeWaitReuse { off, loopback, on };

/// The local ports that connect() chooses from (net/ipv4/inet_hashtables.c, __inet_hash_connect).
struct EphemeralPorts {
  PortSet ports;
  TimeWaitReuse reuse = TimeWaitReuse::off;
};

}  // namespace inetdiag::kernel
