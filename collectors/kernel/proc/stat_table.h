// The files of /proc/net/stat: a line of column names, and a line of hexadecimal numbers for each
// CPU (net/core/neighbour.c, neigh_stat_seq_show; net/netfilter/nf_conntrack_standalone.c,
// ct_cpu_seq_show).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace inetdiag::kernel {

struct StatColumn {
  std::uint64_t sum = 0;
  /// A column that is not counted by CPU, such as `entries`, is the same in all lines.
  std::uint64_t first = 0;
};

/// Returns the columns by name. Columns differ between kernels.
std::map<std::string, StatColumn, std::less<>> parse_stat_table(std::string_view text);

}  // namespace inetdiag::kernel
