#include "exporter/exposition/text_format.h"

#include <cstdlib>
#include <limits>

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include "collectors/support/family.h"

namespace inetdiag {
namespace {

std::string format_value(double value) {
  const std::string text = text_format({single_gauge("a", "help", value)});
  const std::size_t begin = text.rfind("\na ") + 3;
  return text.substr(begin, text.size() - begin - 1);
}

TEST(TextFormat, MatchesPrometheusCpp) {
  auto listeners = gauge_family("listeners", "Listeners.");
  add_series(listeners, {{"address", "[::]"}, {"port", "80"}}, 3);
  add_series(listeners, {{"address", "0.0.0.0"}, {"port", "443"}}, -1);
  auto drops = counter_family("drops_total", "Drops (/proc/net/netstat).");
  add_series(drops, {}, 9007199254740992.0);
  auto hostile = gauge_family("hostile", "help");
  add_series(hostile, {{"path", "\"a\\b\nc\"\n"}, {"other", "\xC3\xA4"}}, 0.5);
  const std::vector<prometheus::MetricFamily> families = {listeners, drops, hostile};
  EXPECT_EQ(text_format(families), prometheus::TextSerializer().Serialize(families));
}

TEST(TextFormat, WritesHistogramsAsPrometheusCppDoes) {
  prometheus::MetricFamily family = {"fill", "Fill.", prometheus::MetricType::Histogram, {}};
  for (const auto& labels : {Labels{{"port", "80"}}, Labels{}}) {
    auto& metric = family.metric.emplace_back();
    metric.label = labels;
    metric.histogram = {.sample_count = 7,
                        .sample_sum = 2.5,
                        .bucket = {{3, 0}, {5, 0.5}, {7, std::numeric_limits<double>::infinity()}}};
  }
  EXPECT_EQ(text_format({family}), prometheus::TextSerializer().Serialize({family}));
}

TEST(TextFormat, EscapesHelp) {
  EXPECT_EQ(text_format({gauge_family("a", "back\\slash\nline \"quoted\"")}),
            "# HELP a back\\\\slash\\nline \"quoted\"\n# TYPE a gauge\n");
}

TEST(TextFormat, WritesIntegersWithoutExponent) {
  EXPECT_EQ(format_value(0), "0");
  EXPECT_EQ(format_value(-1), "-1");
  EXPECT_EQ(format_value(9007199254740991.0), "9007199254740991");
  EXPECT_EQ(format_value(1700000000), "1700000000");
}

TEST(TextFormat, WritesTheShortestExactFraction) {
  EXPECT_EQ(format_value(0.1), "0.1");
  for (const double value : {1.0 / 3, 1e-9, 1e300, 18446744073709551615.0, -2.5,
                             std::numeric_limits<double>::denorm_min()}) {
    EXPECT_EQ(std::strtod(format_value(value).c_str(), nullptr), value);
  }
}

TEST(TextFormat, WritesNanAndInfinity) {
  EXPECT_EQ(format_value(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(format_value(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(format_value(-std::numeric_limits<double>::infinity()), "-Inf");
}

}  // namespace
}  // namespace inetdiag
