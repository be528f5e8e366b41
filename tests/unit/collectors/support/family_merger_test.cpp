#include "collectors/support/family_merger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/support/family.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using ::testing::ElementsAre;

TEST(FamilyMerger, MergesFamiliesByNameAndAddsALabel) {
  FamilyMerger merger;
  merger.add({single_gauge("a", "help", 1), single_gauge("b", "", 2)}, "netns", "x");
  auto labeled = counter_family("c_total", "");
  add_series(labeled, {{"port", "80"}}, 3);
  merger.add({single_gauge("b", "", 4), labeled}, "netns", "y\xff");
  const auto families = merger.take();
  ASSERT_EQ(families.size(), 3U);
  EXPECT_EQ(families[0].help, "help");
  EXPECT_EQ(families[2].type, prometheus::MetricType::Counter);
  EXPECT_THAT(testing::lines_of(families),
              ElementsAre(R"(a{netns="x"} 1)", R"(b{netns="x"} 2)", "b{netns=\"y\xEF\xBF\xBD\"} 4",
                          "c_total{port=\"80\",netns=\"y\xEF\xBF\xBD\"} 3"));
}

}  // namespace
}  // namespace inetdiag
