// How full the table of followed connections is. Reads files only, so that it never loads the
// module.
#pragma once

#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

std::unique_ptr<Collector> make_conntrack(const Settings& settings);

}  // namespace inetdiag
