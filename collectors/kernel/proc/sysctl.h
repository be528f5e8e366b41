#pragma once

#include <string>
#include <string_view>

namespace inetdiag::kernel {

/// Returns the path below procfs of a sysctl, by the rules of sysctl(8): if the first separator of
/// `name` is a dot, dots separate components and a slash is a literal dot
/// (`net.ipv4.conf.eth0/1.rp_filter`); else slashes separate and dots are literal. Returns an empty
/// string if the name is invalid or leads out of /proc/sys.
std::string sysctl_path(std::string_view name);

}  // namespace inetdiag::kernel
