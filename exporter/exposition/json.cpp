#include "exporter/exposition/json.h"

#include <chrono>
#include <cmath>

#include "exporter/build_info.h"
#include "exporter/exposition/json_writer.h"
#include "exporter/exposition/rfc3339.h"

namespace inetdiag {
namespace {

constexpr int metrics_schema_version = 1;

using prometheus::MetricType;

const char* json_type(MetricType type) {
  return type == MetricType::Histogram ? "histogram"
         : type == MetricType::Counter ? "counter"
                                       : "gauge";
}

/// JSON has no infinity: the bucket without a bound is `count`.
void write_histogram(JsonWriter& json, const prometheus::ClientMetric::Histogram& histogram) {
  json.field("count", histogram.sample_count).field("sum", histogram.sample_sum);
  json.key("buckets").begin_array();
  for (const auto& bucket : histogram.bucket) {
    if (std::isfinite(bucket.upper_bound)) {
      json.begin_object().field("le", bucket.upper_bound);
      json.field("count", bucket.cumulative_count).end_object();
    }
  }
  json.end_array();
}

void write_family(JsonWriter& json, const prometheus::MetricFamily& family) {
  json.begin_object();
  json.field("name", family.name);
  json.field("type", json_type(family.type));
  json.field("help", family.help);
  json.key("series").begin_array();
  for (const auto& metric : family.metric) {
    json.begin_object().key("labels").begin_object();
    for (const auto& label : metric.label) {
      json.field(label.name, label.value);
    }
    json.end_object();
    if (family.type == MetricType::Histogram) {
      write_histogram(json, metric.histogram);
    } else {
      json.field("value",
                 family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value);
    }
    json.end_object();
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
