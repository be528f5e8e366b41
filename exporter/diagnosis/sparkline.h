#pragma once

#include <string>

#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// Returns an inline SVG image of `listener.recent_fill`: a bar for each slot, and a line at 100 %.
/// `name` is the queue in the text for screen readers. Empty without a history.
std::string sparkline(const Listener& listener, const std::string& name);

/// Returns the highest fill of `listener.recent_fill` and now, as `97 %` or `<1 %`; empty without a
/// history.
std::string highest_recent_fill(const Listener& listener);

}  // namespace inetdiag::diagnosis
