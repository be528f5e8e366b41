#include "collectors/kernel/proc/capabilities.h"

#include <limits>

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {

bool has_capability(std::string_view proc_status, unsigned capability) {
  while (!proc_status.empty()) {
    std::string_view line = next_line(proc_status);
    if (cut(line, ':') == "CapEff") {
      const auto set = hex_number(trimmed(line));
      return set && capability < std::numeric_limits<std::uint64_t>::digits &&
             ((*set >> capability) & 1U) != 0;
    }
  }
  return false;
}

}  // namespace inetdiag::kernel
