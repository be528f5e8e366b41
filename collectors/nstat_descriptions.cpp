#include "collectors/nstat_descriptions.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace inetdiag {
namespace {

using Description = std::pair<std::string_view, std::string_view>;

// Sorted by name, for a binary search.
constexpr auto descriptions = std::to_array<Description>({
    {"Icmp6InErrors", "ICMPv6 messages received with errors"},
    {"IcmpInErrors", "ICMP messages received with errors"},
    {"IcmpOutRateLimitGlobal", "ICMP replies not sent because of net.ipv4.icmp_msgs_per_sec"},
    {"IcmpOutRateLimitHost", "ICMP replies not sent because of net.ipv4.icmp_ratelimit"},
    {"Ip6InDiscards", "valid IPv6 packets dropped on receipt, for example for lack of memory"},
    {"Ip6InNoRoutes", "IPv6 packets dropped because there was no route to their destination"},
    {"Ip6OutDiscards", "valid IPv6 packets dropped on output, for example for lack of memory"},
    {"Ip6ReasmFails", "failures to reassemble IPv6 fragments"},
    {"IpDefaultTTL", "default time to live of packets"},
    {"IpExtInCsumErrors", "IP packets dropped because of a wrong checksum"},
    {"IpExtInNoRoutes", "IP packets dropped because there was no route to their destination"},
    {"IpExtReasmOverlaps", "IP fragments that overlap others"},
    {"IpForwarding", "1 if the host forwards packets, else 2"},
    {"IpFragFails", "IP packets dropped because they exceeded the MTU and had the DF flag"},
    {"IpInDiscards", "valid IP packets dropped on receipt, for example for lack of memory"},
    {"IpInHdrErrors", "IP packets dropped because of an invalid header"},
    {"IpOutDiscards", "valid IP packets dropped on output, for example for lack of memory"},
    {"IpOutNoRoutes", "IP packets not sent because there was no route to their destination"},
    {"IpReasmFails", "failures to reassemble IP fragments"},
    {"MPTcpExtMPCapableFallbackACK",
     "MPTCP connections that fell back to TCP during the handshake"},
    {"MPTcpExtMPCapableSYNRX", "SYNs received with the MPTCP option"},
    {"MPTcpExtMPCurrEstab", "MPTCP connections in state ESTABLISHED or CLOSE_WAIT"},
    {"TcpActiveOpens", "connections opened by this host"},
    {"TcpAttemptFails", "handshakes that failed, in either direction"},
    {"TcpCurrEstab",
     "connections in state ESTABLISHED, on kernels with a fix of 2024 also those in CLOSE_WAIT"},
    {"TcpEstabResets", "established connections that ended by a reset"},
    {"TcpExtDelayedACKLost", "duplicate segments received because a delayed ACK was too late"},
    {"TcpExtEmbryonicRsts", "resets received by half-open connections"},
    {"TcpExtListenDrops",
     "SYNs and final ACKs dropped by listeners, because of a full accept queue, lack of memory or "
     "another reason"},
    {"TcpExtListenOverflows",
     "SYNs and final ACKs dropped because the accept queue was full: the program calls accept() "
     "too slowly or the backlog is too small"},
    {"TcpExtLockDroppedIcmps", "ICMP errors dropped because the socket was locked by a process"},
    {"TcpExtOfoPruned", "out-of-order segments dropped because a receive buffer was full"},
    {"TcpExtOutOfWindowIcmps",
     "ICMP errors dropped because of a sequence number outside the window"},
    {"TcpExtPAWSActive", "SYN-ACKs rejected for an old timestamp"},
    {"TcpExtPAWSEstab", "segments of established connections rejected for an old timestamp"},
    {"TcpExtPFMemallocDrop",
     "segments dropped because only memory reserved for the kernel was left"},
    {"TcpExtPruneCalled", "times a full receive buffer was pruned"},
    {"TcpExtRcvPruned",
     "segments dropped from a receive queue because the receive buffer was full"},
    {"TcpExtSyncookiesFailed",
     "final ACKs with an invalid SYN cookie: late, forged, or older than the secret"},
    {"TcpExtSyncookiesRecv", "connections established with a valid SYN cookie"},
    {"TcpExtSyncookiesSent",
     "SYN-ACKs sent with a SYN cookie because a SYN queue was full or net.ipv4.tcp_syncookies is "
     "2"},
    {"TcpExtTCPAbortFailed", "resets that could not be sent when a connection was aborted"},
    {"TcpExtTCPAbortOnClose", "connections reset because they were closed with unread data"},
    {"TcpExtTCPAbortOnData",
     "connections reset because data arrived after close(), or closed with a SO_LINGER timeout of "
     "0"},
    {"TcpExtTCPAbortOnLinger", "connections reset because the linger time after close() expired"},
    {"TcpExtTCPAbortOnMemory",
     "connections reset because of net.ipv4.tcp_mem or net.ipv4.tcp_max_orphans"},
    {"TcpExtTCPAbortOnTimeout",
     "connections reset because the peer did not answer after all retries"},
    {"TcpExtTCPBacklogCoalesce",
     "segments merged in the backlog of a socket that is locked by a process"},
    {"TcpExtTCPBacklogDrop",
     "segments dropped because the backlog of a socket that is locked by a process was full"},
    {"TcpExtTCPChallengeACK", "challenge ACKs sent because of suspicious segments (RFC 5961)"},
    {"TcpExtTCPDeferAcceptDrop", "final ACKs ignored because of TCP_DEFER_ACCEPT"},
    {"TcpExtTCPFastOpenListenOverflow",
     "Fast Open SYNs handled as ordinary ones because the Fast Open queue was full"},
    {"TcpExtTCPFastRetrans", "segments retransmitted after duplicate ACKs"},
    {"TcpExtTCPLossProbeRecovery", "losses repaired by a tail loss probe"},
    {"TcpExtTCPLossProbes", "tail loss probes sent"},
    {"TcpExtTCPLostRetransmit", "retransmissions that were lost again"},
    {"TcpExtTCPMD5Failure", "segments dropped because of a wrong MD5 signature"},
    {"TcpExtTCPMemoryPressures",
     "times TCP memory exceeded the pressure threshold of net.ipv4.tcp_mem"},
    {"TcpExtTCPMemoryPressuresChrono",
     "milliseconds that TCP memory was above the pressure threshold of net.ipv4.tcp_mem"},
    {"TcpExtTCPMigrateReqFailure",
     "half-open connections lost when a SO_REUSEPORT listener closed"},
    {"TcpExtTCPMigrateReqSuccess",
     "half-open connections migrated to another SO_REUSEPORT listener"},
    {"TcpExtTCPMinTTLDrop", "segments dropped because of IP_MINTTL"},
    {"TcpExtTCPOFODrop", "out-of-order segments dropped because a receive buffer was full"},
    {"TcpExtTCPOFOQueue", "segments received out of order and queued"},
    {"TcpExtTCPOrigDataSent", "segments with data sent, without retransmissions"},
    {"TcpExtTCPRcvCollapsed", "segments merged because a receive buffer was full"},
    {"TcpExtTCPRcvQDrop", "segments dropped because a receive queue was full"},
    {"TcpExtTCPReqQFullDoCookies", "SYNs answered with a cookie because a SYN queue was full"},
    {"TcpExtTCPReqQFullDrop",
     "SYNs dropped because a SYN queue was full and net.ipv4.tcp_syncookies is 0"},
    {"TcpExtTCPRetransFail", "retransmissions that could not be sent"},
    {"TcpExtTCPSackFailures", "retransmission timeouts during recovery with SACK"},
    {"TcpExtTCPSackRecovery", "recoveries from loss by SACK"},
    {"TcpExtTCPSlowStartRetrans", "segments retransmitted in slow start"},
    {"TcpExtTCPSpuriousRTOs", "spurious retransmission timeouts"},
    {"TcpExtTCPSynRetrans", "SYNs and SYN-ACKs retransmitted"},
    {"TcpExtTCPTimeWaitOverflow",
     "connections closed without TIME_WAIT because net.ipv4.tcp_max_tw_buckets was reached"},
    {"TcpExtTCPTimeouts", "retransmission timeouts"},
    {"TcpExtTCPToZeroWindowAdv",
     "times a zero window was advertised because a program reads too slowly"},
    {"TcpExtTCPWantZeroWindowAdv", "times a zero window would have been advertised"},
    {"TcpExtTCPWqueueTooBig", "writes refused because a send queue was too large (CVE-2019-11478)"},
    {"TcpExtTCPZeroWindowDrop", "segments dropped because the advertised window was zero"},
    {"TcpExtTW", "TIME_WAIT sockets that expired"},
    {"TcpExtTWKilled", "TIME_WAIT sockets that ended before they expired"},
    {"TcpExtTWRecycled", "TIME_WAIT sockets reused by a new incoming connection"},
    {"TcpInCsumErrors", "segments dropped because of a wrong checksum"},
    {"TcpInErrs", "segments dropped because of an error"},
    {"TcpInSegs", "segments received"},
    {"TcpMaxConn", "maximum number of connections, -1 for no fixed limit"},
    {"TcpOutRsts", "segments sent with a reset"},
    {"TcpOutSegs", "segments sent, without retransmissions"},
    {"TcpPassiveOpens", "connections accepted by listeners of this host"},
    {"TcpRetransSegs", "segments retransmitted"},
    {"TcpRtoAlgorithm",
     "algorithm of the retransmission timeout, 1 for other than those of RFC 1213"},
    {"TcpRtoMax", "maximum retransmission timeout in milliseconds"},
    {"TcpRtoMin", "minimum retransmission timeout in milliseconds"},
    {"Udp6InErrors",
     "IPv6 datagrams that could not be delivered, because of a full receive buffer or another "
     "reason"},
    {"Udp6MemErrors", "IPv6 datagrams dropped because UDP memory was above net.ipv4.udp_mem"},
    {"Udp6NoPorts", "IPv6 datagrams received for a port without a socket"},
    {"Udp6RcvbufErrors",
     "IPv6 datagrams dropped because a receive buffer was full: the program reads too slowly"},
    {"Udp6SndbufErrors", "IPv6 datagrams not sent because a send buffer was full"},
    {"UdpInCsumErrors", "datagrams dropped because of a wrong checksum"},
    {"UdpInErrors",
     "datagrams that could not be delivered, because of a full receive buffer or another reason"},
    {"UdpMemErrors", "datagrams dropped because UDP memory was above net.ipv4.udp_mem"},
    {"UdpNoPorts", "datagrams received for a port without a socket"},
    {"UdpRcvbufErrors",
     "datagrams dropped because a receive buffer was full: the program reads too slowly"},
    {"UdpSndbufErrors", "datagrams not sent because a send buffer was full"},
});

static_assert(std::ranges::is_sorted(descriptions, {}, &Description::first));

}  // namespace

std::string_view nstat_description(std::string_view kernel_name) {
  const auto* const found =
      std::ranges::lower_bound(descriptions, kernel_name, {}, &Description::first);
  return found != descriptions.end() && found->first == kernel_name ? found->second
                                                                    : std::string_view();
}

}  // namespace inetdiag
