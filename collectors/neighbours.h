// Size and overflows of the neighbour tables (ARP and NDISC).
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_neighbours(const Settings& settings);

}  // namespace inetdiag
