#pragma once

#include <functional>
#include <string>

#include "exporter/diagnosis/status.h"
#include "exporter/exposition/json_writer.h"

namespace inetdiag::diagnosis {

/// Returns the document of GET /api/v1/status, described in docs/diagnosis.md. Within a schema
/// version, fields may be added; existing ones keep their names and meaning. `write_members` adds
/// members at its end.
std::string status_json(const Status& status,
                        JsonWriter::Layout layout = JsonWriter::Layout::indented,
                        const std::function<void(JsonWriter&)>& write_members = {});

}  // namespace inetdiag::diagnosis
