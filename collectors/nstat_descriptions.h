#pragma once

#include <string_view>

namespace inetdiag {

/// Returns the description of a counter, such as TcpExtListenOverflows, without a full stop; empty
/// if there is none. Sources: RFC 1213 and RFC 4022 for net/snmp,
/// Documentation/networking/snmp_counter.rst and include/uapi/linux/snmp.h for net/netstat.
std::string_view nstat_description(std::string_view kernel_name);

}  // namespace inetdiag
