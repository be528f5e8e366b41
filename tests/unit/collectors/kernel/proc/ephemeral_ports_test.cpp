#include "collectors/kernel/proc/ephemeral_ports.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::kernel {
namespace {

std::size_t number_of_ports(std::string_view range, std::string_view reserved = "") {
  return parse_ephemeral_ports(range, reserved).value().count();
}

TEST(EphemeralPorts, AreTheRangeWithBothEnds) {
  const PortSet ports = parse_ephemeral_ports("32768\t60999\n", "\n").value();
  EXPECT_EQ(ports.count(), 28232U);
  EXPECT_FALSE(ports[32767]);
  EXPECT_TRUE(ports[32768]);
  EXPECT_TRUE(ports[60999]);
  EXPECT_FALSE(ports[61000]);
}

TEST(EphemeralPorts, DoNotIncludeReservedPorts) {
  const PortSet ports = parse_ephemeral_ports("1000 1009", "80,1001,1004-1006,65535\n").value();
  EXPECT_EQ(ports.count(), 6U);
  EXPECT_FALSE(ports[1001]);
  EXPECT_TRUE(ports[1003]);
  EXPECT_FALSE(ports[1004]);
  EXPECT_FALSE(ports[1006]);
}

TEST(EphemeralPorts, CanBeAllPorts) {
  EXPECT_EQ(number_of_ports("1 65535"), 65535U);
  EXPECT_EQ(number_of_ports("1000 1000"), 1U);
  EXPECT_EQ(number_of_ports("0 65535"), 65536U);
  EXPECT_EQ(number_of_ports("1024 65535", "0-65535"), 0U);
}

TEST(EphemeralPorts, AreUnknownIfATextIsInvalid) {
  for (const char* range : {"", "\n", "1", "a b", "2 1", "1 2 3", "1 65536", "-1 5", "1-2"}) {
    EXPECT_FALSE(parse_ephemeral_ports(range, "")) << range;
  }
  for (const char* reserved :
       {"a", "1,", "1,,2", "1-", "-1", "2-1", "1-2-3", "65536", "1 2", ",", "1;2", "0x10"}) {
    // The kernel writes no comma at the end; one is harmless.
    EXPECT_EQ(parse_ephemeral_ports("1 9", reserved).has_value(), std::string(reserved) == "1,")
        << reserved;
  }
}

TEST(EphemeralPorts, AreReadFromSysctls) {
  testing::TemporaryTree tree;
  const FileTree files(tree.root());
  const Deadline deadline = Deadline::in(std::chrono::seconds(10));
  CachedFiles before(files, deadline);
  EXPECT_FALSE(read_ephemeral_ports(before));

  tree.write("sys/net/ipv4/ip_local_port_range", "1000\t1009\n");
  CachedFiles without_reserved(files, deadline);
  EXPECT_EQ(read_ephemeral_ports(without_reserved).value().ports.count(), 10U);
  EXPECT_EQ(read_ephemeral_ports(without_reserved).value().reuse, TimeWaitReuse::off);

  tree.write("sys/net/ipv4/ip_local_reserved_ports", "1001\n");
  tree.write("sys/net/ipv4/tcp_tw_reuse", "2\n");
  CachedFiles all(files, deadline);
  EXPECT_EQ(read_ephemeral_ports(all).value().ports.count(), 9U);
  EXPECT_EQ(read_ephemeral_ports(all).value().reuse, TimeWaitReuse::loopback);

  tree.write("sys/net/ipv4/tcp_tw_reuse", "1\n");
  CachedFiles with_reuse(files, deadline);
  EXPECT_EQ(read_ephemeral_ports(with_reuse).value().reuse, TimeWaitReuse::on);
}

}  // namespace
}  // namespace inetdiag::kernel
