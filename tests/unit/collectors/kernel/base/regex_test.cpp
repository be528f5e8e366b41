#include "collectors/kernel/base/regex.h"

#include <chrono>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag::kernel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Regex, MatchesAnywhereInTheText) {
  EXPECT_TRUE(Regex("Listen").matches("TcpExtListenDrops"));
  EXPECT_TRUE(Regex("^TcpExt.*Drops$").matches("TcpExtListenDrops"));
  EXPECT_FALSE(Regex("^Listen").matches("TcpExtListenDrops"));
  EXPECT_FALSE(Regex("listen").matches("TcpExtListenDrops"));
  EXPECT_TRUE(Regex("(?i)listen").matches("TcpExtListenDrops"));
}

TEST(Regex, IsSharedByItsCopies) {
  const auto copy = [] { return Regex("a"); }();
  EXPECT_TRUE(copy.matches("bab"));
}

// A backtracking implementation needs 2^n steps.
TEST(Regex, NestedQuantifiersTakeLinearTime) {
  const Regex regex("(a+)+b");
  const std::string text(100'000, 'a');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(regex.matches(text));
  EXPECT_TRUE(regex.matches(text + "b"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

void expect_rejected(const std::string& expression, const std::string& reason) {
  EXPECT_THAT([&] { Regex{expression}; },
              ThrowsMessage<std::invalid_argument>(AllOf(
                  HasSubstr("'" + expression + "' is not a regular expression that RE2 supports: "),
                  HasSubstr(reason), HasSubstr("wiki/Syntax"))));
}

TEST(Regex, RejectsInvalidExpressions) {
  expect_rejected("(", "missing )");
  expect_rejected("[", "missing ]");
  expect_rejected("*", "no argument for repetition operator");
}

TEST(Regex, RejectsWhatRe2DoesNotSupport) {
  expect_rejected(R"((a)\1)", R"(invalid escape sequence: \1)");
  expect_rejected("(?=a)", "invalid perl operator: (?=");
}

TEST(Regex, RejectsExpressionsThatNeedTooMuchMemory) {
  expect_rejected("((a{100}){100}){100}", "");
}

}  // namespace
}  // namespace inetdiag::kernel
