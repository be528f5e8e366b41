// What a finding in a network namespace beside the exporter's own must say: a command or a sysctl
// without more would be taken for the host's.
#pragma once

#include <string>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/namespace_delta.h"

namespace inetdiag::diagnosis {

/// `pod shop/web-0`, `namespace blue`, or `this host` for the exporter's own.
std::string place(const std::string& netns, const std::string& pod);

/// Has the advice of a finding of `look` lead to where it was found.
void scope_to_namespace(Finding& finding, const NamespaceDelta& look);

}  // namespace inetdiag::diagnosis
