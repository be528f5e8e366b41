// /proc/net/stat/nf_conntrack: a line of names, then a line for each CPU, in hexadecimal
// (net/netfilter/nf_conntrack_standalone.c, ct_cpu_seq_show).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace inetdiag::kernel {

/// Each column by its name, summed over the CPUs. Lines that cannot be read are passed over. The
/// column `entries` is no counter: it stands in each line as the whole.
std::map<std::string, std::uint64_t, std::less<>> parse_conntrack(std::string_view text);

}  // namespace inetdiag::kernel
