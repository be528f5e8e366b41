// Receive queues and lost messages of netlink sockets.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_netlink(const Settings& settings);

}  // namespace inetdiag
