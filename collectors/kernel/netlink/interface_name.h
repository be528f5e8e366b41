#pragma once

#include <cstdint>
#include <string>

namespace inetdiag::kernel {

/// The name of a network interface in the namespace of the calling thread, or `if<index>`, the
/// notation of ip-link(8), where it is gone. Throws std::system_error where it
/// cannot be asked for.
std::string interface_name(std::uint32_t index);

}  // namespace inetdiag::kernel
