#include "exporter/exposition/exposition.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "exporter/exposition/gzip.h"
#include "exporter/exposition/openmetrics_format.h"
#include "exporter/exposition/text_format.h"

namespace inetdiag {
namespace {

using prometheus::MetricFamily;

std::vector<MetricFamily> merged(std::vector<MetricFamily> families) {
  std::vector<MetricFamily*> by_name;
  by_name.reserve(families.size());
  for (MetricFamily& family : families) {
    if (!family.metric.empty()) {
      by_name.push_back(&family);
    }
  }
  std::ranges::stable_sort(by_name, {}, &MetricFamily::name);
  std::vector<MetricFamily> merged;
  merged.reserve(by_name.size());
  for (MetricFamily* family : by_name) {
    if (merged.empty() || merged.back().name != family->name) {
      merged.push_back(std::move(*family));
    } else {
      std::ranges::move(family->metric, std::back_inserter(merged.back().metric));
    }
  }
  return merged;
}

}  // namespace

const char* Exposition::content_type(PageFormat format) {
  return format == PageFormat::openmetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

Exposition::Exposition(std::vector<MetricFamily> families)
    : families_(merged(std::move(families))) {}

const std::string& Exposition::page(PageFormat format) const {
  Page& made = of(format);
  std::call_once(made.plain_once, [&] {
    made.plain =
        format == PageFormat::openmetrics ? openmetrics_format(families_) : text_format(families_);
  });
  return made.plain;
}

const std::string& Exposition::gzipped(PageFormat format) const {
  Page& made = of(format);
  std::call_once(made.gzipped_once, [&] { made.gzipped = gzip(page(format)); });
  return made.gzipped;
}

}  // namespace inetdiag
