#pragma once

#include <cmath>

namespace inetdiag {

/// Whether the value is an integer of at most 2^53, up to which a double represents every integer.
inline bool is_exact_integer(double value) {
  return value == std::trunc(value) && std::abs(value) <= 9007199254740992.0;
}

}  // namespace inetdiag
