#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// What one scrape found, and how GET /metrics tells it: as text and compressed text, each made on
/// demand and once.
class Page {
 public:
  static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

  /// Families of the same name become one; they stand sorted by name, and one
  /// without series does not stand at all.
  explicit Page(std::vector<prometheus::MetricFamily> families);

  const std::vector<prometheus::MetricFamily>& families() const { return families_; }
  const std::string& text() const;
  const std::string& gzipped() const;

 private:
  std::vector<prometheus::MetricFamily> families_;
  mutable std::once_flag written_;
  mutable std::string text_;
  mutable std::once_flag compressed_;
  mutable std::string gzipped_;
};

}  // namespace inetdiag
