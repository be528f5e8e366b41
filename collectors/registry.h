#pragma once

#include <span>

#include "collectors/support/collector.h"

namespace inetdiag {

/// Every collector of the program, in the order in which a scrape asks them: cheap ones first.
std::span<const CollectorEntry> registry();

}  // namespace inetdiag
