// Open files of the host.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_files(const Settings& settings);

}  // namespace inetdiag
