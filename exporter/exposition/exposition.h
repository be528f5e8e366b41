#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// Metric families and their text format, plain and compressed, each made once on demand: clients
/// that share a scrape share its text.
class Exposition {
 public:
  static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

  /// Merges families of the same name, sorts them by name and drops those without series.
  explicit Exposition(std::vector<prometheus::MetricFamily> families);

  const std::vector<prometheus::MetricFamily>& families() const { return families_; }
  const std::string& text() const;
  const std::string& gzipped() const;

 private:
  std::vector<prometheus::MetricFamily> families_;
  mutable std::once_flag text_once_;
  mutable std::string text_;
  mutable std::once_flag gzipped_once_;
  mutable std::string gzipped_;
};

}  // namespace inetdiag
