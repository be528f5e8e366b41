// /proc/net/stat/nf_conntrack: a line of names, then a line of hexadecimal values for each CPU
// (net/netfilter/nf_conntrack_standalone.c, ct_cpu_seq_show).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace inetdiag::kernel {

/// Returns the sum over all CPUs of each column. Ignores malformed values. The sum of `entries` has
/// no meaning: each line has the total of all CPUs.
std::map<std::string, std::uint64_t, std::less<>> parse_conntrack(std::string_view text);

}  // namespace inetdiag::kernel
