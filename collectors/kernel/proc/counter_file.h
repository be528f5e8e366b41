// The counter files of the network stack that nstat(8) reads: /proc/net/snmp and /proc/net/netstat
// (net/ipv4/proc.c, pairs of lines) and /proc/net/snmp6 (net/ipv6/proc.c, a name and a value a
// line).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace inetdiag::kernel {

/// One counter: `group` and `name` concatenated are the kernel's name (TcpExt ListenOverflows).
struct Counter {
  std::string_view group;
  std::string_view name;
  double value = 0;  ///< exact up to 2^53; `Tcp MaxConn` may be -1
};

using EachCounter = std::function<void(const Counter&)>;

/// Pairs names and values by position up to the shorter line. A value that is no number and a line
/// without its counterpart are passed over.
void parse_counter_pairs(std::string_view text, const EachCounter& each);

/// The group is what stands before and with the first `6`: Ip6, Icmp6, Udp6. Other lines are passed
/// over.
void parse_counter_lines(std::string_view text, const EachCounter& each);

}  // namespace inetdiag::kernel
