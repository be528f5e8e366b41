#include "exporter/diagnosis/phrases.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

struct Verdict {
  std::string_view rule;
  std::string_view text;  ///< follows the name of what is affected
};

// Rules that are not listed here have the verdict `needs attention`.
constexpr auto verdicts = std::to_array<Verdict>({
    {"cookies_and_full_accept_queue", "leaves clients hanging that believe they are connected"},
    {"accept_queue_full", "has a full accept queue"},
    {"listener_stuck", "accepts no connections"},
    {"reuseport_member_stuck", "has a socket that accepts no connections"},
    {"abandoned_connections", "accepts connections after the client has gone"},
    {"accept_queue_bursts", "has a full accept queue at times"},
    {"accept_queue_slow", "accepts connections late"},
    {"listener_dropping", "drops clients"},
    {"accept_queue_nearly_full", "has a nearly full accept queue"},
    {"listen_drops", "drops clients"},
    {"syn_queue_full", "has a full SYN queue"},
    {"syn_queue_nearly_full", "has a nearly full SYN queue"},
    {"syns_dropped", "drops SYNs"},
    {"syn_cookies_sent", "sends SYN cookies"},
    {"syn_cookies_unanswered", "gets few SYN cookies back"},
    {"syn_acks_unanswered", "gets no answer to its SYN-ACKs"},
    {"udp_dropping", "drops datagrams"},
    {"udp_buffer_full", "has a full receive buffer"},
    {"unix_queue_full", "has a full accept queue"},
    {"unix_listener_stuck", "has connections that wait"},
    {"unix_datagrams_unread", "has unread datagrams"},
    {"conntrack_full", "has been reached"},
    {"tcp_memory_full", "has been reached"},
    {"orphans_full", "has been reached"},
    {"orphans_reset", "makes the kernel reset connections"},
    {"time_wait_full", "has been reached"},
    {"ephemeral_ports_exhausted", "is exhausted for one destination"},
    {"softnet_dropping", "drops packets"},
    {"many_close_wait", "has connections that its program does not close"},
    {"program_not_reading", "has connections that its program does not read"},
    {"peers_unreachable", "receives no ACKs"},
    {"peers_not_reading", "has peers that read slowly or not at all"},
    {"closing_stalled", "has connections that cannot close"},
    {"retransmissions", "loses packets"},
    {"syn_sent_waiting", "gets no answer"},
    {"connects_failing", "has outgoing connections that fail"},
    {"neighbour_table_full", "has been reached"},
    {"fragments_full", "has been reached"},
    {"open_files_exhausted", "has been reached"},
    {"qdisc_dropping", "drops packets"},
    {"qdisc_rate_exceeded", "drops packets"},
    {"netlink_messages_lost", "lose messages"},
    {"raw_packets_dropped", "drop packets"},
    {"packet_socket_drops", "drop packets"},
    {"collector_failed", "failed"},
});

// These follow "outgoing connections".
constexpr auto outgoing_verdicts = std::to_array<Verdict>({
    {"many_close_wait", "are not closed by their program"},
    {"program_not_reading", "are not read by their program"},
    {"peers_unreachable", "receive no ACKs"},
    {"peers_not_reading", "have peers that read slowly or not at all"},
});

/// Returns whether clients are being dropped, rather than were at some time in a long interval.
bool is_dropping(const Finding& finding, const Status& status) {
  return finding.damage.per_second > 0 &&
         status.seconds_since_previous.value_or(0) <= max_present_seconds;
}

std::string_view verdict_of(const Finding& finding, const Status& status) {
  if (finding.affected.kind == "listener" && finding.damage.per_second > 0 &&
      finding.rule != "cookies_and_full_accept_queue") {
    return is_dropping(finding, status) ? "is dropping clients" : "dropped clients";
  }
  const auto port = finding.affected.labels.find("port");
  const bool is_outgoing = port != finding.affected.labels.end() && port->second == "outgoing";
  const auto all = is_outgoing ? std::span<const Verdict>(outgoing_verdicts) : verdicts;
  const auto found = std::ranges::find(all, finding.rule, &Verdict::rule);
  return found == all.end() ? "needs attention" : found->text;
}

/// Returns `new drops` for `new_drops`, `queued` for `queued_bytes`.
std::string display_name(std::string_view name) {
  constexpr std::string_view unit = "_bytes";
  if (name.ends_with(unit)) {
    name.remove_suffix(unit.size());
  }
  std::string text(name);
  std::ranges::replace(text, '_', ' ');
  return text;
}

/// Returns `3 critical, 1 warning`, with `more` after the first number if `is_rest`.
std::string severity_counts(std::span<const Finding> findings, bool is_rest) {
  std::string text;
  for (const Severity severity : {Severity::critical, Severity::warning, Severity::notice}) {
    const auto count = std::ranges::count(findings, severity, &Finding::severity);
    if (count > 0) {
      text += fmt::format("{}{}{} {}{}", text.empty() ? "" : ", ", count,
                          is_rest && text.empty() ? " more" : "", name_of(severity),
                          count > 1 && severity != Severity::critical ? "s" : "");
    }
  }
  return text;
}

/// Returns `0.0.0.0:8443 (haproxy.service) is dropping clients; 3 more critical`.
std::string worst_finding(const Status& status) {
  const Finding& worst = status.findings.front();
  const std::string text = worst.affected.name + " " + std::string(verdict_of(worst, status));
  const auto rest = std::span(status.findings).subspan(1);
  return rest.empty() ? text : text + "; " + severity_counts(rest, true);
}

}  // namespace

std::string format_usage(const Usage& usage) {
  const auto format = usage.is_bytes ? format_bytes : format_number;
  return format(usage.used) + " / " + format(usage.limit);
}

std::string format_evidence(const Finding& finding, std::optional<double> interval_seconds) {
  std::string text;
  for (const auto& [name, value] : finding.evidence) {
    if (!value) {
      continue;
    }
    text.append(text.empty() ? "" : ", ").append(display_name(name)).append(" ");
    text.append(format_value(name, *value));
    if (name.starts_with("new_") && interval_seconds) {
      text.append(fmt::format(" in {:.1f} s", *interval_seconds));
    }
  }
  return text;
}

std::string verdict(const Status& status) {
  if (!status.findings.empty()) {
    return worst_finding(status);
  }
  return status.is_incomplete() ? no_listener_data : "All queues have room.";
}

std::string closest_limit(const Status& status) {
  const Usage* closest = status.closest();
  if (!status.findings.empty() || status.is_incomplete() || closest == nullptr ||
      closest->ratio < min_named_usage) {
    return {};
  }
  return "Closest to its limit: " + closest->name + " (" + closest->resource +
         in_namespace(closest->netns, closest->pod) + "), " + format_usage(*closest) + ", " +
         format_percent(closest->ratio) + ".";
}

std::string headline(const Status& status) {
  const std::string closest = closest_limit(status);
  return verdict(status) + (closest.empty() ? "" : " " + closest);
}

std::string format_severity_counts(const std::vector<Finding>& findings) {
  return severity_counts(findings, false);
}

std::string upper_name_of(Severity severity) {
  std::string name(name_of(severity));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return name;
}

std::string format_time(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace inetdiag::diagnosis
