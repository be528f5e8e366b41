#include "collectors/kernel/proc/tcp_activity.h"

#include <gtest/gtest.h>

#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::TcpActivity;

struct ActivityHost {
  testing::TemporaryTree tree;

  ActivityHost() {
    snmp("1 2 3");
    sockstat(0, 0);
  }
  void snmp(const std::string& values) const {
    tree.write("net/snmp",
               "Tcp: ActiveOpens InSegs OutSegs\nTcp: " + values + "\nUdp: InDatagrams\nUdp: 99\n");
  }
  void sockstat(int in_use, int time_wait) const {
    tree.write("net/sockstat", "sockets: used 9\nTCP: inuse " + std::to_string(in_use) +
                                   " orphan 7 tw " + std::to_string(time_wait) +
                                   " alloc 9 mem 1\n");
  }
  TcpActivity activity() const {
    const kernel::FileTree root(tree.root());
    const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
    kernel::CachedFiles files(root, deadline);
    return kernel::tcp_activity(files);
  }
};

TEST(TcpActivity, CountsBothFamiliesAndTimeWait) {
  const ActivityHost host;
  EXPECT_TRUE(host.activity().has_no_connections());
  host.sockstat(1, 0);
  EXPECT_FALSE(host.activity().has_no_connections());
  host.sockstat(0, 1);
  EXPECT_FALSE(host.activity().has_no_connections());
  host.sockstat(0, 0);
  host.tree.write("net/sockstat6", "TCP6: inuse 1\n");
  EXPECT_FALSE(host.activity().has_no_connections());
}

TEST(TcpActivity, HasNoConnectionsBeforeTheFirstSegment) {
  const ActivityHost host;
  host.sockstat(5, 0);
  host.snmp("0 0 0");
  EXPECT_TRUE(host.activity().has_no_connections());
}

TEST(TcpActivity, IsUnchangedWithoutSegments) {
  const ActivityHost host;
  const TcpActivity before = host.activity();
  EXPECT_TRUE(host.activity().is_unchanged_since(before));
  for (const auto* changed : {"2 2 3", "1 3 3", "1 2 4"}) {
    host.snmp(changed);
    EXPECT_FALSE(host.activity().is_unchanged_since(before)) << changed;
  }
}

TEST(TcpActivity, IsAssumedWithoutCounters) {
  const ActivityHost host;
  host.tree.write("net/snmp", "");
  host.tree.write("net/sockstat", "");
  const TcpActivity unknown = host.activity();
  EXPECT_FALSE(unknown.has_no_connections());
  EXPECT_FALSE(unknown.is_unchanged_since(unknown));
}

}  // namespace
}  // namespace inetdiag
