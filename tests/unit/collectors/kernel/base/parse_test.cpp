#include "collectors/kernel/base/parse.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag::kernel {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ParseWholeNumber, AcceptsItsRange) {
  EXPECT_EQ(parse_whole_number("256", 256, 65507), 256U);
  EXPECT_EQ(parse_whole_number("65507", 256, 65507), 65507U);
  EXPECT_EQ(parse_whole_number("010", 0, 10), 10U);
}

TEST(ParseWholeNumber, RejectsEverythingElse) {
  for (const auto* text : {"", "5", "65508", "-300", "+300", " 300", "300 ", "3e2", "300.0",
                           "0x200", "99999999999999999999"}) {
    EXPECT_THROW(parse_whole_number(text, 256, 65507), std::invalid_argument) << text;
  }
  EXPECT_THAT([] { parse_whole_number("5", 256, 65507); },
              ThrowsMessage<std::invalid_argument>("'5' is not a whole number from 256 to 65507"));
}

TEST(ParsePercentage, AcceptsTheSignOrOmitsIt) {
  EXPECT_DOUBLE_EQ(parse_percentage("0"), 0);
  EXPECT_DOUBLE_EQ(parse_percentage("0.5%"), 0.005);
  EXPECT_DOUBLE_EQ(parse_percentage("1"), 0.01);
  EXPECT_DOUBLE_EQ(parse_percentage("100%"), 1);
}

TEST(ParsePercentage, RejectsEverythingElse) {
  for (const auto* text : {"", "%", "-1", "101%", "x", "1%%", "nan", "inf", "0x1"}) {
    EXPECT_THROW(parse_percentage(text), std::invalid_argument) << text;
  }
  EXPECT_THAT([] { parse_percentage("101%"); },
              ThrowsMessage<std::invalid_argument>("'101%' is not a percentage from 0% to 100%"));
}

TEST(ParseDuration, AcceptsMillisecondsSecondsAndMinutes) {
  EXPECT_DOUBLE_EQ(parse_duration("500ms", milliseconds(0)).count(), 0.5);
  EXPECT_DOUBLE_EQ(parse_duration("1.5s", milliseconds(0)).count(), 1.5);
  EXPECT_DOUBLE_EQ(parse_duration("60m", milliseconds(0)).count(), 3600);
  EXPECT_DOUBLE_EQ(parse_duration("0s", milliseconds(0)).count(), 0);
}

TEST(ParseDuration, RejectsEverythingElse) {
  for (const auto* text : {"", "s", "5", "99ms", "-1s", "61m", "2h", "soon", "nans", "1 s"}) {
    EXPECT_THROW(parse_duration(text, milliseconds(100)), std::invalid_argument) << text;
  }
  EXPECT_THAT([] { parse_duration("10", milliseconds(100)); },
              ThrowsMessage<std::invalid_argument>(
                  "'10' is not a duration from 100ms to 60m; write it with a unit, as in 500ms, 5s "
                  "or 1m"));
  EXPECT_THAT([] { parse_duration("10", milliseconds(1000)); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("from 1s to 60m")));
}

}  // namespace
}  // namespace inetdiag::kernel
