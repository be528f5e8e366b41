#include "collectors/kernel/proc/process.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {

std::optional<TaskStat> parse_task_stat(std::string_view text) {
  // The name may contain parentheses, blanks and newlines; nothing after it does.
  const std::size_t begin = text.find('(');
  const std::size_t end = text.rfind(')');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(end + 1);
  const std::string_view state = next_word(rest);
  const auto parent = to_number<pid_t>(next_word(rest));
  const auto skip = [&rest](int fields) {
    for (int i = 0; i < fields; ++i) {
      next_word(rest);
    }
  };
  constexpr int from_pgrp_to_cmajflt = 9;
  constexpr int from_cutime_to_itrealvalue = 6;
  skip(from_pgrp_to_cmajflt);
  const auto user = to_number<std::uint64_t>(next_word(rest));
  const auto system = to_number<std::uint64_t>(next_word(rest));
  skip(from_cutime_to_itrealvalue);
  const auto start = to_number<std::uint64_t>(next_word(rest));
  if (state.size() != 1 || !user || !system) {
    return std::nullopt;
  }
  return TaskStat{.comm = std::string(text.substr(begin + 1, end - begin - 1)),
                  .state = state.front(),
                  .parent = parent.value_or(0),
                  .cpu_ticks = *user + *system,
                  .start_ticks = start.value_or(0)};
}

std::optional<ScheduleTimes> parse_schedule_times(std::string_view text) {
  const auto on_cpu = to_number<std::uint64_t>(next_word(text));
  const auto waiting = to_number<std::uint64_t>(next_word(text));
  return on_cpu && waiting ? std::optional(ScheduleTimes{*on_cpu, *waiting}) : std::nullopt;
}

std::optional<std::uint64_t> parse_open_files_limit(std::string_view text) {
  constexpr std::string_view name = "Max open files";
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (line.starts_with(name)) {
      line.remove_prefix(name.size());
      return to_number<std::uint64_t>(next_word(line));
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_socket_link(std::string_view target) {
  constexpr std::string_view prefix = "socket:[";
  if (!target.starts_with(prefix) || !target.ends_with(']')) {
    return std::nullopt;
  }
  target.remove_prefix(prefix.size());
  target.remove_suffix(1);
  return to_number<std::uint64_t>(target);
}

std::string_view task_state_name(char state) {
  switch (state) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'D':
      return "uninterruptible";
    case 'T':
      return "stopped";
    case 't':
      return "traced";
    default:
      return "other";
  }
}

}  // namespace inetdiag::kernel
