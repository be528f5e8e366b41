#include "exporter/diagnosis/status_page.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "exporter/build_info.h"
#include "exporter/diagnosis/html.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/phrases.h"
#include "exporter/diagnosis/sparkline.h"
#include "exporter/diagnosis/status_page_assets.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag {
namespace {

using namespace diagnosis;

/// Isolates a name from the direction of the text around it: names may be bidirectional.
std::string isolated(std::string_view text) {
  return text.empty() ? std::string() : "<bdi>" + escape_html(text) + "</bdi>";
}

constexpr std::string_view recent_fill_column = "Last 5 minutes";

/// Returns a bar, with a label for screen readers, and the value that it shows.
std::string value_with_meter(double ratio, std::string_view name, const std::string& value) {
  return fmt::format(
      R"(<div><meter min="0" max="1" low="{}" high="0.999" optimum="0" value="{:.3f}" aria-label="{}"></meter>{}</div>)",
      nearly_full_ratio, std::min(ratio, 1.0), escape_html(name), value);
}

/// Replaces pairs of backticks by an element.
std::string with_code(std::string html) {
  for (auto begin = html.find('`'); begin != std::string::npos; begin = html.find('`', begin)) {
    const auto end = html.find('`', begin + 1);
    if (end == std::string::npos) {
      break;
    }
    html.replace(end, 1, "</code>").replace(begin, 1, "<code>");
  }
  return html;
}

std::string entry(std::string_view term, const std::string& html) {
  return html.empty() ? std::string() : fmt::format("<dt>{}</dt><dd>{}</dd>\n", term, html);
}

std::string finding_html(const Finding& finding, std::optional<double> interval_seconds) {
  const std::string_view severity = name_of(finding.severity);
  std::string html = fmt::format(
      "<li class=\"{0}\"><h3><span class=\"severity\">{0}</span> {1}</h3>\n<p>{2}</p>\n<dl>\n",
      severity, isolated(finding.affected.name), escape_html(finding.summary));
  html += entry("Evidence", escape_html(format_evidence(finding, interval_seconds)));
  html += entry("Limit", escape_html(finding.limit));
  html += entry("Action", with_code(escape_html(finding.action)));
  html += entry("Metric",
                finding.metric.empty() ? "" : "<code>" + escape_html(finding.metric) + "</code>");
  return html + "</dl></li>\n";
}

/// Returns a section of the page; its heading is its name for screen readers.
std::string section_html(std::string_view heading, std::string_view id, const std::string& html) {
  return fmt::format("<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n{2}</section>\n",
                     id, heading, html);
}

/// Screen readers announce a change of the verdict, which has no numbers that always change.
std::string findings_html(const Status& status) {
  const auto severity = status.severity();
  const std::string_view css = severity                 ? name_of(*severity)
                               : status.is_incomplete() ? "warning"
                                                        : "fine";
  std::string html = fmt::format("<p class=\"verdict {}\" role=\"status\">{}</p>\n", css,
                                 isolated(verdict(status)));
  if (const std::string closest = closest_limit(status); !closest.empty()) {
    html += "<p>" + isolated(closest) + "</p>\n";
  }
  if (severity) {
    html += "<ul class=\"findings\" role=\"list\">\n";
    for (const Finding& finding : status.findings) {
      html += finding_html(finding, status.seconds_since_previous);
    }
    html += "</ul>\n";
  }
  return section_html("Findings", "findings", html);
}

// A table that is a list on a narrow screen keeps its meaning by explicit roles.

std::string row_header(const std::string& html) {
  return R"(<tr role="row"><th scope="row" role="rowheader">)" + html + "</th>";
}

std::string cell(std::string_view label, std::string_view html, std::string_view css = "") {
  return fmt::format(R"(<td role="cell"{} data-label="{}">{}</td>)",
                     css.empty() ? "" : fmt::format(" class=\"{}\"", css), label, html);
}

struct Column {
  std::string_view name;
  std::string_view css{};
};

std::string table_html(std::string_view css, std::string_view caption,
                       const std::vector<Column>& columns, const std::string& rows) {
  std::string html = fmt::format(
      "<table role=\"table\" class=\"{}\">\n<caption>{}</caption>\n<thead role=\"rowgroup\"><tr "
      "role=\"row\">",
      css, caption);
  for (const Column& column : columns) {
    html += fmt::format(R"(<th scope="col" role="columnheader"{}>{}</th>)",
                        column.css.empty() ? "" : fmt::format(" class=\"{}\"", column.css),
                        column.name);
  }
  return html + "</tr></thead>\n<tbody role=\"rowgroup\">\n" + rows + "</tbody></table>\n";
}

std::string namespace_html(const std::string& netns, const std::string& pod) {
  return netns.empty()
             ? ""
             : " <span class=\"faint\">" + isolated(pod.empty() ? netns : pod) + "</span>";
}

std::string recent_fill_html(const ListenerRow& row, const std::string& name) {
  if (!row.listener.recent_fill) {
    const bool was_empty = row.is_sampled && row.aggregated <= 0;
    return was_empty ? "<span class=\"faint\">empty</span>" : "";
  }
  return "<div>" + sparkline(row.listener, name) + "<span aria-hidden=\"true\">max " +
         escape_html(highest_recent_fill(row.listener)) + "</span></div>";
}

std::string listener_row(const ListenerRow& row, bool has_recent_fill) {
  const Listener& listener = row.listener;
  const std::string name = row.aggregated > 0 ? "and " + format_number(row.aggregated) + " more"
                                              : listener.endpoint.text();
  const std::string owner = listener.owner.text(row.pod);
  std::string drops = row.new_listen_drops ? format_number(*row.new_listen_drops) : "unknown";
  if (row.new_listen_drops.value_or(0) > 0) {
    drops = "<strong>" + drops + "</strong>";
  }
  return row_header(isolated(name) + namespace_html(row.netns, row.pod)) +
         cell("Owner", owner.empty() ? "<span class=\"faint\">unknown</span>" : isolated(owner)) +
         cell("Accept queue", value_with_meter(listener.fill, "accept queue of " + name,
                                               format_number(listener.queue_length()) + " / " +
                                                   format_number(listener.queue_backlog() + 1))) +
         (has_recent_fill ? cell(recent_fill_column, recent_fill_html(row, name)) : "") +
         cell("SYN queue", listener.half_open ? value_with_meter(listener.syn_fill.value_or(0),
                                                                 "SYN queue of " + name,
                                                                 format_number(*listener.half_open))
                                              : "unknown") +
         cell("Limit set by", name_of(row.limit)) + cell("New drops", drops, "number") + "</tr>\n";
}

std::string listeners_html(const Status& status) {
  if (status.listeners.empty()) {
    const std::string text = status.is_incomplete() ? no_listener_data : "No TCP listeners.";
    return section_html("Listeners", "listeners", "<p>" + text + "</p>\n");
  }
  const bool has_recent_fill =
      std::ranges::any_of(status.listeners, [](const ListenerRow& row) { return row.is_sampled; });
  std::string rows;
  for (const ListenerRow& row : status.listeners) {
    rows += listener_row(row, has_recent_fill);
  }
  std::vector<Column> columns = {{"Address"},
                                 {"Owner"},
                                 {"Accept queue", "accept"},
                                 {"SYN queue", "syn"},
                                 {"Limit set by", "origin"},
                                 {"New drops", "number drops"}};
  if (has_recent_fill) {
    columns.insert(columns.begin() + 3, {recent_fill_column, "recent"});
  }
  return section_html(
      "Listeners", "listeners",
      table_html("listeners",
                 "Fullest first. An accept queue holds one connection more than its backlog. "
                 "When it is full, the kernel drops new connections.",
                 columns, rows));
}

std::string limits_html(const Status& status) {
  std::string rows;
  for (const Usage& usage : status.usages) {
    rows +=
        row_header(escape_html(usage.name) + namespace_html(usage.netns, usage.pod)) +
        cell("Usage", value_with_meter(usage.ratio, usage.name,
                                       format_percent(usage.ratio) + ", " + format_usage(usage))) +
        cell("Limit", isolated(usage.resource)) + "</tr>\n";
  }
  return section_html("Limits", "limits",
                      table_html("limits", "Closest to its limit first.",
                                 {{"Name"}, {"Usage", "usage"}, {"Limit"}}, rows));
}

std::string result_html(const CollectorOutcome& collector) {
  if (collector.success) {
    return "success";
  }
  return collector.error.empty() ? "<strong>failed</strong>, see the log"
                                 : "<strong>failed</strong>: " + escape_html(collector.error);
}

std::string collectors_html(const Status& status, const std::string& metrics) {
  constexpr double milliseconds = 1e3;
  std::string rows;
  for (const CollectorOutcome& collector : status.collectors) {
    rows +=
        row_header(fmt::format("<a href=\"{}?collect[]={}\">{}</a>", metrics, collector.name,
                               collector.name)) +
        cell("Result", result_html(collector)) +
        cell("Duration",
             collector.seconds ? fmt::format("{:.1f} ms", *collector.seconds * milliseconds) : "",
             "number") +
        "</tr>\n";
  }
  return section_html(
      "Collectors", "collectors",
      table_html("collectors", "A name links to the metrics of the collector.",
                 {{"Name", "collector"}, {"Result"}, {"Duration", "number duration"}}, rows));
}

/// What differs between snapshots comes last, so that nothing follows it that would move.
std::string header_html(const Status& status, unsigned refresh_seconds) {
  const std::string refresh = refresh_seconds > 0
                                  ? fmt::format(
                                        "The page refreshes itself every {} s. "
                                        "<a href=\"/?refresh=0\">Stop refreshing</a>",
                                        refresh_seconds)
                                  : "<a href=\"/\">Refresh automatically</a>";
  const std::string growth =
      status.seconds_since_previous
          ? fmt::format("Growth over {:.0f} s", *status.seconds_since_previous)
          : "Growth unknown: first snapshot";
  return fmt::format(
      "<header>\n<h1>{}</h1>\n<p>Queues and limits of the TCP/IP stack</p>\n<p><span "
      "class=\"screen\">{}</span>\n<span>{}</span>\n<span>{}</span></p>\n{}</header>\n",
      escape_html(status.host), refresh, format_time(status.time), growth,
      refresh_seconds > 0 ? "<p id=\"stale\" class=\"screen\" role=\"status\"></p>\n" : "");
}

/// Returns what refreshes the page: a script, or without scripts the browser.
std::string refresh_html(unsigned seconds, std::string_view nonce) {
  return seconds == 0 ? std::string()
                      : fmt::format(
                            "<noscript><meta http-equiv=\"refresh\" content=\"{0}\"></noscript>\n"
                            "<script nonce=\"{1}\" data-seconds=\"{0}\">{2}</script>\n",
                            seconds, nonce, status_page_script);
}

}  // namespace

std::string status_page(const Status& status, const StatusPageLinks& links,
                        std::string_view nonce) {
  const std::string metrics = escape_html(links.metrics);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}{} - inetdiag_exporter</title>\n<style nonce=\"{}\">{}</style>\n{}</head>\n<body>\n"
      "{}<main>\n",
      status.findings.empty() ? "" : format_severity_counts(status.findings) + ": ",
      escape_html(status.host), nonce, status_page_style,
      refresh_html(links.refresh_seconds, nonce), header_html(status, links.refresh_seconds));
  html += findings_html(status) + listeners_html(status) + limits_html(status) +
          collectors_html(status, metrics);
  html += fmt::format(
      "</main>\n<footer><p><a href=\"{}\">Metrics</a>, <a href=\"/api/v1/status\">this page as "
      "JSON</a>. inetdiag_exporter {}.</p></footer>\n</body>\n</html>\n",
      metrics, build_info::version);
  return html;
}

}  // namespace inetdiag
