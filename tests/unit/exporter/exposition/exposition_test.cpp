#include "exporter/exposition/exposition.h"

#include <gtest/gtest.h>

#include "collectors/support/family.h"

namespace inetdiag {
namespace {

TEST(Exposition, NamesEachFamilyOnceAndInOrder) {
  auto second = gauge_family("b", "help b");
  add_series(second, {{"n", "1"}}, 1);
  auto second_again = gauge_family("b", "help b");
  add_series(second_again, {{"n", "2"}}, 2);
  auto first = counter_family("a_total", "help a");
  add_series(first, {}, 3);
  EXPECT_EQ(Exposition({second, first, second_again}).page(PageFormat::text),
            "# HELP a_total help a\n# TYPE a_total counter\na_total 3\n"
            "# HELP b help b\n# TYPE b gauge\nb{n=\"1\"} 1\nb{n=\"2\"} 2\n");
}

TEST(Exposition, EscapesLabelValues) {
  auto family = gauge_family("a", "help");
  add_series(family, {{"path", "\"\\\n"}}, 1);
  EXPECT_EQ(Exposition({family}).page(PageFormat::text),
            "# HELP a help\n# TYPE a gauge\na{path=\"\\\"\\\\\\n\"} 1\n");
}

TEST(Exposition, WritesLargeCountersExactly) {
  auto family = counter_family("a_total", "help");
  add_series(family, {}, 9007199254740991.0);
  EXPECT_NE(Exposition({family}).page(PageFormat::text).find("a_total 9007199254740991\n"),
            std::string::npos);
}

}  // namespace
}  // namespace inetdiag
