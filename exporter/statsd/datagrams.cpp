#include "exporter/statsd/datagrams.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace inetdiag::statsd {
namespace {

/// Returns a key that is unique for a series, even if its sanitized line is not.
std::string series_key(const std::string& name, const Labels& labels) {
  std::string key = name;
  for (const auto& label : labels) {
    // Labels contain no NUL (collectors/support/family.h).
    key.append(1, '\0').append(label.name).append(1, '\0').append(label.value);
  }
  return key;
}

class Packer {
 public:
  explicit Packer(std::size_t mtu) : mtu_(mtu) {}

  /// Returns false if the line is longer than a datagram.
  bool add(std::string line) {
    if (line.size() > mtu_) {
      packed_.too_long.push_back(std::move(line));
      return false;
    }
    if (packed_.datagrams.empty() || current().text.size() + 1 + line.size() > mtu_) {
      packed_.datagrams.emplace_back().text.reserve(mtu_);
    }
    current().text.append(current().text.empty() ? "" : "\n").append(line);
    return true;
  }

  void add_increase(std::string line, std::string key, double increase) {
    if (add(std::move(line))) {
      current().increases.emplace_back(std::move(key), increase);
    }
  }

  Packed take() { return std::move(packed_); }

 private:
  Datagram& current() { return packed_.datagrams.back(); }

  std::size_t mtu_;
  Packed packed_;
};

/// StatsD has no histogram of values that were observed before: each bucket is a counter.
template <typename AddCounter>
void add_histogram(const std::string& name, const prometheus::ClientMetric& metric,
                   const AddCounter& add_counter) {
  add_counter(name + "_count", metric.label, static_cast<double>(metric.histogram.sample_count));
  add_counter(name + "_sum", metric.label, metric.histogram.sample_sum);
  for (const auto& bucket : metric.histogram.bucket) {
    if (std::isfinite(bucket.upper_bound)) {
      Labels labels = metric.label;
      labels.push_back({"le", fmt::format("{}", bucket.upper_bound)});
      add_counter(name + "_bucket", labels, static_cast<double>(bucket.cumulative_count));
    }
  }
}

}  // namespace

Packed pack(const std::vector<prometheus::MetricFamily>& families, const Style& style,
            CounterDeltas& deltas, std::size_t mtu) {
  using enum prometheus::MetricType;
  Packer packer(mtu);
  const auto add_counter = [&](const std::string& name, const Labels& labels, double value) {
    std::string key = series_key(name, labels);
    const double increase = deltas.pending(key, value);
    if (increase > 0) {
      packer.add_increase(format_counter(style, name, labels, increase), std::move(key), increase);
    }
  };
  for (const auto& family : families) {
    for (const auto& metric : family.metric) {
      if (family.type == Histogram) {
        add_histogram(family.name, metric, add_counter);
      } else if (family.type == Counter && std::isfinite(metric.counter.value)) {
        add_counter(family.name, metric.label, metric.counter.value);
      } else if (family.type == Gauge && std::isfinite(metric.gauge.value)) {
        packer.add(format_gauge(style, family.name, metric.label, metric.gauge.value));
      }
    }
  }
  return packer.take();
}

}  // namespace inetdiag::statsd
