// /proc/net/softnet_stat: packets on their way from the interfaces into the network stack, a line
// for each CPU that is online, in hexadecimal (net/core/net-procfs.c, softnet_seq_show).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace inetdiag::kernel {

/// Absent are columns that this kernel does not have.
struct SoftnetCpu {
  std::uint64_t cpu = 0;  ///< the column that names it (Linux 5.10), else the number of the line
  std::uint64_t processed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t time_squeezed = 0;
  std::optional<std::uint64_t> received_rps;
  std::optional<std::uint64_t> flow_limit;
  std::optional<std::uint64_t> backlog_length;
};

/// Lines that cannot be read are passed over.
std::vector<SoftnetCpu> parse_softnet(std::string_view text);

}  // namespace inetdiag::kernel
