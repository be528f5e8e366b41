#include "exporter/diagnosis/sparkline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag::diagnosis {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Listener listener_with(double fill, std::vector<std::optional<double>> ratios) {
  Listener listener;
  listener.fill = fill;
  listener.recent_fill = {.labels = {}, .slot_seconds = 10, .ratios = std::move(ratios)};
  return listener;
}

TEST(Sparkline, IsEmptyWithoutAHistory) {
  EXPECT_EQ(sparkline(Listener(), "a"), "");
  EXPECT_EQ(highest_recent_fill(Listener()), "");
}

TEST(Sparkline, HasABarForEachSlotWithASample) {
  const std::string svg = sparkline(listener_with(0, {0.5, std::nullopt, 0, 0.001, 1}), "a");
  EXPECT_THAT(svg, HasSubstr("viewBox=\"0 0 20 20\""));
  EXPECT_THAT(svg, HasSubstr("<path d=\"M0 20h3v-9.0h-3zM8 20h3v-1.0h-3zM12 20h3v-2.0h-3z\"/>"));
  EXPECT_THAT(svg, HasSubstr("<path class=\"full\" d=\"M16 20h3v-18.0h-3z\"/>"));
}

TEST(Sparkline, HasATextForScreenReaders) {
  EXPECT_THAT(sparkline(listener_with(0.125, {0.97, 0}), "0.0.0.0:80"),
              AllOf(HasSubstr("role=\"img\""),
                    HasSubstr("aria-label=\"Accept queue of 0.0.0.0:80 in the last 5 minutes: now "
                              "12 %, highest 97 %\"")));
}

TEST(Sparkline, CountsTheFillNowAmongTheHighest) {
  EXPECT_EQ(highest_recent_fill(listener_with(0.5, {0.25})), "50 %");
  EXPECT_EQ(highest_recent_fill(listener_with(0, {0.001})), "<1 %");
  EXPECT_EQ(highest_recent_fill(listener_with(0, {0})), "0 %");
}

TEST(Sparkline, StaysWithinItsHeight) {
  EXPECT_THAT(sparkline(listener_with(1, {1.5}), "a"), HasSubstr("v-18.0h"));
}

TEST(Sparkline, EscapesTheName) {
  EXPECT_THAT(sparkline(listener_with(1, {1}), "\"><script>"),
              AllOf(HasSubstr("&quot;&gt;&lt;script&gt;"), Not(HasSubstr("<script"))));
}

}  // namespace
}  // namespace inetdiag::diagnosis
