#pragma once

#include <string>

#include "exporter/exposition/exposition.h"

namespace inetdiag {

/// The page as the JSON document of `inetdiag_exporter print --format json`; docs/output.md has its
/// schema.
std::string page_json(const Exposition& page);

}  // namespace inetdiag
