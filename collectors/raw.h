// Receive queues and drops of raw IPv4 and IPv6 sockets, raw(7).
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_raw(const Settings& settings);

}  // namespace inetdiag
