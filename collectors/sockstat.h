// Sockets and memory that tcp_max_orphans, tcp_max_tw_buckets, tcp_mem and udp_mem limit.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_sockstat(const Settings& settings);

}  // namespace inetdiag
