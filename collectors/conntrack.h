// Size and drops of the connection tracking table. Never loads nf_conntrack.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_conntrack(const Settings& settings);

/// Returns whether the drop counters are only available over nfnetlink, which needs CAP_NET_ADMIN.
bool needs_nfnetlink(const kernel::FileTree& proc);

}  // namespace inetdiag
