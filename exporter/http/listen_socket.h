#pragma once

#include <cstdint>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/listen_address.h"

namespace inetdiag {

/// Returns a non-blocking listening socket. Replaces the file of a UNIX socket that no process
/// listens on any more. Throws std::runtime_error with a message that says what to do.
kernel::UniqueFd listen_on(const ListenAddress& address);

/// Returns the local port of an IPv4 or IPv6 socket. Throws std::system_error.
std::uint16_t local_port(int fd);

/// Returns the local address of an IPv4, IPv6 or UNIX socket. Throws std::system_error.
ListenAddress local_address(int fd);

}  // namespace inetdiag
