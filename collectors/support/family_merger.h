#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// Merges the families of several network namespaces by name.
class FamilyMerger {
 public:
  /// Adds the series of `families` with an additional label.
  void add(std::vector<prometheus::MetricFamily>&& families, std::string_view label,
           std::string_view value);

  /// Returns the families in the order in which they were first added.
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
  std::unordered_map<std::string, std::size_t> indices_;
};

}  // namespace inetdiag
