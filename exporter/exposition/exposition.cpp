#include "exporter/exposition/exposition.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "exporter/exposition/gzip.h"
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

Exposition::Exposition(std::vector<MetricFamily> families)
    : families_(merged(std::move(families))) {}

const std::string& Exposition::text() const {
  std::call_once(text_once_, [this] { text_ = text_format(families_); });
  return text_;
}

const std::string& Exposition::gzipped() const {
  std::call_once(gzipped_once_, [this] { gzipped_ = gzip(text()); });
  return gzipped_;
}

}  // namespace inetdiag
