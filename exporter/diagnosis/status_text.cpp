#include "exporter/diagnosis/status_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/phrases.h"
#include "exporter/diagnosis/terminal.h"

namespace inetdiag::diagnosis {
namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t max_idle_rows = 20;
// Limits of other namespaces stand in the table from here on: there can be hundreds of them.
constexpr double notable_in_other_namespace = 0.5;

class Painter {
 public:
  explicit Painter(bool in_colour) : in_colour_(in_colour) {}

  std::string severity(Severity severity, const std::string& text) const {
    switch (severity) {
      case Severity::critical:
        return painted("1;31", text);
      case Severity::warning:
        return painted("1;33", text);
      default:
        return painted("1;36", text);
    }
  }
  std::string heading(const std::string& text) const { return painted("1", text); }

 private:
  std::string painted(const char* code, const std::string& text) const {
    return in_colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }

  bool in_colour_;
};

/// `[######....]`: as many as are full, and at least one where there is anything.
std::string bar(double ratio, int width) {
  int full = static_cast<int>(std::floor(std::clamp(ratio, 0.0, 1.0) * width));
  if (ratio > 0) {
    full = std::max(full, 1);
  }
  return "[" + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(width - full), '.') + "]";
}

/// One labelled paragraph below a finding.
std::string paragraph(std::string_view label, const std::string& text) {
  constexpr std::size_t label_width = 10;
  if (text.empty()) {
    return {};
  }
  if (text.find(' ') == std::string::npos && label_width + display_width(text) > columns) {
    return fmt::format("  {}\n    {}\n", label, printable(text));
  }
  return wrapped(fmt::format("  {:<{}}", label, label_width - 2), printable(text), label_width,
                 columns);
}

std::string finding_text(const Finding& finding, std::optional<double> seconds,
                         const Painter& painter) {
  std::string severity(name_of(finding.severity));
  std::ranges::transform(severity, severity.begin(),
                         [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  std::string text =
      painter.severity(finding.severity, severity) + "  " + printable(finding.affected.name) + "\n";
  text += wrapped("  ", printable(finding.summary), 2, columns);
  text += paragraph("figures", evidence_text(finding, seconds));
  text += paragraph("limit", finding.limit);
  text += paragraph("do", finding.action);
  text += paragraph("watch", finding.metric);
  return text + "\n";
}

/// The column of owners is narrow, and nearly all of them are services.
std::string owner_text(const Owner& owner) {
  constexpr std::string_view usual = ".service";
  std::string text = printable(owner.text());
  if (text.ends_with(usual)) {
    text.resize(text.size() - usual.size());
  }
  return text;
}

std::string queue_text(double length, double limit, double fill) {
  constexpr int bar_width = 4;
  constexpr std::size_t widest = 9;
  std::string text = number_text(length) + "/" + number_text(limit);
  if (text.size() > widest) {
    text = short_number_text(length, 4) + "/" + short_number_text(limit, 4);
  }
  return bar(fill, bar_width) + " " + text;
}

/// A name that is too long for its column gets a line of its own.
std::string row(const std::string& name, const std::string& owner, const std::string& accept,
                const std::string& syn, const std::string& limit, const std::string& drops) {
  constexpr std::size_t name_width = 21;
  constexpr std::size_t owner_width = 11;
  std::string line = name;
  const std::string shown_owner = shortened(owner, owner_width);
  if (display_width(name) > name_width) {
    line += "\n" + std::string(name_width, ' ');
  } else {
    line += std::string(name_width - display_width(name), ' ');
  }
  line += " " + shown_owner + std::string(owner_width - display_width(shown_owner), ' ');
  line += fmt::format(" {:<16} {:<11} {:<10} {:>6}", accept, syn, limit, drops);
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  return line + "\n";
}

std::string listener_table(const Status& status, const Painter& painter) {
  const std::vector<ListenerRow>& rows = status.listeners;
  if (status.is_incomplete()) {
    return std::string(listeners_unknown) + "\n\n";
  }
  if (rows.empty()) {
    return "No TCP listeners.\n\n";
  }
  std::string text = painter.heading("Listeners, fullest first") +
                     " (a queue holds one more than its backlog)\n" +
                     row("address:port", "owner", "accept queue", "SYN queue", "limit by", "drops");
  std::size_t quiet = 0;
  for (const ListenerRow& each : rows) {
    const Listener& listener = each.listener;
    if (listener.fill <= 0 && listener.syn_fill.value_or(0) <= 0 &&
        listener.drops.value_or(0) <= 0 && ++quiet > max_idle_rows) {
      continue;
    }
    const std::string place =
        each.netns.empty() ? "" : " @" + (each.pod.empty() ? each.netns : each.pod);
    const std::string limit =
        each.limit == BacklogLimit::former_somaxconn ? "was higher" : short_text(each.limit);
    text += row(printable(listener.endpoint.text() + place), owner_text(listener.owner),
                queue_text(listener.waiting, listener.backlog, listener.fill),
                listener.half_open ? bar(listener.syn_fill.value_or(0), 4) + " " +
                                         short_number_text(*listener.half_open, 4)
                                   : "?",
                limit, listener.drops ? short_number_text(*listener.drops, 6) : "?");
  }
  if (quiet > max_idle_rows) {
    text += fmt::format("and {} more with empty queues and no drops\n", quiet - max_idle_rows);
  }
  return text + "\n";
}

std::string usage_table(const std::vector<Usage>& usages, const Painter& painter) {
  std::string text = painter.heading("Limits") + "\n";
  constexpr int bar_width = 10;
  for (const Usage& usage : usages) {
    if (!usage.netns.empty() && usage.ratio < notable_in_other_namespace) {
      continue;
    }
    text += fmt::format("{:<26} {} {:>5}  {}", usage.name, bar(usage.ratio, bar_width),
                        percent_text(usage.ratio), usage_text(usage));
    text += usage.netns.empty() ? "\n" : "\n   " + printable(where(usage.netns, usage.pod)) + "\n";
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
  return wrapped("",
                 failed.empty() ? fmt::format("{} collectors succeeded.", collectors.size())
                                : "Failed collectors: " + failed + ".",
                 0, columns);
}

}  // namespace

std::string status_text(const Status& status, bool in_colour) {
  const Painter painter(in_colour);
  const auto severity = status.severity();
  std::string text = painter.heading(printable(status.host)) + ", " + time_text(status.time) + "\n";
  if (severity) {
    text += painter.severity(*severity, count_text(status.findings)) + "\n\n";
  } else {
    text += wrapped("", printable(no_findings_text(status)), 0, columns) + "\n";
  }
  for (const Finding& finding : status.findings) {
    text += finding_text(finding, status.seconds_since_previous, painter);
  }
  text += listener_table(status, painter);
  text += usage_table(status.usages, painter);
  return text + collector_line(status.collectors);
}

}  // namespace inetdiag::diagnosis
