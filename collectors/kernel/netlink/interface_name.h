#pragma once

#include <cstdint>
#include <string>

namespace inetdiag::kernel {

/// Returns the name of a network interface in the namespace of the calling thread, or `if<index>`
/// as ip-link(8) if it no longer exists. Throws std::system_error.
std::string interface_name(std::uint32_t index);

}  // namespace inetdiag::kernel
