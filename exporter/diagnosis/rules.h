// The rules. Each examines one network namespace and appends its findings; none if there is no
// problem or the data is missing.
#pragma once

#include <array>
#include <vector>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/namespace_delta.h"

namespace inetdiag::diagnosis {

using Findings = std::vector<Finding>;

/// Accept queues that are full, nearly full or not taken from, and listeners that dropped.
void accept_queues(const NamespaceDelta& delta, Findings& findings);
/// Drops that cannot be attributed to a listener.
void listen_drops(const NamespaceDelta& delta, Findings& findings);
/// Full SYN queues, SYN cookies, SYNs dropped without them, and unanswered SYN-ACKs.
void syn_queues(const NamespaceDelta& delta, Findings& findings);
/// SYN cookies that do not come back, with tcp_syncookies=2.
void unanswered_cookies(const NamespaceDelta& delta, Findings& findings);
void fastopen_queue(const NamespaceDelta& delta, Findings& findings);
void time_wait(const NamespaceDelta& delta, Findings& findings);
void ephemeral_ports(const NamespaceDelta& delta, Findings& findings);
void close_wait(const NamespaceDelta& delta, Findings& findings);
void orphans(const NamespaceDelta& delta, Findings& findings);
void tcp_memory(const NamespaceDelta& delta, Findings& findings);
/// Closed connections whose peers do not acknowledge.
void stalled_closes(const NamespaceDelta& delta, Findings& findings);
/// Connections of a port whose peers do not acknowledge, or do not read.
void stalled_connections(const NamespaceDelta& delta, Findings& findings);
/// Connections of a port whose program does not read.
void unread_connections(const NamespaceDelta& delta, Findings& findings);
void retransmissions(const NamespaceDelta& delta, Findings& findings);
void syn_sent(const NamespaceDelta& delta, Findings& findings);
/// connect() that fails: refused, unreachable or timed out.
void failed_connects(const NamespaceDelta& delta, Findings& findings);
void abort_on_overflow(const NamespaceDelta& delta, Findings& findings);
void udp_queues(const NamespaceDelta& delta, Findings& findings);
void unix_queues(const NamespaceDelta& delta, Findings& findings);
void conntrack(const NamespaceDelta& delta, Findings& findings);
void open_files(const NamespaceDelta& delta, Findings& findings);
void softnet(const NamespaceDelta& delta, Findings& findings);
void neighbour_tables(const NamespaceDelta& delta, Findings& findings);
/// IP fragments that wait for reassembly.
void fragments(const NamespaceDelta& delta, Findings& findings);
void route_cache(const NamespaceDelta& delta, Findings& findings);
void qdiscs(const NamespaceDelta& delta, Findings& findings);
/// Netlink, raw and packet sockets.
void dropping_sockets(const NamespaceDelta& delta, Findings& findings);

/// In the order of their findings within one severity and damage.
using Rule = void (*)(const NamespaceDelta&, Findings&);
inline constexpr auto rules = std::to_array<Rule>({
    accept_queues,
    listen_drops,
    syn_queues,
    unanswered_cookies,
    fastopen_queue,
    udp_queues,
    unix_queues,
    conntrack,
    tcp_memory,
    orphans,
    ephemeral_ports,
    time_wait,
    softnet,
    abort_on_overflow,
    close_wait,
    unread_connections,
    stalled_connections,
    stalled_closes,
    retransmissions,
    syn_sent,
    failed_connects,
    open_files,
    neighbour_tables,
    fragments,
    route_cache,
    qdiscs,
    dropping_sockets,
});

}  // namespace inetdiag::diagnosis
