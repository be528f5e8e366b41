// IPv6 route cache, on kernels that limit it.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_route_cache(const Settings& settings);

}  // namespace inetdiag
