#include "collectors/fragments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Fragments, ExportMemoryAndLimitOfBothIpVersions) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/sockstat", "sockets: used 1\nFRAG: inuse 2 memory 5000\n");
  fixture.proc_tree.write("net/sockstat6", "FRAG6: inuse 3 memory 7000\n");
  fixture.proc_tree.write("sys/net/ipv4/ipfrag_high_thresh", "4194304\n");
  fixture.proc_tree.write("sys/net/ipv6/ip6frag_high_thresh", "none\n");
  EXPECT_THAT(fixture.lines(*make_fragments({})),
              ElementsAre("inetdiag_fragments_datagrams{family=\"ipv4\"} 2",
                          "inetdiag_fragments_datagrams{family=\"ipv6\"} 3",
                          "inetdiag_fragments_memory_bytes{family=\"ipv4\"} 5000",
                          "inetdiag_fragments_memory_bytes{family=\"ipv6\"} 7000",
                          "inetdiag_fragments_memory_limit_bytes{family=\"ipv4\"} 4194304"));
}

TEST(Fragments, AreAbsentWithoutIpv6) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/sockstat", "FRAG: inuse 0 memory 0\n");
  EXPECT_THAT(fixture.lines(*make_fragments({})),
              ElementsAre("inetdiag_fragments_datagrams{family=\"ipv4\"} 0",
                          "inetdiag_fragments_memory_bytes{family=\"ipv4\"} 0"));
  EXPECT_THAT(fixture.lines(*make_fragments({})), ::testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace inetdiag
