#include "collectors/kernel/proc/sockstat.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {

std::optional<std::uint64_t> sockstat_value(std::string_view text, std::string_view protocol,
                                            std::string_view key) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (cut(line, ':') != protocol) {
      continue;
    }
    while (!line.empty()) {
      const std::string_view name = next_word(line);
      const std::string_view value = next_word(line);
      if (name == key) {
        return to_number<std::uint64_t>(value);
      }
    }
  }
  return std::nullopt;
}

}  // namespace inetdiag::kernel
