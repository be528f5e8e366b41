#pragma once

#include <string>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// For a terminal of 80 columns, findings first. Names from outside cannot control the terminal.
std::string status_text(const Status& status, bool in_colour);

}  // namespace inetdiag::diagnosis
