// All thresholds of the rules.
#pragma once

#include <chrono>

namespace inetdiag::diagnosis {

/// A queue this full has room for a short burst only.
inline constexpr double nearly_full_ratio = 0.8;
inline constexpr double full_ratio = 1.0;

/// With tcp_syncookies=0, the share of tcp_max_syn_backlog from which the kernel drops SYNs of
/// unproven peers (net/ipv4/tcp_input.c, tcp_conn_request).
inline constexpr double max_syn_backlog_ratio = 0.75;

/// The kernel counts an orphan up to four times if its peer is unresponsive
/// (net/ipv4/tcp_timer.c, tcp_out_of_resources), so the limit acts early. Most count once.
inline constexpr double min_orphans_ratio = 0.5;

/// Sockets in CLOSE_WAIT on one port: a minimum, and the share of all its sockets.
inline constexpr double min_close_wait = 100;
inline constexpr double min_close_wait_ratio = 0.25;

/// Sockets in SYN_SENT. A few are normal.
inline constexpr double min_syn_sent_notice = 20;
inline constexpr double min_syn_sent_warning = 200;

/// Older snapshots are not used for comparison. Allows for requests every five minutes.
inline constexpr std::chrono::minutes max_snapshot_age{15};
/// Growth over less time than this is not meaningful.
inline constexpr std::chrono::milliseconds min_snapshot_interval{900};

}  // namespace inetdiag::diagnosis
