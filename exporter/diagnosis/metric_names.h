// Metrics that the rules read by name. They have one series, or one series per `field`.
#pragma once

#include <array>
#include <string_view>

namespace inetdiag::diagnosis::metric {

inline constexpr std::string_view somaxconn = "inetdiag_sysctl_net_core_somaxconn";
inline constexpr std::string_view syncookies = "inetdiag_sysctl_net_ipv4_tcp_syncookies";
inline constexpr std::string_view max_syn_backlog = "inetdiag_sysctl_net_ipv4_tcp_max_syn_backlog";
inline constexpr std::string_view max_tw_buckets = "inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets";
inline constexpr std::string_view max_orphans = "inetdiag_sysctl_net_ipv4_tcp_max_orphans";
inline constexpr std::string_view abort_on_overflow =
    "inetdiag_sysctl_net_ipv4_tcp_abort_on_overflow";
inline constexpr std::string_view netdev_max_backlog =
    "inetdiag_sysctl_net_core_netdev_max_backlog";

inline constexpr std::string_view max_dgram_qlen = "inetdiag_sysctl_net_unix_max_dgram_qlen";

inline constexpr std::string_view aggregated_listeners = "inetdiag_listeners_aggregated";
inline constexpr std::string_view timewaits = "inetdiag_tcp_time_wait";
inline constexpr std::string_view orphans = "inetdiag_tcp_orphans";
inline constexpr std::string_view tcp_memory_bytes = "inetdiag_tcp_memory_bytes";
inline constexpr std::string_view udp_memory_bytes = "inetdiag_udp_memory_bytes";
inline constexpr std::string_view tcp_memory_pressure = "inetdiag_tcp_memory_limit_bytes{pressure}";
inline constexpr std::string_view tcp_memory_high = "inetdiag_tcp_memory_limit_bytes{high}";
inline constexpr std::string_view udp_memory_high = "inetdiag_udp_memory_limit_bytes{high}";
inline constexpr std::string_view conntrack_entries = "inetdiag_conntrack_entries";
inline constexpr std::string_view conntrack_limit = "inetdiag_conntrack_limit";
inline constexpr std::string_view conntrack_drops = "inetdiag_conntrack_drop_total";
inline constexpr std::string_view conntrack_insert_failures =
    "inetdiag_conntrack_insert_failed_total";
inline constexpr std::string_view conntrack_early_drops = "inetdiag_conntrack_early_drop_total";

inline constexpr std::string_view open_files = "inetdiag_open_files";
inline constexpr std::string_view open_files_limit = "inetdiag_open_files_limit";
inline constexpr std::string_view route_cache_entries = "inetdiag_route_cache_entries";
inline constexpr std::string_view route_cache_limit = "inetdiag_route_cache_limit";

inline constexpr std::string_view syns_dropped = "inetdiag_nstat_tcpext_tcp_req_q_full_drop_total";
inline constexpr std::string_view cookies_received = "inetdiag_nstat_tcpext_syncookies_recv_total";
// Not TCPReqQFullDoCookies, which also counts SYNs that a full accept queue drops.
inline constexpr std::string_view cookies_sent = "inetdiag_nstat_tcpext_syncookies_sent_total";
inline constexpr std::string_view accept_queue_samples =
    "inetdiag_listener_accept_queue_samples_total";
inline constexpr std::string_view listen_drops = "inetdiag_nstat_tcpext_listen_drops_total";
inline constexpr std::string_view listen_overflows = "inetdiag_nstat_tcpext_listen_overflows_total";
inline constexpr std::string_view time_wait_overflows =
    "inetdiag_nstat_tcpext_tcp_time_wait_overflow_total";
inline constexpr std::string_view memory_aborts = "inetdiag_nstat_tcpext_tcp_abort_on_memory_total";
inline constexpr std::string_view memory_pressures =
    "inetdiag_nstat_tcpext_tcp_memory_pressures_total";
inline constexpr std::string_view syn_retransmissions =
    "inetdiag_nstat_tcpext_tcp_syn_retrans_total";
inline constexpr std::string_view fastopen_overflows =
    "inetdiag_nstat_tcpext_tcp_fast_open_listen_overflow_total";
inline constexpr std::string_view retransmitted_segments = "inetdiag_nstat_tcp_retrans_segs_total";
inline constexpr std::string_view embryonic_resets = "inetdiag_nstat_tcpext_embryonic_rsts_total";
inline constexpr std::string_view deferred_accept_drops =
    "inetdiag_nstat_tcpext_tcp_defer_accept_drop_total";
inline constexpr std::string_view duplicate_sacks = "inetdiag_nstat_tcpext_tcp_dsack_recv_total";
inline constexpr std::string_view loss_probes = "inetdiag_nstat_tcpext_tcp_loss_probes_total";
inline constexpr std::string_view sent_segments = "inetdiag_nstat_tcp_out_segs_total";
inline constexpr std::string_view active_opens = "inetdiag_nstat_tcp_active_opens_total";
inline constexpr std::string_view attempt_fails = "inetdiag_nstat_tcp_attempt_fails_total";
inline constexpr std::string_view passive_opens = "inetdiag_nstat_tcp_passive_opens_total";
inline constexpr std::string_view stalled_closes = "inetdiag_tcp_stalled_closes";
inline constexpr std::string_view port_sockets_age = "inetdiag_tcp_port_sockets_age_seconds";
inline constexpr std::string_view ephemeral_ports_fill = "inetdiag_ephemeral_ports_fill_ratio";
inline constexpr std::string_view ephemeral_ports_usable = "inetdiag_ephemeral_ports_usable";
inline constexpr std::string_view syn_sent_retransmitted = "inetdiag_tcp_syn_sent_retransmitted";

/// Datagrams that found no room in a receive buffer or in udp_mem.
inline constexpr std::array<std::string_view, 4> udp_buffer_errors = {
    "inetdiag_nstat_udp_rcvbuf_errors_total", "inetdiag_nstat_udp6_rcvbuf_errors_total",
    "inetdiag_nstat_udp_mem_errors_total", "inetdiag_nstat_udp6_mem_errors_total"};

}  // namespace inetdiag::diagnosis::metric
