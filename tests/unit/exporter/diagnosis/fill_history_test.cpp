#include "exporter/diagnosis/fill_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag::diagnosis {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

QueueFill filled_queue(const std::string& name, double ratio) {
  return {.key = {.name = name}, .ratio = ratio};
}

TEST(FillHistory, KeepsTheLastSlots) {
  FillHistory history(2, 10);
  for (int i = 1; i <= 40; ++i) {
    history.add({filled_queue("a", i)});
  }
  EXPECT_THAT(history.of({.name = "a"}), SizeIs(FillHistory::slots));
  EXPECT_EQ(history.of({.name = "a"}).front(), 11);
  EXPECT_EQ(history.peak({.name = "a"}), 40);
}

TEST(FillHistory, HoldsTheMaximumOfShortIntervals) {
  FillHistory history(0.5, 10);
  EXPECT_EQ(history.slot_seconds(), 2);
  for (const double ratio : {0.1, 0.9, 0.2, 0.3, 0.5}) {
    history.add({filled_queue("a", ratio)});
  }
  EXPECT_THAT(history.of({.name = "a"}), ElementsAre(0.9, 0.5));
  EXPECT_EQ(FillHistory(10, 1).slot_seconds(), 10);
}

TEST(FillHistory, IsEmptyBeforeAQueueHasEntries) {
  FillHistory history(2, 10);
  history.add({});
  history.add({filled_queue("a", 0)});
  EXPECT_EQ(history.size(), 0U);
  history.add({filled_queue("a", 1)});
  EXPECT_THAT(history.of({.name = "a"}), ElementsAre(0, 0, 1));
  EXPECT_THAT(history.of({.name = "b"}), ElementsAre(0, 0, 0));
}

TEST(FillHistory, ForgetsQueuesThatStayEmpty) {
  FillHistory history(2, 10);
  history.add({filled_queue("a", 1)});
  for (std::size_t i = 0; i < FillHistory::slots; ++i) {
    history.add({});
  }
  EXPECT_EQ(history.size(), 0U);
}

TEST(FillHistory, KeepsTheFullestQueues) {
  FillHistory history(2, 2);
  history.add({filled_queue("a", 0.1), filled_queue("b", 0.3), filled_queue("c", 0.2)});
  EXPECT_EQ(history.size(), 2U);
  EXPECT_EQ(history.peak({.name = "a"}), 0);
  EXPECT_EQ(history.peak({.name = "b"}), 0.3);
}

}  // namespace
}  // namespace inetdiag::diagnosis
