#include "collectors/kernel/proc/counter_file.h"

#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Parser = void (*)(std::string_view, const kernel::EachCounter&);

std::vector<std::string> parsed(Parser parse, std::string_view text) {
  std::vector<std::string> counters;
  parse(text, [&](const kernel::Counter& counter) {
    counters.push_back(std::string(counter.group) + "." + std::string(counter.name) + "=" +
                       std::to_string(static_cast<long long>(counter.value)));
  });
  return counters;
}

std::vector<std::string> pairs(std::string_view text) {
  return parsed(kernel::parse_counter_pairs, text);
}
std::vector<std::string> lines(std::string_view text) {
  return parsed(kernel::parse_counter_lines, text);
}

TEST(ParseCounterPairs, PairsNamesWithValues) {
  EXPECT_THAT(pairs("Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: MaxConn\nTcp: -1\n"),
              ElementsAre("Ip.Forwarding=1", "Ip.DefaultTTL=64", "Tcp.MaxConn=-1"));
}

TEST(ParseCounterPairs, StopsAtTheShorterLine) {
  EXPECT_THAT(pairs("A: x y\nA: 1\nB: z\nB: 2 3\n"), ElementsAre("A.x=1", "B.z=2"));
}

TEST(ParseCounterPairs, IgnoresValuesThatAreNotNumbers) {
  EXPECT_THAT(pairs("A: x y z\nA: 1 two 3\n"), ElementsAre("A.x=1", "A.z=3"));
  EXPECT_THAT(pairs("A: x\nA: 99999999999999999999999\n"), IsEmpty());
}

TEST(ParseCounterPairs, IgnoresLinesWithoutCounterpart) {
  EXPECT_THAT(pairs("A: x\nB: y\nB: 2\n"), ElementsAre("B.y=2"));
  EXPECT_THAT(pairs("A: x\nA: 1\nB: y\n"), ElementsAre("A.x=1"));
}

TEST(ParseCounterPairs, AcceptsMalformedText) {
  EXPECT_THAT(pairs(""), IsEmpty());
  EXPECT_THAT(pairs("\n\n:\n:\n"), IsEmpty());
  EXPECT_THAT(pairs("A"), IsEmpty());
  EXPECT_THAT(pairs("A:\nA:"), IsEmpty());
  EXPECT_THAT(pairs(": x\n: 1\n"), IsEmpty());
  EXPECT_THAT(pairs(std::string_view("A: \0\nA: 1\n", 11)), ElementsAre(std::string("A.\0=1", 5)));
  EXPECT_THAT(pairs("A: x\nA: 1"), ElementsAre("A.x=1"));
}

TEST(ParseCounterPairs, ParsesTheLargestCounter) {
  double value = 0;
  kernel::parse_counter_pairs("A: x\nA: 18446744073709551615\n",
                              [&](const kernel::Counter& counter) { value = counter.value; });
  EXPECT_EQ(value, static_cast<double>(std::numeric_limits<std::uint64_t>::max()));
}

TEST(FindCounter, ReturnsIntegersAndNoNegativeValues) {
  const auto find = [](const std::string& value) {
    return kernel::find_counter("Tcp: InSegs CurrEstab\nTcp: 1 " + value + "\n", "Tcp",
                                "CurrEstab");
  };
  EXPECT_EQ(find("7"), 7U);
  EXPECT_EQ(find("9223372036854775807"), 9223372036854775807U);
  EXPECT_EQ(find("-5"), 0U);
  EXPECT_EQ(find("18446744073709551611"), 0U);
  EXPECT_FALSE(find("99999999999999999999999"));
  EXPECT_FALSE(find("x"));
  EXPECT_FALSE(find(""));
  EXPECT_FALSE(kernel::find_counter("Udp: CurrEstab\nUdp: 7\n", "Tcp", "CurrEstab"));
}

TEST(ParseCounterLines, SplitsGroupAndName) {
  EXPECT_THAT(lines("Ip6InReceives                   \t29\nIcmp6InType135\t2\nUdp6NoPorts 3\n"),
              ElementsAre("Ip6.InReceives=29", "Icmp6.InType135=2", "Udp6.NoPorts=3"));
}

TEST(ParseCounterLines, IgnoresMalformedLines) {
  EXPECT_THAT(lines("Ip6InReceives\nInReceives 1\nIp6 1\nIp6X two\n\nIp6Y 3"),
              ElementsAre("Ip6.Y=3"));
}

}  // namespace
}  // namespace inetdiag
