// StatsD datagrams for series with arbitrary labels.
#include <algorithm>
#include <cstring>

#include "collectors/kernel/base/text.h"
#include "exporter/statsd/datagrams.h"
#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {
namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view name_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

bool has_only(std::string_view text, const std::string& allowed) {
  return text.find_first_not_of(allowed) == text.npos;
}

void require_line(std::string_view line, statsd::TagFormat tags) {
  const std::string_view name = kernel::cut(line, ':');
  require(!name.empty() && has_only(name, std::string(name_characters) +
                                              (tags == statsd::TagFormat::influxdb ? ",=/" : "")),
          "labels do not terminate the name");
  std::string_view value = kernel::cut(line, '|');
  require(!value.empty() && has_only(value, std::string(digits) + ".-"), "values are numbers");
  const std::string_view type = kernel::cut(line, '|');
  require(type == "g" || type == "c", "types are g or c");
  if (!line.empty()) {
    require(tags == statsd::TagFormat::dogstatsd && line.starts_with('#') &&
                has_only(line, std::string(name_characters) + "#:,/"),
            "labels do not terminate the tags");
  }
}

}  // namespace

void run(std::string_view input) {
  const std::string_view head = take(input, 2);
  const auto byte = [&](std::size_t i) {
    return i < head.size() ? static_cast<unsigned char>(head[i]) : 0U;
  };
  const auto tags = static_cast<statsd::TagFormat>(byte(0) % 3);
  const std::size_t mtu = 20 + 4 * byte(1);
  std::vector<prometheus::MetricFamily> families(2);
  families[0] = {"gauge", "", prometheus::MetricType::Gauge, {}};
  families[1] = {"counter_total", "", prometheus::MetricType::Counter, {}};
  while (!input.empty()) {
    double value = 0;
    const std::string_view raw = take(input, sizeof value);
    std::memcpy(&value, raw.data(), raw.size());
    prometheus::ClientMetric metric;
    metric.label = {{"label", std::string(take_chunk(input))}, {"other", "x"}};
    metric.gauge.value = value;
    metric.counter.value = value;
    families[byte(0) % 2].metric.push_back(metric);
    families[1].metric.push_back(std::move(metric));
  }
  statsd::CounterDeltas increases;
  for (int push = 0; push < 2; ++push) {
    const statsd::Packed packed = statsd::pack(families, {"prefix", tags}, increases, mtu);
    for (const statsd::Datagram& datagram : packed.datagrams) {
      require(!datagram.text.empty() && datagram.text.size() <= mtu, "datagrams fit into the MTU");
      for (std::string_view rest = datagram.text; !rest.empty();) {
        require_line(kernel::next_line(rest), tags);
      }
      for (const auto& [key, increase] : datagram.increases) {
        increases.acknowledge(key, increase);
      }
    }
    require(
        std::ranges::all_of(packed.too_long, [&](const auto& line) { return line.size() > mtu; }),
        "only lines longer than the MTU are skipped");
    for (auto& metric : families[1].metric) {
      metric.counter.value = metric.counter.value * 2 + 1;
    }
  }
}

std::vector<std::string> seeds() {
  const auto series = [](double value, std::string_view label) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value) + chunk(label);
  };
  const std::string mixed = series(-1.5, "a:b|c\n#,=/ \xff") + series(1e300, "") +
                            series(5e-324, "[::1]:80") + series(3, std::string(300, 'a'));
  std::vector<std::string> all;
  for (const char tags : {0, 1, 2}) {
    all.push_back(std::string{tags, '\xff'} + mixed);
    all.push_back(std::string{tags, '\0'} + mixed);
  }
  return all;
}

}  // namespace inetdiag::fuzz
