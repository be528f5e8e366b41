#pragma once

#include <string>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// Returns the document of GET /api/v1/status. docs/diagnosis.md describes the schema.
std::string status_json(const Status& status);

}  // namespace inetdiag::diagnosis
