#include "exporter/exposition/json.h"

#include <chrono>

#include "exporter/build_info.h"
#include "exporter/exposition/json_writer.h"
#include "exporter/exposition/rfc3339.h"

namespace inetdiag {
namespace {

constexpr int metrics_schema_version = 1;

void write_family(JsonWriter& json, const prometheus::MetricFamily& family) {
  const bool is_counter = family.type == prometheus::MetricType::Counter;
  json.begin_object();
  json.field("name", family.name);
  json.field("type", is_counter ? "counter" : "gauge");
  json.field("help", family.help);
  json.key("series").begin_array();
  for (const auto& metric : family.metric) {
    json.begin_object().key("labels").begin_object();
    for (const auto& label : metric.label) {
      json.field(label.name, label.value);
    }
    json.end_object();
    json.field("value", is_counter ? metric.counter.value : metric.gauge.value).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string page_json(const Exposition& exposition) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("schema_version", metrics_schema_version);
  json.field("exporter_version", build_info::version);
  json.field("time", rfc3339(std::chrono::system_clock::now()));
  json.key("families").begin_array();
  for (const auto& family : exposition.families()) {
    write_family(json, family);
  }
  json.end_array().end_object();
  return text.append("\n");
}

}  // namespace inetdiag
