#include "collectors/kernel/proc/counter_file.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

/// Calls `each(group, name, value)` for every counter in pairs of lines.
template <typename Each>
void for_each_pair(std::string_view text, Each each) {
  while (!text.empty()) {
    std::string_view names = next_line(text);
    const std::string_view group = cut(names, ':');
    const std::size_t next_colon = text.find(':');
    if (group.empty() || next_colon == std::string_view::npos ||
        text.substr(0, next_colon) != group) {
      continue;
    }
    std::string_view values = next_line(text);
    cut(values, ':');
    while (true) {
      const std::string_view name = next_word(names);
      const std::string_view word = next_word(values);
      if (name.empty() || word.empty()) {
        break;
      }
      each(group, name, word);
    }
  }
}

}  // namespace

void parse_counter_pairs(std::string_view text, const EachCounter& each) {
  for_each_pair(text, [&](std::string_view group, std::string_view name, std::string_view word) {
    if (const auto value = to_double(word)) {
      each({group, name, *value});
    }
  });
}

std::optional<std::uint64_t> find_counter(std::string_view text, std::string_view group,
                                          std::string_view name) {
  std::optional<std::uint64_t> value;
  for_each_pair(
      text, [&](std::string_view each_group, std::string_view each_name, std::string_view word) {
        if (each_group != group || each_name != name) {
          return;
        }
        if (to_number<std::int64_t>(word)) {
          value = to_number<std::uint64_t>(word).value_or(0);
        } else if (to_number<std::uint64_t>(word)) {
          value = 0;
        }
      });
  return value;
}

void parse_counter_lines(std::string_view text, const EachCounter& each) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    const std::string_view kernel_name = next_word(line);
    const std::size_t six = kernel_name.find('6');
    const auto value = to_double(next_word(line));
    if (six == std::string_view::npos || six + 1 == kernel_name.size() || !value) {
      continue;
    }
    each({kernel_name.substr(0, six + 1), kernel_name.substr(six + 1), *value});
  }
}

}  // namespace inetdiag::kernel
