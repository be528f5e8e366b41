// The counter files that nstat(8) reads: /proc/net/snmp and /proc/net/netstat (net/ipv4/proc.c, a
// line of names followed by a line of values) and /proc/net/snmp6 (net/ipv6/proc.c, a name and a
// value per line).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace inetdiag::kernel {

/// A counter. nstat(8) concatenates group and name: TcpExt + ListenOverflows.
struct Counter {
  std::string_view group;
  std::string_view name;
  double value = 0;  ///< exact up to 2^53; `Tcp MaxConn` may be -1
};

using EachCounter = std::function<void(const Counter&)>;

/// Parses pairs of lines, up to the end of the shorter one. Ignores values that are not numbers and
/// lines without a counterpart.
void parse_counter_pairs(std::string_view text, const EachCounter& each);

/// Returns one counter of parse_counter_pairs() as an integer. A negative value is 0: per-CPU
/// counters are summed while they change (snmp_fold_field), and their sum is printed as unsigned
/// long.
std::optional<std::uint64_t> find_counter(std::string_view text, std::string_view group,
                                          std::string_view name);

/// Parses lines of a name and a value. The group is the name up to the first `6`: Ip6, Icmp6, Udp6.
/// Ignores other lines.
void parse_counter_lines(std::string_view text, const EachCounter& each);

}  // namespace inetdiag::kernel
