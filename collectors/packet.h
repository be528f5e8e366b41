// Receive queues and drops of packet sockets, packet(7).
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_packet(const Settings& settings);

}  // namespace inetdiag
