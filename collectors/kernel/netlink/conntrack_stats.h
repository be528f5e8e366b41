// Counters of connection tracking over nfnetlink: IPCTNL_MSG_CT_GET_STATS_CPU,
// net/netfilter/nf_conntrack_netlink.c (ctnetlink_ct_stat_cpu_fill_info). They are those of
// /proc/net/stat/nf_conntrack, which kernels without CONFIG_NF_CONNTRACK_PROCFS do not have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/netlink/netlink.h"

namespace inetdiag::kernel {

/// Sums over all CPUs. Absent if the kernel does not send them.
struct ConntrackStats {
  std::optional<std::uint64_t> insert_failed;
  std::optional<std::uint64_t> drop;
  std::optional<std::uint64_t> early_drop;
  std::optional<std::uint64_t> search_restart;
};

/// Adds the counters of one CPU. Ignores unknown and malformed attributes, and a payload that is
/// too short.
void add_conntrack_stats(ConntrackStats& stats, std::span<const std::byte> payload);

/// Needs CAP_NET_ADMIN. The kernel may load nf_conntrack_netlink. Throws as dump().
ConntrackStats dump_conntrack_stats(const NetlinkFactory& open, const Deadline& deadline);

}  // namespace inetdiag::kernel
