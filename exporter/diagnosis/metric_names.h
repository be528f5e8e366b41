// Metrics that the rules read by name. They have one series, or one series per `field`.
#pragma once

#include <string_view>

namespace inetdiag::diagnosis::metric {

inline constexpr std::string_view somaxconn = "inetdiag_sysctl_net_core_somaxconn";
inline constexpr std::string_view syncookies = "inetdiag_sysctl_net_ipv4_tcp_syncookies";
inline constexpr std::string_view max_syn_backlog = "inetdiag_sysctl_net_ipv4_tcp_max_syn_backlog";
inline constexpr std::string_view max_tw_buckets = "inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets";
inline constexpr std::string_view max_orphans = "inetdiag_sysctl_net_ipv4_tcp_max_orphans";
inline constexpr std::string_view abort_on_overflow =
    "inetdiag_sysctl_net_ipv4_tcp_abort_on_overflow";
inline constexpr std::string_view tcp_mem_pressure = "inetdiag_sysctl_net_ipv4_tcp_mem{pressure}";
inline constexpr std::string_view tcp_mem_high = "inetdiag_sysctl_net_ipv4_tcp_mem{high}";
inline constexpr std::string_view udp_mem_high = "inetdiag_sysctl_net_ipv4_udp_mem{high}";
inline constexpr std::string_view netdev_max_backlog =
    "inetdiag_sysctl_net_core_netdev_max_backlog";

inline constexpr std::string_view timewaits = "inetdiag_tcp_time_wait";
inline constexpr std::string_view orphans = "inetdiag_tcp_orphans";
inline constexpr std::string_view tcp_memory_bytes = "inetdiag_tcp_memory_bytes";
inline constexpr std::string_view udp_memory_bytes = "inetdiag_udp_memory_bytes";
inline constexpr std::string_view conntrack_entries = "inetdiag_conntrack_entries";
inline constexpr std::string_view conntrack_limit = "inetdiag_conntrack_limit";
inline constexpr std::string_view conntrack_drops = "inetdiag_conntrack_drop_total";
inline constexpr std::string_view conntrack_insert_failures =
    "inetdiag_conntrack_insert_failed_total";
inline constexpr std::string_view conntrack_early_drops = "inetdiag_conntrack_early_drop_total";

inline constexpr std::string_view cookies_sent =
    "inetdiag_nstat_tcpext_tcp_req_q_full_do_cookies_total";
inline constexpr std::string_view syns_dropped = "inetdiag_nstat_tcpext_tcp_req_q_full_drop_total";
inline constexpr std::string_view listen_overflows = "inetdiag_nstat_tcpext_listen_overflows_total";
inline constexpr std::string_view time_wait_overflows =
    "inetdiag_nstat_tcpext_tcp_time_wait_overflow_total";
inline constexpr std::string_view memory_aborts = "inetdiag_nstat_tcpext_tcp_abort_on_memory_total";
inline constexpr std::string_view memory_pressures =
    "inetdiag_nstat_tcpext_tcp_memory_pressures_total";
inline constexpr std::string_view syn_retransmissions =
    "inetdiag_nstat_tcpext_tcp_syn_retrans_total";

}  // namespace inetdiag::diagnosis::metric
