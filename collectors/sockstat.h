// Sockets and memory limited by tcp_max_orphans, tcp_max_tw_buckets, tcp_mem and udp_mem.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_sockstat(const Settings& settings);

}  // namespace inetdiag
