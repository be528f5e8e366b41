// The counters of the network stack that nstat(8) shows.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/support/collector.h"

namespace inetdiag {

/// Counters of queues, drops, fragments, SYN cookies, retransmissions and resets, and the totals
/// that they are compared with.
inline constexpr std::string_view nstat_netns_include =
    "^TcpExt(Listen|TCPReqQFull|Syncookies|TCPTimeWaitOverflow|TCPAbortOn|TCPBacklogDrop|"
    "TCPRcvQDrop|TCPTimeouts|TCPSynRetrans|TCPLostRetransmit|TCPLossProbes$|TCPDSACKRecv$|"
    "TCPDeferAcceptDrop|"
    "TCPFastOpenListenOverflow|TCPMemoryPressures|PruneCalled|TW$|"
    "EmbryonicRsts)|"
    "^Ip6?ReasmFails$|^Tcp(ActiveOpens|PassiveOpens|AttemptFails|EstabResets|CurrEstab|InSegs|"
    "OutSegs|RetransSegs|"
    "InErrs|OutRsts)$|^Udp6?(InErrors|MemErrors|RcvbufErrors|SndbufErrors|NoPorts)$";

inline constexpr std::array<SettingSpec, 2> nstat_settings = {{
    {.name = "include",
     .placeholder = "REGEX",
     .help = "export only counters whose kernel name (TcpExtListenOverflows) matches",
     .default_value = "",
     .netns_default =
         NetnsDefault{
             .value = nstat_netns_include,
             .description = "counters of queues, drops, SYN cookies, retransmissions and resets"}},
    {.name = "exclude",
     .placeholder = "REGEX",
     .help = "omit counters whose kernel name matches",
     .default_value = ""},
}};

std::unique_ptr<Collector> make_nstat(const Settings& settings);

/// Returns `inetdiag_nstat_tcpext_listen_overflows` for TcpExt and ListenOverflows, without
/// `_total`.
std::string nstat_metric_name(std::string_view group, std::string_view name);

}  // namespace inetdiag
