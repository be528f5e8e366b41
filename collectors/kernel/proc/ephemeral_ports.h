// The sysctls of ephemeral ports, Documentation/networking/ip-sysctl.rst.
#pragma once

#include <optional>
#include <string_view>

#include "collectors/kernel/base/ephemeral_ports.h"
#include "collectors/kernel/proc/cached_files.h"

namespace inetdiag::kernel {

/// Returns the ports of net.ipv4.ip_local_port_range without those of
/// net.ipv4.ip_local_reserved_ports (`8080,9148-9200`); std::nullopt if a text has another form.
std::optional<PortSet> parse_ephemeral_ports(std::string_view range, std::string_view reserved);

/// Returns std::nullopt without net.ipv4.ip_local_port_range. Throws as CachedFiles::read().
std::optional<EphemeralPorts> read_ephemeral_ports(CachedFiles& proc);

}  // namespace inetdiag::kernel
