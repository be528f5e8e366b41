#include "collectors/support/family.h"

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

const std::string bad = "\xEF\xBF\xBD";

TEST(ValidUtf8, KeepsWhatIsValid) {
  for (const auto* text : {"", "/run/a.sock", "\"\\\n", "é", "€", "𝄞", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(ValidUtf8, ReplacesEachByteThatIsNot) {
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b"),
            "a" + bad + "b");
  EXPECT_EQ(valid_utf8("\x80"), bad);
  EXPECT_EQ(valid_utf8("\xC3"), bad);            // cut short
  EXPECT_EQ(valid_utf8("\xC0\xAF"), bad + bad);  // overlong
  EXPECT_EQ(valid_utf8("\xE0\x80\xAF"), bad + bad + bad);
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), bad + bad + bad);  // a surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(valid_utf8("\xF5\x80\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(valid_utf8(std::string_view("a\0b", 3)), "a" + bad + "b");
}

TEST(AddSeries, LeavesOutEmptyLabelsAndMakesTheOthersValid) {
  auto family = gauge_family("name", "help");
  add_series(family, {{"a", ""}, {"b", "\xFF"}}, 2);
  ASSERT_EQ(family.metric.size(), 1U);
  ASSERT_EQ(family.metric[0].label.size(), 1U);
  EXPECT_EQ(family.metric[0].label[0].value, bad);
  EXPECT_EQ(family.metric[0].gauge.value, 2);
}

TEST(AddSeries, FillsACounterAsACounter) {
  auto family = counter_family("name_total", "help");
  add_series(family, {}, 3);
  EXPECT_EQ(family.metric.at(0).counter.value, 3);
}

}  // namespace
}  // namespace inetdiag
