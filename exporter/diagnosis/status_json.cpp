#include "exporter/diagnosis/status_json.h"

#include <cmath>
#include <cstdint>
#include <ctime>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "exporter/build_info.h"

namespace inetdiag::diagnosis {
namespace {

using Json = nlohmann::ordered_json;

constexpr int schema_version = 1;
constexpr int indent = 2;

/// Integers without a fraction.
Json number(double value) {
  constexpr double largest_exact = 9007199254740992.0;
  return value == std::trunc(value) && std::abs(value) <= largest_exact
             ? Json(static_cast<std::int64_t>(value))
             : Json(value);
}

Json optional(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

/// `null` where there is nothing to say.
Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

Json json_of(const Finding& finding) {
  Json evidence = Json::object();
  for (const auto& [name, value] : finding.evidence) {
    evidence[name] = optional(value);
  }
  return {{"severity", name_of(finding.severity)},
          {"rule", finding.rule},
          {"affected",
           {{"kind", finding.affected.kind},
            {"name", finding.affected.name},
            {"labels", finding.affected.labels}}},
          {"summary", finding.summary},
          {"evidence", std::move(evidence)},
          {"limit", text_or_null(finding.limit)},
          {"action", finding.action},
          {"metric", finding.metric}};
}

Json json_of(const ListenerRow& row) {
  const Listener& listener = row.listener;
  return {{"address", listener.endpoint.address},
          {"port", listener.endpoint.port},
          {"device", text_or_null(listener.endpoint.device)},
          {"netns", text_or_null(row.netns)},
          {"pod", text_or_null(row.pod)},
          {"owner",
           {{"unit", text_or_null(listener.owner.unit)},
            {"cgroup", text_or_null(listener.owner.cgroup)},
            {"pod_uid", text_or_null(listener.owner.pod_uid)},
            {"container_id", text_or_null(listener.owner.container_id)}}},
          {"sockets", number(listener.sockets)},
          {"accept_queue",
           {{"length", number(listener.waiting)},
            {"limit", number(listener.backlog)},
            {"fill_ratio", listener.fill}}},
          {"syn_queue",
           {{"length", optional(listener.half_open)}, {"fill_ratio", optional(listener.syn_fill)}}},
          {"limit_set_by", short_text(row.limit)},
          {"drops", optional(listener.drops)},
          {"new_drops", optional(row.new_drops)}};
}

Json json_of(const Usage& usage) {
  return {{"what", usage.what},
          {"of", usage.of},
          {"netns", text_or_null(usage.netns)},
          {"pod", text_or_null(usage.pod)},
          {"used", number(usage.used)},
          {"limit", number(usage.limit)},
          {"ratio", usage.ratio},
          {"unit", usage.is_bytes ? "bytes" : "count"}};
}

Json json_of(const CollectorOutcome& collector) {
  return {{"name", collector.name},
          {"success", collector.success},
          {"seconds", optional(collector.seconds)}};
}

template <typename Things>
Json list_of(const Things& things) {
  Json list = Json::array();
  for (const auto& thing : things) {
    list.push_back(json_of(thing));
  }
  return list;
}

}  // namespace

std::string status_json(const Status& status) {
  const auto severity = status.severity();
  const Usage* closest = status.closest();
  const Json document = {
      {"schema_version", schema_version},
      {"exporter_version", build_info::version},
      {"host", status.host},
      {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                           fmt::gmtime(std::chrono::system_clock::to_time_t(status.time)))},
      {"seconds_since_last_look", optional(status.seconds_since_last_look)},
      {"could_not_look", status.could_not_look()},
      {"severity", severity ? Json(name_of(*severity)) : Json(nullptr)},
      {"findings", list_of(status.findings)},
      {"closest_limit", closest != nullptr ? json_of(*closest) : Json(nullptr)},
      {"limits", list_of(status.usages)},
      {"listeners", list_of(status.listeners)},
      {"collectors", list_of(status.collectors)}};
  return document.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace inetdiag::diagnosis
