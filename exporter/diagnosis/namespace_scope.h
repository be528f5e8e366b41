// Findings in network namespaces other than the exporter's own.
#pragma once

#include <string>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/namespace_delta.h"

namespace inetdiag::diagnosis {

/// Returns `pod shop/web-0`, `namespace blue`, or `this host` for the exporter's own namespace.
std::string namespace_name(const std::string& netns, const std::string& pod);

/// Returns ` in pod shop/web-0` or ` in namespace blue`; empty for the exporter's own namespace.
std::string in_namespace(const std::string& netns, const std::string& pod);

/// Adds the namespace to the name, limit and commands of a finding; otherwise a reader would apply
/// them to the host.
void scope_to_namespace(Finding& finding, const NamespaceDelta& delta);

}  // namespace inetdiag::diagnosis
