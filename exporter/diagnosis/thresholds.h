// From where on the rules of the diagnosis speak up. All of them stand here.
#pragma once

#include <chrono>

namespace inetdiag::diagnosis {

/// A queue this full takes only a burst more.
inline constexpr double nearly_full = 0.8;
inline constexpr double full = 1.0;

/// With tcp_syncookies=0 SYNs of unknown peers are refused from this share of tcp_max_syn_backlog
/// on (net/ipv4/tcp_input.c, tcp_conn_request).
inline constexpr double syn_backlog_share = 0.75;

/// The kernel counts an orphan up to four times where it is in doubt of its peer
/// (net/ipv4/tcp_timer.c, tcp_out_of_resources), so that the limit acts early; most count once.
inline constexpr double orphans_near = 0.5;

/// Sockets in CLOSE_WAIT on one port that are a pile, if they are this share of its sockets too.
inline constexpr double close_wait_min = 100;
inline constexpr double close_wait_share = 0.25;

/// Connections that wait for the answer to their SYN: some always do.
inline constexpr double syn_sent_notice = 20;
inline constexpr double syn_sent_warning = 200;

/// A look longer ago than this says nothing about now. Whoever asks every five minutes still learns
/// what grows.
inline constexpr std::chrono::minutes max_snapshot_age{15};
/// Two looks closer than this show no growth that means anything.
inline constexpr std::chrono::milliseconds shortest_interval{900};

}  // namespace inetdiag::diagnosis
