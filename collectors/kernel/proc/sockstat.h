// /proc/net/sockstat: how many sockets of each protocol there are (net/ipv4/proc.c,
// sockstat_seq_show).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace inetdiag::kernel {

/// The value behind `key` in the line of `protocol`: ("TCP", "tw"). Absent where either is.
std::optional<std::uint64_t> sockstat_value(std::string_view text, std::string_view protocol,
                                            std::string_view key);

}  // namespace inetdiag::kernel
