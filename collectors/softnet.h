// Packets processed and dropped by each CPU on receive.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_softnet(const Settings& settings);

}  // namespace inetdiag
