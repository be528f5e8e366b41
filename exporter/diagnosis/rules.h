// What can be wrong with a host's queues and limits. A rule looks at one network namespace, now and
// a moment ago, and says nothing where all is well or nothing is known.
#pragma once

#include <array>
#include <vector>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/namespace_delta.h"

namespace inetdiag::diagnosis {

using Findings = std::vector<Finding>;

/// Accept queues that are full, nearly full, or dropped; together with SYN cookies, the pair that
/// makes clients believe that they are connected.
void accept_queues(const NamespaceDelta& look, Findings& findings);
/// SYN queues that are full, cookies, and SYNs dropped where there are none.
void syn_queues(const NamespaceDelta& look, Findings& findings);
void time_wait(const NamespaceDelta& look, Findings& findings);
void close_wait(const NamespaceDelta& look, Findings& findings);
void orphans(const NamespaceDelta& look, Findings& findings);
void tcp_memory(const NamespaceDelta& look, Findings& findings);
void syn_sent(const NamespaceDelta& look, Findings& findings);
void abort_on_overflow(const NamespaceDelta& look, Findings& findings);
void udp_queues(const NamespaceDelta& look, Findings& findings);
void unix_queues(const NamespaceDelta& look, Findings& findings);
void conntrack(const NamespaceDelta& look, Findings& findings);
void softnet(const NamespaceDelta& look, Findings& findings);

/// In the order in which findings of the same severity stand.
using Rule = void (*)(const NamespaceDelta&, Findings&);
inline constexpr std::array<Rule, 12> rules = {
    accept_queues, syn_queues, udp_queues, unix_queues,       conntrack,  tcp_memory,
    orphans,       time_wait,  softnet,    abort_on_overflow, close_wait, syn_sent,
};

}  // namespace inetdiag::diagnosis
