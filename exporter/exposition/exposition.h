#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

enum class PageFormat { text, openmetrics };

/// Metric families and their pages in each format, plain and compressed, each made once on demand:
/// clients that share a scrape share its pages.
class Exposition {
 public:
  static const char* content_type(PageFormat format);

  /// Merges families of the same name, sorts them by name and drops those without series.
  explicit Exposition(std::vector<prometheus::MetricFamily> families);

  const std::vector<prometheus::MetricFamily>& families() const { return families_; }
  const std::string& page(PageFormat format) const;
  const std::string& gzipped(PageFormat format) const;

 private:
  struct Page {
    std::once_flag plain_once;
    std::string plain;
    std::once_flag gzipped_once;
    std::string gzipped;
  };

  Page& of(PageFormat format) const { return pages_.at(static_cast<std::size_t>(format)); }

  std::vector<prometheus::MetricFamily> families_;
  mutable std::array<Page, 2> pages_;
};

}  // namespace inetdiag
