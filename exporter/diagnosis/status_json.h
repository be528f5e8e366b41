#pragma once

#include <string>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// The document of GET /api/v1/status, described in docs/diagnosis.md. Fields may come; one that is
/// there keeps its name and meaning within a schema version.
std::string status_json(const Status& status);

}  // namespace inetdiag::diagnosis
