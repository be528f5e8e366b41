#include "exporter/diagnosis/terminal.h"

#include <gtest/gtest.h>

namespace inetdiag::diagnosis {
namespace {

TEST(Terminal, ReplacesControlsAndInvalidUtf8) {
  EXPECT_EQ(replace_controls("a\x1b[2J\x7f\n"), "a?[2J??");
  EXPECT_EQ(replace_controls("\xC2\x9B|\xE2\x80\xAE|\xD8\x9C"), "?|?|?");
  EXPECT_EQ(replace_controls("\x9b|\xC3|\xE2\x82|\xF5\x80\x80\x80"), "?|?|??|????");
  EXPECT_EQ(replace_controls("\xE0\x82\x9B|\xC0\x9B|\xED\xA0\x80"), "???|??|???");
  EXPECT_EQ(replace_controls("bücher 受付 \xF0\x9F\x94\xA5"), "bücher 受付 \xF0\x9F\x94\xA5");
}

TEST(Terminal, ReplacesEachCodePointThatIsNotAscii) {
  EXPECT_EQ(replace_non_ascii("bücher 受付\xff"), "b?cher ???");
}

TEST(Terminal, CountsColumns) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("bücher"), 6U);
  EXPECT_EQ(display_width("受付"), 4U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);  // U+0301
  EXPECT_EQ(display_width("\xF0\x9F\x94\xA5"), 2U);
}

TEST(Terminal, TruncatesToColumns) {
  EXPECT_EQ(truncate("abcdef", 6), "abcdef");
  EXPECT_EQ(truncate("abcdef", 4), "abc~");
  EXPECT_EQ(truncate("abcdef", 4, "…"), "abc…");
  EXPECT_EQ(truncate("受付受付", 4, "…"), "受…");
  EXPECT_EQ(truncate("abc", 1), "~");
  EXPECT_EQ(truncate("abc", 0), "");
}

TEST(Terminal, TruncatesTheMiddle) {
  EXPECT_EQ(truncate_middle("/run/php/php8.2-fpm.sock", 12, "…"), "/run/…m.sock");
  EXPECT_EQ(truncate_middle("受付受付受付:80", 9, "…"), "受付…:80");
  EXPECT_EQ(truncate_middle("short", 12, "…"), "short");
  EXPECT_EQ(truncate_middle("0.0.0.0:443", 4, "…"), "0.0…");
}

TEST(Terminal, DrawsABar) {
  EXPECT_EQ(bar(0, 4), "[....]");
  EXPECT_EQ(bar(0.01, 4), "[#...]");
  EXPECT_EQ(bar(0.99, 4), "[###.]");
  EXPECT_EQ(bar(7, 4), "[####]");
}

}  // namespace
}  // namespace inetdiag::diagnosis
