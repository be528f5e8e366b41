// All thresholds of the rules.
#pragma once

#include <chrono>

namespace inetdiag::diagnosis {

/// A queue this full has room for a short burst only.
inline constexpr double nearly_full_ratio = 0.8;
inline constexpr double full_ratio = 1.0;

/// Ports that programs bind to are not usable either, and inet_diag does not show which those are.
inline constexpr double min_exhausted_ports_ratio = 0.99;

/// Over a longer interval, the headline describes drops in the past tense.
inline constexpr double max_present_seconds = 60;

/// A limit below this usage is not worth a word if there is no finding.
inline constexpr double min_named_usage = 0.5;

/// Drops are critical from this number and rate on: single ones delay single clients.
inline constexpr double min_critical_drops = 5;
inline constexpr double min_critical_drops_per_second = 0.5;

/// Growth of TcpExtListenDrops that is missing in the drops of listeners, which are read at another
/// moment: a minimum, and the share of the growth.
inline constexpr double min_unexplained_drops = 3;
inline constexpr double min_unexplained_drops_ratio = 0.2;

/// A wait for accept() that clients notice.
inline constexpr double min_waiting_seconds = 1;
/// A program that accepts nothing for this long is stuck, if more than one connection waits. A
/// program that serves one client after another lets a single one wait.
inline constexpr double min_stuck_seconds = 2;
inline constexpr double min_stuck_connections = 2;
/// For how long a queue is full between snapshots without drops: a minimum, and the share of the
/// interval. As many clients at once as the queue holds fill it for a moment.
inline constexpr double min_full_seconds = 0.25;
inline constexpr double min_full_time_ratio = 0.005;

/// Connections in an accept queue that the client has closed: a minimum, and the share of all.
/// Health checks close theirs at once.
inline constexpr double min_abandoned = 10;
inline constexpr double min_abandoned_ratio = 0.5;
/// The share of the interval between snapshots for which nothing was accepted. The queues are read
/// at the begin of a scrape.
inline constexpr double min_stalled_ratio = 0.8;

/// Share of the time, and of the periods, in which a CPU quota throttles a cgroup. One that uses up
/// its quota in some periods only is served in the others.
inline constexpr double min_throttled_ratio = 0.5;
/// Share of the time for which a thread is runnable: it never waits for anything but a CPU.
inline constexpr double min_runnable_ratio = 0.9;
/// A runnable thread with less than this share of a CPU lacks CPU time.
inline constexpr double min_full_cpu_ratio = 0.8;
/// Share of the last 10 s in which tasks wait for memory. Page cache fills memory up to the limit,
/// and reclaiming it takes no such time.
inline constexpr double min_memory_pressure = 0.3;

/// A shorter queue may be nearly full for a moment: a few clients at once, a round trip.
inline constexpr double min_queue_capacity = 16;
/// Half-open connections with a retransmitted SYN-ACK: a minimum, and the share of all. Some
/// clients of any public server lose packets.
inline constexpr double min_unanswered_syn_acks = 10;
inline constexpr double min_unanswered_ratio = 0.5;
/// SYN cookies with tcp_syncookies=2: a minimum, and the share that a healthy server gets back.
inline constexpr double min_cookies_sent = 20;
inline constexpr double min_cookies_received_ratio = 0.5;

/// The kernel counts an orphan up to four times if its peer is unresponsive
/// (net/ipv4/tcp_timer.c, tcp_out_of_resources), so the limit acts early. Most count once.
inline constexpr double min_orphans_ratio = 0.5;

/// Sockets in CLOSE_WAIT that last; very many of them need not last for so long.
inline constexpr double min_close_wait = 100;
inline constexpr double min_very_many_close_wait = 1000;
inline constexpr double min_lasting_seconds_of_very_many = 0.5;
/// Sockets in FIN_WAIT1 and LAST_ACK that last.
inline constexpr double min_stalled_closes = 100;
/// Healthy connections leave these states within a round trip.
inline constexpr double min_lasting_seconds = 2;

/// Open connections of a port that do not move: a minimum, and the share of all. Some clients of
/// any public server are out of reach.
inline constexpr double min_stalled_connections = 20;
inline constexpr double min_stalled_connections_ratio = 0.2;
/// The share of established connections with unread bytes. A busy program has read those of most.
inline constexpr double min_unread_ratio = 0.8;
/// The time between the snapshots of `check`.
inline constexpr double min_unread_seconds = 0.9;
inline constexpr double min_certain_unread_seconds = 10;
/// What an older dump shows may have passed.
inline constexpr double max_port_sockets_age = 300;

/// Retransmitted segments: a minimum, and the share of all.
inline constexpr double min_retransmissions = 50;
inline constexpr double min_retransmission_ratio = 0.05;

/// Sockets in SYN_SENT with a retransmitted SYN: a minimum, and the share of established
/// connections that makes it a warning.
inline constexpr double min_unanswered_syns = 20;
inline constexpr double min_unanswered_syns_ratio = 0.2;

/// Outgoing connections that failed: a minimum, and the share of all that were opened. A client
/// that tries ::1 first, and a server that listens on 127.0.0.1 only, make it a half.
inline constexpr double min_failed_connects = 20;
inline constexpr double min_failed_connects_ratio = 0.75;
/// Checks of a backend that is down fail at a lower rate.
inline constexpr double min_failed_connects_per_second = 1;

/// Connections at a UNIX socket that wait in two snapshots, their number not falling.
inline constexpr double min_unix_waiting = 5;

/// Fewer packets dropped by a CPU than this are a short burst.
inline constexpr double min_softnet_drops = 10;

/// Packets that a queueing discipline dropped: a minimum, and the share of all. fq_codel and TCP
/// settle for less.
inline constexpr double min_qdisc_drops = 50;
inline constexpr double min_qdisc_drop_ratio = 0.05;
/// Messages that netlink, raw or packet sockets lost. Fewer are a short burst.
inline constexpr double min_lost_messages = 10;
/// The kernel checks the memory of fragments before it adds those of a new datagram.
inline constexpr double full_fragments_ratio = 0.95;
/// The route cache exceeds its limit by more only on kernels without such a limit.
inline constexpr double max_route_cache_ratio = 1.1;

/// Older snapshots are not used for comparison. Allows for requests every five minutes.
inline constexpr std::chrono::minutes max_snapshot_age{15};
/// Growth over less time than this is not meaningful.
inline constexpr std::chrono::milliseconds min_snapshot_interval{900};

}  // namespace inetdiag::diagnosis
