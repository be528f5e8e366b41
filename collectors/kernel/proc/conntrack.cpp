#include "collectors/kernel/proc/conntrack.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {

std::map<std::string, std::uint64_t, std::less<>> parse_conntrack(std::string_view text) {
  std::map<std::string, std::uint64_t, std::less<>> sums;
  const std::string_view header = next_line(text);
  while (!text.empty()) {
    std::string_view values = next_line(text);
    std::string_view names = header;
    while (true) {
      const std::string_view name = next_word(names);
      const auto value = hex_number(next_word(values));
      if (name.empty() || !value) {
        break;
      }
      sums[std::string(name)] += *value;
    }
  }
  return sums;
}

}  // namespace inetdiag::kernel
