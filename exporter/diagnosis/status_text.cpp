#include "exporter/diagnosis/status_text.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/painter.h"
#include "exporter/diagnosis/phrases.h"
#include "exporter/diagnosis/terminal.h"

namespace inetdiag::diagnosis {
namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t max_idle_rows = 20;
// The table omits limits of other namespaces below this ratio: there can be hundreds of namespaces.
constexpr double min_ratio_in_other_namespace = 0.5;

std::string paragraph(std::string_view label, const std::string& text) {
  constexpr std::size_t label_width = 12;
  if (text.empty()) {
    return {};
  }
  if (text.find(' ') == std::string::npos && label_width + display_width(text) > columns) {
    return fmt::format("  {}\n    {}\n", label, replace_controls(text));
  }
  return wrap(fmt::format("  {:<{}}", label, label_width - 2), replace_controls(text), label_width,
              columns);
}

std::string finding_text(const Finding& finding, std::optional<double> interval_seconds,
                         const Painter& painter) {
  std::string text = painter.severity(finding.severity, upper_name_of(finding.severity)) + "  " +
                     replace_controls(finding.affected.name) + "\n";
  text += wrap("  ", replace_controls(finding.summary), 2, columns);
  text += paragraph("evidence", format_evidence(finding, interval_seconds));
  text += paragraph("limit", finding.limit);
  text += paragraph("action", finding.action);
  text += paragraph("metric", finding.metric);
  text += paragraph("rule", finding.rule);
  return text + "\n";
}

/// Omits the suffix `.service` to fit the narrow column.
std::string owner_text(const Owner& owner) {
  constexpr std::string_view suffix = ".service";
  std::string text = replace_controls(owner.short_text());
  if (text.ends_with(suffix)) {
    text.resize(text.size() - suffix.size());
  }
  return text;
}

std::string queue_text(double length, double limit, double fill) {
  constexpr int bar_width = 4;
  constexpr std::size_t max_width = 9;
  std::string text = format_number(length) + "/" + format_number(limit);
  if (text.size() > max_width) {
    text = format_short_number(length, 4) + "/" + format_short_number(limit, 4);
  }
  return bar(fill, bar_width) + " " + text;
}

/// Puts a name that is too long for its column on its own line.
std::string table_line(const std::string& name, const std::string& owner, const std::string& accept,
                       const std::string& syn, const std::string& limit, const std::string& drops) {
  constexpr std::size_t name_width = 20;
  constexpr std::size_t owner_width = 12;  // of a container ID
  std::string line = name;
  const std::string short_owner = truncate(owner, owner_width);
  if (display_width(name) > name_width) {
    line += "\n" + std::string(name_width, ' ');
  } else {
    line += std::string(name_width - display_width(name), ' ');
  }
  line += " " + short_owner + std::string(owner_width - display_width(short_owner), ' ');
  line += fmt::format(" {:<16} {:<11} {:<10} {:>6}", accept, syn, limit, drops);
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  return line + "\n";
}

/// Returns the endpoint, or the number of aggregated listeners, with the namespace and the pod.
std::string name_of(const ListenerRow& row) {
  std::string name = row.aggregated > 0 ? "and " + format_number(row.aggregated) + " more"
                                        : row.listener.endpoint.text();
  if (!row.netns.empty()) {
    name += " @" + (row.pod.empty() ? row.netns : row.pod);
  }
  const std::string pod = row.listener.owner.pod();
  if (!pod.empty() && pod != row.pod) {
    name += " (pod " + pod + ")";
  }
  return name;
}

std::string listener_table(const Status& status, const Painter& painter) {
  if (status.is_incomplete()) {
    return std::string(no_listener_data) + "\n\n";
  }
  if (status.listeners.empty()) {
    return "No TCP listeners.\n\n";
  }
  std::string text =
      painter.heading("Listeners, fullest first") + " (an accept queue holds its backlog + 1" +
      (status.seconds_since_previous
           ? "; drops in " + format_duration(*status.seconds_since_previous)
           : "") +
      ")\n" +
      table_line("address:port", "owner", "accept queue", "SYN queue", "limited by", "drops");
  std::size_t idle = 0;
  for (const ListenerRow& row : status.listeners) {
    const Listener& listener = row.listener;
    if (listener.fill <= 0 && listener.syn_fill.value_or(0) <= 0 &&
        row.new_listen_drops.value_or(0) <= 0 && row.aggregated <= 0 && ++idle > max_idle_rows) {
      continue;
    }
    const std::string limit = row.limit == BacklogLimit::former_somaxconn
                                  ? "former max"
                                  : std::string(name_of(row.limit));
    text += table_line(
        replace_controls(name_of(row)), owner_text(listener.owner),
        queue_text(listener.queue_length(), listener.queue_backlog() + 1, listener.fill),
        listener.half_open ? bar(listener.syn_fill.value_or(0), 4) + " " +
                                 format_short_number(*listener.half_open, 4)
                           : "?",
        limit, row.new_listen_drops ? format_short_number(*row.new_listen_drops, 6) : "?");
  }
  if (idle > max_idle_rows) {
    text += fmt::format("and {} more with empty queues and no new drops\n", idle - max_idle_rows);
  }
  return text + "\n";
}

std::string usage_table(const std::vector<Usage>& usages, const Painter& painter) {
  std::string text = painter.heading("Limits") + "\n";
  constexpr int bar_width = 10;
  for (const Usage& usage : usages) {
    if (!usage.netns.empty() && usage.ratio < min_ratio_in_other_namespace) {
      continue;
    }
    text += fmt::format("{:<26} {} {:>5}  {}", usage.name, bar(usage.ratio, bar_width),
                        format_percent(usage.ratio), format_usage(usage));
    text += usage.netns.empty()
                ? "\n"
                : "\n   " + replace_controls(in_namespace(usage.netns, usage.pod)) + "\n";
  }
  return text + "\n";
}

std::string collector_line(const std::vector<CollectorOutcome>& collectors) {
  std::string failed;
  for (const CollectorOutcome& collector : collectors) {
    if (!collector.success) {
      failed.append(failed.empty() ? "" : ", ").append(collector.name);
    }
  }
  return wrap("",
              failed.empty() ? fmt::format("{} collectors succeeded.", collectors.size())
                             : "Failed collectors: " + failed + ".",
              0, columns);
}

}  // namespace

std::string status_text(const Status& status, bool use_color, std::string_view after_findings) {
  const Painter painter(use_color);
  const auto severity = status.severity();
  std::string text =
      painter.heading(replace_controls(status.host)) + ", " + format_time(status.time) + "\n";
  const std::string verdict = wrap("", replace_controls(headline(status)), 0, columns);
  text += severity ? painter.severity(*severity, verdict) : verdict;
  text += "\n";
  for (const Finding& finding : status.findings) {
    text += finding_text(finding, status.seconds_since_previous, painter);
  }
  text += after_findings;
  text += listener_table(status, painter);
  text += usage_table(status.usages, painter);
  return text + collector_line(status.collectors);
}

}  // namespace inetdiag::diagnosis
