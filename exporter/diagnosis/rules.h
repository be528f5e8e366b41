// The rules. Each examines one network namespace and appends its findings; none if there is no
// problem or the data is missing.
#pragma once

#include <array>
#include <vector>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/namespace_delta.h"

namespace inetdiag::diagnosis {

using Findings = std::vector<Finding>;

/// Accept queues that are full or nearly full, alone or together with SYN cookies, and drops.
void accept_queues(const NamespaceDelta& delta, Findings& findings);
/// Full SYN queues, SYN cookies, and SYNs dropped without them.
void syn_queues(const NamespaceDelta& delta, Findings& findings);
void time_wait(const NamespaceDelta& delta, Findings& findings);
void close_wait(const NamespaceDelta& delta, Findings& findings);
void orphans(const NamespaceDelta& delta, Findings& findings);
void tcp_memory(const NamespaceDelta& delta, Findings& findings);
void syn_sent(const NamespaceDelta& delta, Findings& findings);
void abort_on_overflow(const NamespaceDelta& delta, Findings& findings);
void udp_queues(const NamespaceDelta& delta, Findings& findings);
void unix_queues(const NamespaceDelta& delta, Findings& findings);
void conntrack(const NamespaceDelta& delta, Findings& findings);
void softnet(const NamespaceDelta& delta, Findings& findings);

/// In the order of their findings within one severity.
using Rule = void (*)(const NamespaceDelta&, Findings&);
inline constexpr std::array<Rule, 12> rules = {
    accept_queues, syn_queues, udp_queues, unix_queues,       conntrack,  tcp_memory,
    orphans,       time_wait,  softnet,    abort_on_overflow, close_wait, syn_sent,
};

}  // namespace inetdiag::diagnosis
