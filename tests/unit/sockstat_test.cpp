#include "collectors/kernel/sockstat.h"

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using kernel::sockstat_value;

constexpr std::string_view text =
    "sockets: used 231\nTCP: inuse 5 orphan 1 tw 65536 alloc 9 mem 3\nUDP: inuse 2 mem 1\n";

TEST(Sockstat, FindsAValueByProtocolAndKey) {
  EXPECT_EQ(sockstat_value(text, "TCP", "tw"), 65536U);
  EXPECT_EQ(sockstat_value(text, "TCP", "mem"), 3U);
  EXPECT_EQ(sockstat_value(text, "UDP", "mem"), 1U);
}

TEST(Sockstat, HasNoAnswerWhereThereIsNone) {
  EXPECT_FALSE(sockstat_value(text, "UDP", "tw"));
  EXPECT_FALSE(sockstat_value(text, "SCTP", "inuse"));
  EXPECT_FALSE(sockstat_value("", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("TCP: tw", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("TCP: tw many", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("TCP: tw -1", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("TCP", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("tw 5\n", "TCP", "tw"));
}

}  // namespace
}  // namespace inetdiag
