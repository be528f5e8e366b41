#include "collectors/kernel/proc/stat_table.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {

std::map<std::string, StatColumn, std::less<>> parse_stat_table(std::string_view text) {
  std::map<std::string, StatColumn, std::less<>> columns;
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
      columns.try_emplace(std::string(name), StatColumn{.sum = 0, .first = *value})
          .first->second.sum += *value;
    }
  }
  return columns;
}

}  // namespace inetdiag::kernel
