#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// Families of many network namespaces, each family once: name and help of one are longer than a
/// series.
class FamilyMerger {
 public:
  /// Adds the series of `families` with one label more.
  void add(std::vector<prometheus::MetricFamily>&& families, std::string_view label,
           std::string_view value);

  /// In the order in which they came first.
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace inetdiag
