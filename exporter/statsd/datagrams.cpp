#include "exporter/statsd/datagrams.h"

#include <cmath>
#include <utility>

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

}  // namespace

Packed pack(const std::vector<prometheus::MetricFamily>& families, const Style& style,
            CounterDeltas& deltas, std::size_t mtu) {
  Packer packer(mtu);
  for (const auto& family : families) {
    const bool is_counter = family.type == prometheus::MetricType::Counter;
    for (const auto& metric : family.metric) {
      const double value = is_counter ? metric.counter.value : metric.gauge.value;
      if (!std::isfinite(value)) {
        continue;
      }
      if (!is_counter) {
        packer.add(format_gauge(style, family.name, metric.label, value));
        continue;
      }
      std::string key = series_key(family.name, metric.label);
      const double increase = deltas.pending(key, value);
      if (increase > 0) {
        packer.add_increase(format_counter(style, family.name, metric.label, increase),
                            std::move(key), increase);
      }
    }
  }
  return packer.take();
}

}  // namespace inetdiag::statsd
