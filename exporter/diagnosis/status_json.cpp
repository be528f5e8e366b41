#include "exporter/diagnosis/status_json.h"

#include <optional>
#include <string_view>

#include "exporter/build_info.h"
#include "exporter/exposition/rfc3339.h"

namespace inetdiag::diagnosis {
namespace {

constexpr int status_schema_version = 1;

std::optional<std::string_view> null_if_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void write(JsonWriter& json, const Finding& finding) {
  json.begin_object();
  json.field("severity", name_of(finding.severity));
  json.field("rule", finding.rule);
  json.key("affected").begin_object();
  json.field("kind", finding.affected.kind);
  json.field("name", finding.affected.name);
  json.key("labels").begin_object();
  for (const auto& [name, value] : finding.affected.labels) {
    json.field(name, value);
  }
  json.end_object().end_object();
  json.field("summary", finding.summary);
  json.key("evidence").begin_object();
  for (const auto& [name, value] : finding.evidence) {
    json.field(name, value);
  }
  json.end_object();
  json.field("limit", null_if_empty(finding.limit));
  json.field("action", finding.action);
  json.field("metric", finding.metric);
  json.end_object();
}

void write_recent_fill(JsonWriter& json, const std::optional<RecentFill>& fill) {
  if (!fill) {
    json.value(std::nullopt);
    return;
  }
  json.begin_object();
  json.field("slot_seconds", fill->slot_seconds);
  json.key("ratios").begin_array();
  for (const std::optional<double>& ratio : fill->ratios) {
    json.value(ratio);
  }
  json.end_array().end_object();
}

void write(JsonWriter& json, const ListenerRow& row) {
  const Listener& listener = row.listener;
  json.begin_object();
  json.field("address", listener.endpoint.address);
  json.field("port", listener.endpoint.port);
  json.field("device", null_if_empty(listener.endpoint.device));
  json.field("netns", null_if_empty(row.netns));
  json.field("pod", null_if_empty(row.pod));
  json.key("owner").begin_object();
  json.field("unit", null_if_empty(listener.owner.unit));
  json.field("machine", null_if_empty(listener.owner.machine));
  json.field("cgroup", null_if_empty(listener.owner.cgroup));
  json.field("pod", null_if_empty(listener.owner.pod()));
  json.field("pod_uid", null_if_empty(listener.owner.pod_uid));
  json.field("container_name", null_if_empty(listener.owner.container_name));
  json.field("container_id", null_if_empty(listener.owner.container_id));
  json.end_object();
  json.field("sockets", listener.sockets);
  json.key("accept_queue").begin_object();
  json.field("length", listener.waiting);
  json.field("limit", listener.backlog);
  json.field("oldest_seconds", listener.oldest_seconds);
  json.field("stalled_seconds", listener.stalled_seconds);
  json.field("abandoned", listener.abandoned);
  json.field("unread", listener.unread);
  json.field("peak_fill_ratio", listener.peak_fill);
  json.key("recent_fill");
  write_recent_fill(json, listener.recent_fill);
  json.field("full_sockets", listener.full_sockets);
  json.field("stalled_sockets", listener.stalled_sockets);
  json.key("fill_ratio").ratio(listener.fill);
  json.end_object();
  json.key("syn_queue").begin_object();
  json.field("length", listener.half_open);
  json.field("fill_ratio", listener.syn_fill);
  json.end_object();
  json.field("limit_set_by", name_of(row.limit));
  json.field("socket_drops", listener.socket_drops);
  json.field("new_listen_drops", row.new_listen_drops);
  json.end_object();
}

void write(JsonWriter& json, const Usage& usage) {
  json.begin_object();
  json.field("name", usage.name);
  json.field("resource", usage.resource);
  json.field("netns", null_if_empty(usage.netns));
  json.field("pod", null_if_empty(usage.pod));
  json.field("used", usage.used);
  json.field("limit", usage.limit);
  json.key("ratio").ratio(usage.ratio);
  json.field("unit", usage.is_bytes ? "bytes" : "count");
  json.end_object();
}

void write(JsonWriter& json, const CollectorOutcome& collector) {
  json.begin_object();
  json.field("name", collector.name);
  json.field("success", collector.success);
  json.field("seconds", collector.seconds);
  json.field("error", null_if_empty(collector.error));
  json.end_object();
}

template <typename Elements>
void write_array(JsonWriter& json, std::string_view name, const Elements& elements) {
  json.key(name).begin_array();
  for (const auto& element : elements) {
    write(json, element);
  }
  json.end_array();
}

}  // namespace

std::string status_json(const Status& status, JsonWriter::Layout layout,
                        const std::function<void(JsonWriter&)>& write_members) {
  const auto severity = status.severity();
  std::string text;
  JsonWriter json(text, layout);
  json.begin_object();
  json.field("schema_version", status_schema_version);
  json.field("exporter_version", build_info::version);
  json.field("host", status.host);
  json.field("time", rfc3339(status.time));
  json.field("seconds_since_previous", status.seconds_since_previous);
  json.field("incomplete", status.is_incomplete());
  json.field("severity", severity ? std::optional(name_of(*severity)) : std::nullopt);
  write_array(json, "findings", status.findings);
  json.key("closest_limit");
  if (const Usage* closest = status.closest(); closest != nullptr) {
    write(json, *closest);
  } else {
    json.value(std::nullopt);
  }
  write_array(json, "limits", status.usages);
  write_array(json, "listeners", status.listeners);
  write_array(json, "collectors", status.collectors);
  if (write_members) {
    write_members(json);
  }
  json.end_object();
  return text.append("\n");
}

}  // namespace inetdiag::diagnosis
