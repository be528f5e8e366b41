#pragma once

#include <string_view>

namespace inetdiag {

/// What a counter means for a person, without the full stop; empty where nothing but its name is
/// known. By the kernel's name, TcpExtListenOverflows. Sources: RFC 1213 and RFC 4022 for snmp,
/// Documentation/networking/snmp_counter.rst and include/uapi/linux/snmp.h for netstat.
std::string_view nstat_description(std::string_view kernel_name);

}  // namespace inetdiag
