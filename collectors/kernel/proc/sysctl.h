#pragma once

#include <string>
#include <string_view>

namespace inetdiag::kernel {

/// The file below procfs of a sysctl by its name, after sysctl(8): where the first separator is a
/// dot, dots separate and a slash stands for a dot inside a component
/// (`net.ipv4.conf.eth0/1.rp_filter`); where it is a slash, slashes separate and dots stay. Empty
/// for a name that is none, or that would lead out of /proc/sys.
std::string sysctl_path(std::string_view name);

}  // namespace inetdiag::kernel
