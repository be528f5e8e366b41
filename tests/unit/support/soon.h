#pragma once

#include <chrono>

#include "collectors/kernel/base/deadline.h"

namespace inetdiag::testing {

/// A deadline that a test does not reach.
inline kernel::Deadline soon() { return kernel::Deadline::in(std::chrono::seconds(10)); }

}  // namespace inetdiag::testing
