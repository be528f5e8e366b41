#include "collectors/kernel/proc/softnet.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

// Column indices.
constexpr std::size_t processed = 0;
constexpr std::size_t dropped = 1;
constexpr std::size_t time_squeezed = 2;
constexpr std::size_t received_rps = 9;
constexpr std::size_t flow_limit = 10;
constexpr std::size_t backlog_length = 11;
constexpr std::size_t cpu = 12;

std::vector<std::uint64_t> parse_columns(std::string_view line) {
  std::vector<std::uint64_t> columns;
  while (true) {
    const std::string_view word = next_word(line);
    if (word.empty()) {
      return columns;
    }
    const auto value = hex_number(word);
    if (!value) {
      return {};
    }
    columns.push_back(*value);
  }
}

}  // namespace

std::vector<SoftnetCpu> parse_softnet(std::string_view text) {
  std::vector<SoftnetCpu> cpus;
  for (std::uint64_t line = 0; !text.empty(); ++line) {
    const std::vector<std::uint64_t> columns = parse_columns(next_line(text));
    const auto optional = [&](std::size_t column) {
      return column < columns.size() ? std::optional(columns[column]) : std::nullopt;
    };
    if (columns.size() <= time_squeezed) {
      continue;
    }
    cpus.push_back({.cpu = optional(cpu).value_or(line),
                    .processed = columns[processed],
                    .dropped = columns[dropped],
                    .time_squeezed = columns[time_squeezed],
                    .received_rps = optional(received_rps),
                    .flow_limit = optional(flow_limit),
                    .backlog_length = optional(backlog_length)});
  }
  return cpus;
}

}  // namespace inetdiag::kernel
