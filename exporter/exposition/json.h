#pragma once

#include <string>

#include "exporter/exposition/exposition.h"

namespace inetdiag {

/// Returns the document of `inetdiag_exporter print --format json`, described in docs/output.md.
std::string page_json(const Exposition& exposition);

}  // namespace inetdiag
