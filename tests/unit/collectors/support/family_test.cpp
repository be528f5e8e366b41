#include "collectors/support/family.h"

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

const std::string replacement = "\xEF\xBF\xBD";

TEST(ValidUtf8, KeepsValidText) {
  for (const auto* text : {"", "/run/a.sock", "\"\\\n", "é", "€", "𝄞", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(ValidUtf8, ReplacesEachInvalidByte) {
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b"),
            "a" + replacement + "b");
  EXPECT_EQ(valid_utf8("\x80"), replacement);
  EXPECT_EQ(valid_utf8("\xC3"), replacement);                    // truncated
  EXPECT_EQ(valid_utf8("\xC0\xAF"), replacement + replacement);  // overlong
  EXPECT_EQ(valid_utf8("\xE0\x80\xAF"), replacement + replacement + replacement);
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), replacement + replacement + replacement);  // a surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), replacement + replacement + replacement + replacement);
  EXPECT_EQ(valid_utf8("\xF5\x80\x80\x80"), replacement + replacement + replacement + replacement);
  EXPECT_EQ(valid_utf8(std::string_view("a\0b", 3)), "a" + replacement + "b");
}

TEST(AddSeries, OmitsEmptyLabelsAndReplacesInvalidUtf8) {
  auto family = gauge_family("name", "help");
  add_series(family, {{"a", ""}, {"b", "\xFF"}}, 2);
  ASSERT_EQ(family.metric.size(), 1U);
  ASSERT_EQ(family.metric[0].label.size(), 1U);
  EXPECT_EQ(family.metric[0].label[0].value, replacement);
  EXPECT_EQ(family.metric[0].gauge.value, 2);
}

TEST(AddSeries, SetsTheValueOfACounter) {
  auto family = counter_family("name_total", "help");
  add_series(family, {}, 3);
  EXPECT_EQ(family.metric.at(0).counter.value, 3);
}

}  // namespace
}  // namespace inetdiag
