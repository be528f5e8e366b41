#include "exporter/diagnosis/status_json.h"

#include <cmath>
#include <cstdint>
#include <ctime>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "exporter/build_info.h"

namespace inetdiag::diagnosis {
namespace {

// JSON as text, and not as a tree of nlohmann's, whose destructor takes memory: where there is
// none, that ends the program.
using Json = std::string;
using Field = std::pair<std::string_view, Json>;

constexpr int schema_version = 1;

Json text(std::string_view value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_indented(Json& json, std::string_view inner) {
  for (const char c : inner) {
    json.append(c == '\n' ? "\n  " : std::string_view(&c, 1));
  }
}

template <typename Fields>
Json object_of(const Fields& fields) {
  Json json = "{";
  for (const auto& [name, value] : fields) {
    json.append(json.size() == 1 ? "\n  " : ",\n  ").append(text(name)).append(": ");
    append_indented(json, value);
  }
  return json.append(json.size() == 1 ? "}" : "\n}");
}

Json object(std::initializer_list<Field> fields) { return object_of(fields); }

Json boolean(bool value) { return value ? "true" : "false"; }

/// Integers without a fraction.
Json number(double value) {
  constexpr double largest_exact = 9007199254740992.0;
  return value == std::trunc(value) && std::abs(value) <= largest_exact
             ? std::to_string(static_cast<std::int64_t>(value))
             : nlohmann::json(value).dump();
}

/// With its fraction, also where that is 0.
Json ratio(double value) { return nlohmann::json(value).dump(); }

Json optional(const std::optional<double>& value) { return value ? number(*value) : "null"; }

/// `null` where there is nothing to say.
Json text_or_null(std::string_view value) { return value.empty() ? "null" : text(value); }

Json json_of(const Finding& finding) {
  std::vector<Field> evidence;
  for (const auto& [name, value] : finding.evidence) {
    evidence.emplace_back(name, optional(value));
  }
  std::vector<Field> labels;
  for (const auto& [name, value] : finding.affected.labels) {
    labels.emplace_back(name, text(value));
  }
  return object({{"severity", text(name_of(finding.severity))},
                 {"rule", text(finding.rule)},
                 {"affected", object({{"kind", text(finding.affected.kind)},
                                      {"name", text(finding.affected.name)},
                                      {"labels", object_of(labels)}})},
                 {"summary", text(finding.summary)},
                 {"evidence", object_of(evidence)},
                 {"limit", text_or_null(finding.limit)},
                 {"action", text(finding.action)},
                 {"metric", text(finding.metric)}});
}

Json json_of(const ListenerRow& row) {
  const Listener& listener = row.listener;
  return object({{"address", text(listener.endpoint.address)},
                 {"port", text(listener.endpoint.port)},
                 {"device", text_or_null(listener.endpoint.device)},
                 {"netns", text_or_null(row.netns)},
                 {"pod", text_or_null(row.pod)},
                 {"owner", object({{"unit", text_or_null(listener.owner.unit)},
                                   {"cgroup", text_or_null(listener.owner.cgroup)},
                                   {"pod_uid", text_or_null(listener.owner.pod_uid)},
                                   {"container_id", text_or_null(listener.owner.container_id)}})},
                 {"sockets", number(listener.sockets)},
                 {"accept_queue", object({{"length", number(listener.waiting)},
                                          {"limit", number(listener.backlog)},
                                          {"fill_ratio", ratio(listener.fill)}})},
                 {"syn_queue", object({{"length", optional(listener.half_open)},
                                       {"fill_ratio", optional(listener.syn_fill)}})},
                 {"limit_set_by", text(name_of(row.limit))},
                 {"drops", optional(listener.drops)},
                 {"new_drops", optional(row.new_drops)}});
}

Json json_of(const Usage& usage) {
  return object({{"name", text(usage.name)},
                 {"resource", text(usage.resource)},
                 {"netns", text_or_null(usage.netns)},
                 {"pod", text_or_null(usage.pod)},
                 {"used", number(usage.used)},
                 {"limit", number(usage.limit)},
                 {"ratio", ratio(usage.ratio)},
                 {"unit", text(usage.is_bytes ? "bytes" : "count")}});
}

Json json_of(const CollectorOutcome& collector) {
  return object({{"name", text(collector.name)},
                 {"success", boolean(collector.success)},
                 {"seconds", optional(collector.seconds)},
                 {"error", text_or_null(collector.error)}});
}

template <typename Things>
Json list_of(const Things& things) {
  Json list = "[";
  for (const auto& thing : things) {
    list.append(list.size() == 1 ? "\n  " : ",\n  ");
    append_indented(list, json_of(thing));
  }
  return list.append(list.size() == 1 ? "]" : "\n]");
}

}  // namespace

std::string status_json(const Status& status) {
  const auto severity = status.severity();
  const Usage* closest = status.closest();
  return object({{"schema_version", number(schema_version)},
                 {"exporter_version", text(build_info::version)},
                 {"host", text(status.host)},
                 {"time", text(fmt::format(
                              "{:%Y-%m-%dT%H:%M:%SZ}",
                              fmt::gmtime(std::chrono::system_clock::to_time_t(status.time))))},
                 {"seconds_since_previous", optional(status.seconds_since_previous)},
                 {"incomplete", boolean(status.is_incomplete())},
                 {"severity", severity ? text(name_of(*severity)) : "null"},
                 {"findings", list_of(status.findings)},
                 {"closest_limit", closest != nullptr ? json_of(*closest) : "null"},
                 {"limits", list_of(status.usages)},
                 {"listeners", list_of(status.listeners)},
                 {"collectors", list_of(status.collectors)}}) +
         "\n";
}

}  // namespace inetdiag::diagnosis
