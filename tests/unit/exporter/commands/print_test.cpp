#include "exporter/commands/print.h"

#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "collectors/support/family.h"
#include "exporter/exposition/json.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using ::testing::HasSubstr;

class OneGauge : public Collector {
 public:
  Collection collect(const ScrapeContext& /*context*/) override {
    Collection collection;
    collection.families = {single_gauge("one", "help", 1)};
    return collection;
  }
};

class FailingCollector : public Collector {
 public:
  Collection collect(const ScrapeContext& /*context*/) override {
    throw std::runtime_error("failed");
  }
};

struct Printed {
  int status;
  std::string text;
};

Printed print_two(PrintFormat format, std::unique_ptr<Collector> second) {
  const testing::CapturedLog captured;
  const testing::TemporaryTree tree;
  std::vector<NamedCollector> collectors;
  collectors.push_back({"first", std::make_unique<OneGauge>()});
  collectors.push_back({"second", std::move(second)});
  Scraper scraper(
      {kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel::open_netlink},
      std::move(collectors), [] { return std::vector<prometheus::MetricFamily>(); }, captured.log);
  const std::string file = tree.path("page").string();
  const int status = print(scraper, {.format = format, .output = file});
  std::ifstream stream(file);
  return {status, {std::istreambuf_iterator<char>(stream), {}}};
}

TEST(Print, WritesMetrics) {
  const Printed page = print_two(PrintFormat::prometheus, std::make_unique<OneGauge>());
  EXPECT_EQ(page.status, 0);
  EXPECT_THAT(page.text, HasSubstr("# HELP one help\n# TYPE one gauge\none 1\none 1\n"));
}

TEST(Print, ExitsWithOneIfACollectorFailed) {
  const Printed page = print_two(PrintFormat::prometheus, std::make_unique<FailingCollector>());
  EXPECT_EQ(page.status, 1);
  EXPECT_THAT(page.text, HasSubstr("one 1\n"));
  EXPECT_THAT(page.text, HasSubstr("inetdiag_scrape_collector_success{collector=\"second\"} 0\n"));
}

TEST(Print, WritesOpenMetrics) {
  const Printed page = print_two(PrintFormat::openmetrics, std::make_unique<OneGauge>());
  EXPECT_EQ(page.status, 0);
  EXPECT_THAT(page.text, HasSubstr("# TYPE one gauge\n# HELP one help\none 1\none 1\n"));
  EXPECT_TRUE(page.text.ends_with("# EOF\n"));
}

TEST(Print, WritesJson) {
  const Printed page = print_two(PrintFormat::json, std::make_unique<FailingCollector>());
  EXPECT_EQ(page.status, 1);
  const auto document = nlohmann::json::parse(page.text);
  EXPECT_EQ(document["schema_version"], 1);
}

TEST(PageJson, ContainsAllFamiliesAndSeries) {
  auto gauge = gauge_family("queue", "How \"long\".");
  add_series(gauge, {{"port", "80"}, {"unit", "a\\b"}}, -1);
  add_series(gauge, {}, 0.5);
  add_series(gauge, {{"port", "inf"}}, std::numeric_limits<double>::infinity());
  auto counter = counter_family("drops_total", "Drops.");
  add_series(counter, {}, 9007199254740992.0);
  const auto document = nlohmann::json::parse(page_json(Exposition({gauge, counter})));
  EXPECT_EQ(document["families"], nlohmann::json::parse(R"([
    {"name": "drops_total", "type": "counter", "help": "Drops.",
     "series": [{"labels": {}, "value": 9007199254740992}]},
    {"name": "queue", "type": "gauge", "help": "How \"long\".",
     "series": [{"labels": {"port": "80", "unit": "a\\b"}, "value": -1},
                {"labels": {}, "value": 0.5},
                {"labels": {"port": "inf"}, "value": null}]}
  ])"));
}

}  // namespace
}  // namespace inetdiag
