// /proc/net/softnet_stat: packets received by net_rx_action, one line of hexadecimal columns for
// each online CPU (net/core/net-procfs.c, softnet_seq_show).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace inetdiag::kernel {

/// Columns that this kernel does not have are absent.
struct SoftnetCpu {
  std::uint64_t cpu = 0;  ///< column 13 (Linux 5.10), else the line number
  std::uint64_t processed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t time_squeezed = 0;
  std::optional<std::uint64_t> received_rps;
  std::optional<std::uint64_t> flow_limit;
  std::optional<std::uint64_t> backlog_length;
};

/// Ignores malformed lines.
std::vector<SoftnetCpu> parse_softnet(std::string_view text);

}  // namespace inetdiag::kernel
