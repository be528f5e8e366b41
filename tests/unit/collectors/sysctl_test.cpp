#include "collectors/sysctl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kernel/proc/sysctl.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::sysctl_path;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(SysctlPath, AcceptsDotsAndSlashesAsSeparators) {
  EXPECT_EQ(sysctl_path("net.core.somaxconn"), "sys/net/core/somaxconn");
  EXPECT_EQ(sysctl_path("net/core/somaxconn"), "sys/net/core/somaxconn");
  EXPECT_EQ(sysctl_path("net.ipv4.conf.eth0/1.rp_filter"), "sys/net/ipv4/conf/eth0.1/rp_filter");
  EXPECT_EQ(sysctl_path("net/ipv4/conf/eth0.1/rp_filter"), "sys/net/ipv4/conf/eth0.1/rp_filter");
}

TEST(SysctlPath, StaysBelowProcSys) {
  for (const auto* name : {"", ".", "..", "/", "/net/core", "net/", "net/../../1/environ",
                           "net//core", "net..core", "net.core."}) {
    EXPECT_EQ(sysctl_path(name), "") << name;
  }
}

Settings including(const std::vector<std::string>& names) {
  Settings settings;
  for (const std::string& name : names) {
    settings.add("include", name);
  }
  return settings;
}

TEST(Sysctl, ExportsNumbersAndVectors) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/core/somaxconn", "4096\n");
  fixture.proc_tree.write("sys/net/ipv4/tcp_mem", "1\t2\t3\n");
  fixture.proc_tree.write("sys/net/ipv4/tcp_rmem", "4\t5\t6\n");
  fixture.proc_tree.write("sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
  fixture.proc_tree.write("sys/net/unix/max_dgram_qlen", "512\n");
  EXPECT_THAT(fixture.lines(*make_sysctl({})),
              ElementsAre("inetdiag_sysctl_net_core_somaxconn 4096",
                          "inetdiag_sysctl_net_ipv4_tcp_mem{field=\"low\"} 1",
                          "inetdiag_sysctl_net_ipv4_tcp_mem{field=\"pressure\"} 2",
                          "inetdiag_sysctl_net_ipv4_tcp_mem{field=\"high\"} 3",
                          "inetdiag_sysctl_net_ipv4_tcp_rmem{field=\"min\"} 4",
                          "inetdiag_sysctl_net_ipv4_tcp_rmem{field=\"default\"} 5",
                          "inetdiag_sysctl_net_ipv4_tcp_rmem{field=\"max\"} 6",
                          "inetdiag_sysctl_net_ipv4_ip_local_port_range{field=\"low\"} 32768",
                          "inetdiag_sysctl_net_ipv4_ip_local_port_range{field=\"high\"} 60999",
                          "inetdiag_sysctl_net_unix_max_dgram_qlen 512"));
}

TEST(Sysctl, IsNotAnErrorIfAbsentInThisKernel) {
  CollectorFixture fixture;
  const auto collection = fixture.collect(*make_sysctl(including({"net.ipv4.tcp_none"})));
  EXPECT_THAT(lines_of(collection.families), IsEmpty());
  EXPECT_THAT(collection.errors, IsEmpty());
}

TEST(Sysctl, ReportsAnIncludedSysctlThatDoesNotExist) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/ipv4/tcp_mtu_probing", "0\n");
  const auto sysctl = make_sysctl(including({"net.ipv4.tcp_mtu_probing", "net.ipv4.tcp_mtu"}));
  const auto collection = fixture.collect(*sysctl);
  ASSERT_EQ(collection.unmatched.size(), 1U);
  EXPECT_EQ(collection.unmatched[0].name, "include");
  EXPECT_THAT(collection.unmatched[0].what(), HasSubstr("no sysctl 'net.ipv4.tcp_mtu';"));
  // Other namespaces do not have host-wide sysctls.
  fixture.is_other_namespace = true;
  EXPECT_THAT(fixture.collect(*sysctl).unmatched, IsEmpty());
}

TEST(Sysctl, ExportsIncludedSysctlsAndTextValuesAsInfo) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/ipv4/tcp_congestion_control", "cubic\n");
  fixture.proc_tree.write("sys/net/ipv4/tcp_available_congestion_control", "reno  cubic\n");
  fixture.proc_tree.write("sys/net/ipv4/ip_local_reserved_ports", "\n");
  fixture.proc_tree.write("sys/fs/file-nr", "1024\t0\t9\n");
  EXPECT_THAT(
      fixture.lines(*make_sysctl(including({"net.ipv4.tcp_congestion_control", "fs.file-nr",
                                            "net.ipv4.tcp_available_congestion_control",
                                            "net.ipv4.ip_local_reserved_ports", "fs.file-nr"}))),
      UnorderedElementsAre(
          "inetdiag_sysctl_fs_file_nr{field=\"0\"} 1024",
          "inetdiag_sysctl_fs_file_nr{field=\"1\"} 0", "inetdiag_sysctl_fs_file_nr{field=\"2\"} 9",
          "inetdiag_sysctl_info{name=\"net.ipv4.tcp_congestion_control\",value=\"cubic\"} 1",
          "inetdiag_sysctl_info{name=\"net.ipv4.tcp_available_congestion_control\",value=\"reno "
          "cubic\"} 1",
          "inetdiag_sysctl_info{name=\"net.ipv4.ip_local_reserved_ports\"} 1"));
}

TEST(Sysctl, ExportsNegativeAndAdditionalNumbers) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/core/somaxconn", "-1\n");
  fixture.proc_tree.write("sys/net/ipv4/tcp_mem", "1 2 3 4\n");
  EXPECT_THAT(fixture.lines(*make_sysctl({})),
              ElementsAre("inetdiag_sysctl_net_core_somaxconn -1",
                          "inetdiag_sysctl_net_ipv4_tcp_mem{field=\"low\"} 1",
                          "inetdiag_sysctl_net_ipv4_tcp_mem{field=\"pressure\"} 2",
                          "inetdiag_sysctl_net_ipv4_tcp_mem{field=\"high\"} 3",
                          "inetdiag_sysctl_net_ipv4_tcp_mem{field=\"3\"} 4"));
}

TEST(Sysctl, ExportsTheOthersIfOneCannotBeRead) {
  CollectorFixture fixture;
  fixture.proc_tree.make_directory("sys/net/core/somaxconn");
  fixture.proc_tree.write("sys/net/ipv4/tcp_syncookies", "1\n");
  const auto collection = fixture.collect(*make_sysctl({}));
  EXPECT_THAT(lines_of(collection.families),
              ElementsAre("inetdiag_sysctl_net_ipv4_tcp_syncookies 1"));
  EXPECT_THAT(collection.errors, ElementsAre(HasSubstr("sys/net/core/somaxconn")));
}

TEST(Sysctl, RejectsInvalidNames) {
  for (const auto* name : {"", "../etc/passwd", "net.core.somaxconn\n", "a b", "net.\\n"}) {
    EXPECT_THROW(make_sysctl(including({name})), SettingError) << name;
  }
}

TEST(Sysctl, ExportsLimitsAndIncludedSysctlsOfOtherNamespaces) {
  CollectorFixture fixture;
  fixture.is_other_namespace = true;
  for (const auto* file : {"net/core/somaxconn", "net/core/rmem_max", "net/ipv4/tcp_fin_timeout",
                           "net/netfilter/nf_conntrack_max", "fs/file-max", "kernel/threads-max",
                           "net/ipv4/tcp_syncookies", "net/ipv4/tcp_mtu_probing"}) {
    fixture.proc_tree.write(std::string("sys/") + file, "1\n");
  }
  EXPECT_THAT(fixture.lines(*make_sysctl(
                  including({"kernel.threads-max", "net/ipv4/tcp_fin_timeout",
                             "net.ipv4.tcp_mtu_probing", "net.netfilter.nf_conntrack_max"}))),
              UnorderedElementsAre("inetdiag_sysctl_net_core_somaxconn 1",
                                   "inetdiag_sysctl_net_ipv4_tcp_syncookies 1",
                                   "inetdiag_sysctl_net_ipv4_tcp_fin_timeout 1",
                                   "inetdiag_sysctl_net_ipv4_tcp_mtu_probing 1"));
}

}  // namespace
}  // namespace inetdiag
