// What can be wrong with a host's queues and limits. A rule looks at one network namespace, now and
// a moment ago, and says nothing where all is well or nothing is known.
#pragma once

#include <array>
#include <vector>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/look.h"

namespace inetdiag::diagnosis {

using Findings = std::vector<Finding>;

/// Accept queues that are full, nearly full, or dropped; together with SYN cookies, the pair that
/// makes clients believe that they are connected.
void accept_queues(const Look& look, Findings& findings);
/// SYN queues that are full, cookies, and SYNs dropped where there are none.
void syn_queues(const Look& look, Findings& findings);
void time_wait(const Look& look, Findings& findings);
void close_wait(const Look& look, Findings& findings);
void orphans(const Look& look, Findings& findings);
void tcp_memory(const Look& look, Findings& findings);
void syn_sent(const Look& look, Findings& findings);
void abort_on_overflow(const Look& look, Findings& findings);
void udp_queues(const Look& look, Findings& findings);
void unix_queues(const Look& look, Findings& findings);
void conntrack(const Look& look, Findings& findings);
void softnet(const Look& look, Findings& findings);

/// In the order in which findings of the same severity stand.
using Rule = void (*)(const Look&, Findings&);
inline constexpr std::array<Rule, 12> rules = {
    accept_queues, syn_queues, udp_queues, unix_queues,       conntrack,  tcp_memory,
    orphans,       time_wait,  softnet,    abort_on_overflow, close_wait, syn_sent,
};

}  // namespace inetdiag::diagnosis
