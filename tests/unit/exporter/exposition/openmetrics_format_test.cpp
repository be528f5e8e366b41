#include "exporter/exposition/openmetrics_format.h"

#include <chrono>
#include <limits>

#include <gtest/gtest.h>

#include "collectors/support/family.h"
#include "exporter/exposition/exposition.h"

namespace inetdiag {
namespace {

using namespace std::chrono_literals;

TEST(OpenMetricsFormat, WritesCountersWithoutSuffixInTheFamilyName) {
  auto drops = counter_family("drops_total", "Drops.");
  add_series(drops, {{"port", "80"}}, 3);
  auto seconds = counter_family("cpu_seconds_total", "Time.");
  add_series(seconds, {}, 0.5);
  EXPECT_EQ(openmetrics_format({drops, seconds}),
            "# TYPE drops counter\n# HELP drops Drops.\ndrops_total{port=\"80\"} 3\n"
            "# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\n# HELP cpu_seconds Time.\n"
            "cpu_seconds_total 0.5\n# EOF\n");
}

TEST(OpenMetricsFormat, WritesACounterWithoutTotalAsUnknown) {
  auto family = counter_family("requests", "Requests.");
  add_series(family, {}, 1, std::chrono::system_clock::time_point(1s));
  EXPECT_EQ(openmetrics_format({family}),
            "# TYPE requests unknown\n# HELP requests Requests.\nrequests 1\n# EOF\n");
}

TEST(OpenMetricsFormat, WritesCreatedAfterItsCounter) {
  auto drops = counter_family("drops_total", "Drops.");
  add_series(drops, {{"port", "80"}}, 3, std::chrono::system_clock::time_point(1700000000250ms));
  add_series(drops, {{"port", "81"}}, 4);
  add_series(drops, {}, 5, std::chrono::system_clock::time_point(1700000000s));
  EXPECT_EQ(openmetrics_format({drops}),
            "# TYPE drops counter\n# HELP drops Drops.\n"
            "drops_total{port=\"80\"} 3\ndrops_created{port=\"80\"} 1700000000.25\n"
            "drops_total{port=\"81\"} 4\n"
            "drops_total 5\ndrops_created 1700000000\n# EOF\n");
}

TEST(OpenMetricsFormat, DoesNotChangeTheTextFormat) {
  auto drops = counter_family("drops_total", "Drops.");
  add_series(drops, {}, 3, std::chrono::system_clock::time_point(1s));
  EXPECT_EQ(Exposition({drops}).page(PageFormat::text),
            "# HELP drops_total Drops.\n# TYPE drops_total counter\ndrops_total 3\n");
}

TEST(OpenMetricsFormat, IgnoresTheCreatedTimeOfAGauge) {
  auto gauge = gauge_family("a", "A.");
  add_series(gauge, {}, 1, std::chrono::system_clock::time_point(1s));
  EXPECT_EQ(openmetrics_format({gauge}), "# TYPE a gauge\n# HELP a A.\na 1\n# EOF\n");
}

TEST(OpenMetricsFormat, NamesOnlyBaseUnits) {
  for (const auto* name : {"seconds", "a_queue", "a_seconds_left", "a_ports", "a_megabytes"}) {
    EXPECT_EQ(openmetrics_format({gauge_family(name, "")}).find("UNIT"), std::string::npos) << name;
  }
  for (const auto* unit : {"seconds", "bytes", "ratio"}) {
    const std::string name = std::string("a_") + unit;
    EXPECT_NE(
        openmetrics_format({gauge_family(name, "")}).find("# UNIT " + name + " " + unit + "\n"),
        std::string::npos);
  }
}

TEST(OpenMetricsFormat, WritesCanonicalBounds) {
  prometheus::MetricFamily family = {"fill_ratio", "Fill.", prometheus::MetricType::Histogram, {}};
  auto& histogram = family.metric.emplace_back().histogram;
  histogram = {.sample_count = 9,
               .sample_sum = 2,
               .bucket = {{3, 0},
                          {4, 0.00001},
                          {5, 0.0005},
                          {7, 1},
                          {8, 1e6},
                          {9, std::numeric_limits<double>::infinity()}}};
  EXPECT_EQ(openmetrics_format({family}),
            "# TYPE fill_ratio histogram\n# UNIT fill_ratio ratio\n# HELP fill_ratio Fill.\n"
            "fill_ratio_count 9\nfill_ratio_sum 2\n"
            "fill_ratio_bucket{le=\"0.0\"} 3\nfill_ratio_bucket{le=\"1e-05\"} 4\n"
            "fill_ratio_bucket{le=\"0.0005\"} 5\nfill_ratio_bucket{le=\"1.0\"} 7\n"
            "fill_ratio_bucket{le=\"1e+06\"} 8\nfill_ratio_bucket{le=\"+Inf\"} 9\n# EOF\n");
}

TEST(OpenMetricsFormat, EscapesLabelsAndHelp) {
  auto gauge = gauge_family("a", "back\\slash\nline \"quoted\"");
  add_series(gauge, {{"path", "\"\\\n"}}, 1);
  EXPECT_EQ(openmetrics_format({gauge}),
            "# TYPE a gauge\n# HELP a back\\\\slash\\nline \\\"quoted\\\"\n"
            "a{path=\"\\\"\\\\\\n\"} 1\n# EOF\n");
}

TEST(OpenMetricsFormat, EndsAnEmptyPage) { EXPECT_EQ(openmetrics_format({}), "# EOF\n"); }

}  // namespace
}  // namespace inetdiag
