#include "collectors/support/cpu_credit.h"

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr CpuCredit::Clock::time_point start{};

TEST(CpuCredit, StartsWithTheCreditOfAMinute) {
  CpuCredit credit(0.01, start);
  credit.spend(milliseconds(599));
  EXPECT_TRUE(credit.is_positive(start));
  credit.spend(milliseconds(2));
  EXPECT_FALSE(credit.is_positive(start));
}

TEST(CpuCredit, GrowsWithTime) {
  CpuCredit credit(0.01, start);
  credit.spend(milliseconds(1600));
  EXPECT_FALSE(credit.is_positive(start + seconds(99)));
  EXPECT_TRUE(credit.is_positive(start + seconds(101)));
}

TEST(CpuCredit, IsLimitedToTheCreditOfAMinute) {
  CpuCredit credit(0.01, start);
  EXPECT_TRUE(credit.is_positive(start + minutes(60)));
  credit.spend(milliseconds(601));
  EXPECT_FALSE(credit.is_positive(start + minutes(60)));
}

TEST(CpuCredit, IsNeverPositiveWithoutAShare) {
  CpuCredit credit(0, start);
  EXPECT_FALSE(credit.is_positive(start + minutes(60)));
  EXPECT_FALSE(credit.is_unlimited());
}

TEST(CpuCredit, IsUnlimitedWithAShareOfOneCpu) {
  CpuCredit credit(1, start);
  credit.spend(seconds(1000));
  EXPECT_TRUE(credit.is_positive(start));
  EXPECT_TRUE(credit.is_unlimited());
}

}  // namespace
}  // namespace inetdiag
