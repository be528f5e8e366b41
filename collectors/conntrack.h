// Size and drops of the connection tracking table. Reads only files: netlink would load the module.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_conntrack(const Settings& settings);

}  // namespace inetdiag
