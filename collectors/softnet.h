// Packets that a CPU dropped, or had no time for, on their way into the network stack.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_softnet(const Settings& settings);

}  // namespace inetdiag
