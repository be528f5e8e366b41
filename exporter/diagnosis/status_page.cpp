#include "exporter/diagnosis/status_page.h"

#include <fmt/format.h>

#include "exporter/build_info.h"
#include "exporter/diagnosis/html.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/phrases.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag {
namespace {

using namespace diagnosis;

constexpr std::string_view style = R"(
:root { color-scheme: light dark;
  --text: #1a1d21; --faint: #5a6270; --back: #ffffff; --card: #f4f5f7; --line: #d9dce1;
  --critical: #b3151b; --warning: #8a5a00; --notice: #0b5cad; --fine: #1a7032; }
@media (prefers-color-scheme: dark) { :root {
  --text: #e8eaed; --faint: #a3abb8; --back: #15181c; --card: #1f242a; --line: #373e47;
  --critical: #ff8a80; --warning: #f2c14e; --notice: #82b8ff; --fine: #7fd18b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--back);
  color: var(--text); font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
a { color: var(--notice); }
p { margin: .3rem 0; }
header p, footer, .faint { color: var(--faint); }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.verdict { font-weight: 600; margin: .6rem 0; }
.critical .severity, .verdict.critical { color: var(--critical); }
.warning .severity, .verdict.warning { color: var(--warning); }
.notice .severity, .verdict.notice { color: var(--notice); }
.verdict.fine { color: var(--fine); }
.findings { list-style: none; margin: 0; padding: 0; }
.findings > li { background: var(--card); border-left: .3rem solid var(--notice);
  border-radius: .3rem; margin: .6rem 0; padding: .6rem .8rem; overflow-wrap: anywhere; }
.findings > .critical { border-color: var(--critical); }
.findings > .warning { border-color: var(--warning); }
.findings h3 { font-size: 1rem; margin: 0; }
.severity { text-transform: uppercase; font-size: .8rem; letter-spacing: .04em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .4rem 0 0; }
dt { color: var(--faint); } dd { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left;
  vertical-align: baseline; }
th { color: var(--faint); font-weight: 500; font-size: .85rem; }
tbody th { color: inherit; font-size: 1rem; overflow-wrap: anywhere; min-width: 9rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
meter { width: 5rem; height: .8rem; margin-right: .4rem; vertical-align: baseline; }
footer { margin-top: 2rem; font-size: .9rem; }
@media (max-width: 40rem) {
  body { padding: .7rem; }
  .listeners thead, .limits thead { position: absolute; clip-path: inset(50%); }
  .listeners tr, .limits tr { display: block; border-bottom: 1px solid var(--line);
    padding: .4rem 0; }
  .listeners th, .listeners td, .limits th, .limits td { display: block; border: 0; padding: 0;
    text-align: left; }
  td::before { content: attr(data-label) " "; color: var(--faint); }
}
)";

/// Isolates a name from the direction of the text around it: names may be bidirectional.
std::string isolated(std::string_view text) {
  return text.empty() ? std::string() : "<bdi>" + escape_html(text) + "</bdi>";
}

/// Returns a bar with a label for screen readers.
std::string meter(double ratio, std::string_view name) {
  return fmt::format(
      R"(<meter min="0" max="1" low="{}" high="0.999" optimum="0" value="{:.3f}" aria-label="{}"></meter>)",
      nearly_full_ratio, std::min(ratio, 1.0), escape_html(name));
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

std::string findings_html(const Status& status) {
  const auto severity = status.severity();
  if (!severity) {
    return fmt::format("<p class=\"verdict {}\">{}</p>\n",
                       status.is_incomplete() ? "warning" : "fine", escape_html(headline(status)));
  }
  std::string html = fmt::format("<p class=\"verdict {}\">{}</p>\n<ul class=\"findings\">\n",
                                 name_of(*severity), isolated(headline(status)));
  for (const Finding& finding : status.findings) {
    html += finding_html(finding, status.seconds_since_previous);
  }
  return html + "</ul>\n";
}

std::string cell(std::string_view label, std::string_view html, std::string_view css = "") {
  return fmt::format(R"(<td role="cell"{} data-label="{}">{}</td>)",
                     css.empty() ? "" : fmt::format(" class=\"{}\"", css), label, html);
}

std::string namespace_html(const std::string& netns, const std::string& pod) {
  return netns.empty()
             ? ""
             : " <span class=\"faint\">" + isolated(pod.empty() ? netns : pod) + "</span>";
}

std::string listener_row(const ListenerRow& row) {
  const Listener& listener = row.listener;
  const std::string name = row.aggregated > 0 ? "and " + format_number(row.aggregated) + " more"
                                              : listener.endpoint.text();
  const std::string owner = listener.owner.text(row.pod);
  std::string drops = row.new_listen_drops ? format_number(*row.new_listen_drops) : "unknown";
  if (row.new_listen_drops.value_or(0) > 0) {
    drops = "<strong>" + drops + "</strong>";
  }
  return R"(<tr role="row"><th scope="row" role="rowheader">)" + isolated(name) +
         namespace_html(row.netns, row.pod) + "</th>" +
         cell("Owner", owner.empty() ? "<span class=\"faint\">unknown</span>" : isolated(owner)) +
         cell("Accept queue", meter(listener.fill, "accept queue of " + name) +
                                  format_number(listener.queue_length()) + " / " +
                                  format_number(listener.queue_backlog() + 1)) +
         cell("SYN queue", listener.half_open
                               ? meter(listener.syn_fill.value_or(0), "SYN queue of " + name) +
                                     format_number(*listener.half_open)
                               : "unknown") +
         cell("Limit set by", name_of(row.limit)) + cell("New drops", drops, "number") + "</tr>\n";
}

std::string listeners_html(const Status& status) {
  std::string html = "<h2>Listeners</h2>\n";
  if (status.listeners.empty()) {
    return html + "<p>" + (status.is_incomplete() ? no_listener_data : "No TCP listeners.") +
           "</p>\n";
  }
  html +=
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Listeners\"><table "
      "role=\"table\" class=\"listeners\">\n<thead><tr><th scope=\"col\">Address"
      "</th><th scope=\"col\">Owner</th><th scope=\"col\">Accept queue</th><th scope=\"col\">SYN "
      "queue</th><th scope=\"col\">Limit set by</th><th scope=\"col\" class=\"number\">New "
      "drops</th>"
      "</tr></thead>\n<tbody>\n";
  for (const ListenerRow& row : status.listeners) {
    html += listener_row(row);
  }
  return html +
         "</tbody></table></div>\n<p class=\"faint\">An accept queue holds one connection more "
         "than its backlog. When it is full, the kernel drops new connections.</p>\n";
}

std::string limits_html(const Status& status) {
  std::string html =
      "<h2>Limits</h2>\n<div class=\"scroll\"><table role=\"table\" "
      "class=\"limits\">\n<thead><tr><th "
      "scope=\"col\">Name</th><th scope=\"col\">Usage</th><th scope=\"col\">Limit</th></tr></thead>"
      "\n<tbody>\n";
  for (const Usage& usage : status.usages) {
    html += R"(<tr role="row"><th scope="row" role="rowheader">)" + escape_html(usage.name) +
            namespace_html(usage.netns, usage.pod) + "</th>" +
            cell("Usage", meter(usage.ratio, usage.name) + format_percent(usage.ratio) + ", " +
                              format_usage(usage)) +
            cell("Limit", isolated(usage.resource)) + "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string collectors_html(const Status& status, const std::string& metrics) {
  std::string html =
      "<h2>Collectors</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Name</th>"
      "<th scope=\"col\">Result</th><th scope=\"col\" class=\"number\">Duration</th></tr></thead>\n"
      "<tbody>\n";
  for (const CollectorOutcome& collector : status.collectors) {
    constexpr double milliseconds = 1e3;
    html += fmt::format(
        "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\"><a "
        "href=\"{}?collect[]={}\">{}</a></th><td>{}</td><td "
        "class=\"number\">{}</td></tr>\n",
        metrics, collector.name, collector.name,
        collector.success         ? "success"
        : collector.error.empty() ? "<strong>failed</strong>, see the log"
                                  : "<strong>failed</strong>: " + escape_html(collector.error),
        collector.seconds ? fmt::format("{:.1f} ms", *collector.seconds * milliseconds) : "");
  }
  return html + "</tbody></table></div>\n";
}

std::string refresh_html(unsigned seconds) {
  return seconds > 0
             ? fmt::format(
                   "The page refreshes itself every {} s (<a href=\"/?refresh=0\">stop</a>).",
                   seconds)
             : "<a href=\"/\">Refresh automatically</a>.";
}

}  // namespace

std::string status_page(const Status& status, const StatusPageLinks& links,
                        std::string_view nonce) {
  const std::string metrics = escape_html(links.metrics);
  const std::string host = escape_html(status.host);
  const std::string refresh =
      links.refresh_seconds > 0
          ? fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", links.refresh_seconds)
          : "";
  const std::string interval =
      status.seconds_since_previous
          ? fmt::format("growth over {:.0f} s", *status.seconds_since_previous)
          : "no previous snapshot, growth unknown";
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{}"
      "<title>{}{} - inetdiag_exporter</title>\n<style nonce=\"{}\">{}</style>\n</head>\n<body>\n"
      "<header><h1>{}</h1>\n<p>Queues and limits of the TCP/IP stack, {}; {}. {}</p></header>\n"
      "<main>\n",
      refresh, status.findings.empty() ? "" : format_severity_counts(status.findings) + ": ", host,
      nonce, style, host, format_time(status.time), interval, refresh_html(links.refresh_seconds));
  html += findings_html(status) + listeners_html(status) + limits_html(status) +
          collectors_html(status, metrics);
  html += fmt::format(
      "</main>\n<footer><p><a href=\"{}\">Metrics</a>, <a href=\"/api/v1/status\">this page as "
      "JSON</a>. inetdiag_exporter {}.</p></footer>\n</body>\n</html>\n",
      metrics, build_info::version);
  return html;
}

}  // namespace inetdiag
