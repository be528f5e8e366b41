// Memory of IP fragments that wait for reassembly.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_fragments(const Settings& settings);

}  // namespace inetdiag
