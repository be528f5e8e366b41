// /proc/net/sockstat: socket counts by protocol (net/ipv4/proc.c, sockstat_seq_show).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace inetdiag::kernel {

/// Returns the value after `key` in the line of `protocol`, e.g. ("TCP", "tw"); absent if there is
/// none.
std::optional<std::uint64_t> sockstat_value(std::string_view text, std::string_view protocol,
                                            std::string_view key);

}  // namespace inetdiag::kernel
