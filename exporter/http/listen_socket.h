#pragma once

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/listen_address.h"

namespace inetdiag {

/// A socket that listens there, without waiting in accept(). Throws std::runtime_error with a text
/// that says what to do.
kernel::UniqueFd listen_on(const ListenAddress& address);

}  // namespace inetdiag
