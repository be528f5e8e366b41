#pragma once

#include <string>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// Returns the document of GET /api/v1/status, described in docs/diagnosis.md. Within a schema
/// version, fields may be added; existing ones keep their names and meaning.
std::string status_json(const Status& status);

}  // namespace inetdiag::diagnosis
