// What drops packets outside the queues of TCP, UDP and UNIX sockets: fragments, queueing
// disciplines, netlink, raw and packet sockets, neighbour tables. Compared with nstat, tc, ss, ip
// and the statistics of the sockets themselves.
#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/network_namespace.h"

namespace inetdiag {
namespace {

using namespace testing;

using Path = NetworkNamespace;

/// Returns the first number that the expression captures in the output of a command.
double number_in(const std::string& command, const std::string& expression) {
  const std::string output = output_of(command);
  std::smatch match;
  if (!std::regex_search(output, match, std::regex(expression))) {
    ADD_FAILURE() << expression << " is not in: " << output;
    return 0;
  }
  return std::stod(match[1]);
}

void limit_receive_buffer(const UniqueFd& socket) {
  const int smallest = 1;
  ASSERT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest), 0);
}

/// Sends the first fragments of datagrams to the loopback address, which wait for the others.
void send_first_fragments(int count) {
  const UniqueFd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  ASSERT_TRUE(raw) << std::strerror(errno);
  struct Packet {
    iphdr header;
    std::array<char, 1000> data;
  } packet{};
  packet.header.version = 4;
  packet.header.ihl = 5;
  packet.header.ttl = 64;
  packet.header.protocol = IPPROTO_UDP;
  packet.header.frag_off = htons(IP_MF);
  packet.header.saddr = packet.header.daddr = htonl(INADDR_LOOPBACK);
  const sockaddr_in name = loopback(0);
  for (int i = 0; i < count; ++i) {
    packet.header.id = htons(static_cast<std::uint16_t>(i + 1));
    ASSERT_EQ(::sendto(raw.get(), &packet, sizeof packet, 0,
                       reinterpret_cast<const sockaddr*>(&name), sizeof name),
              ssize_t{sizeof packet});
  }
}

TEST_F(Path, ShowTheMemoryOfFragmentsAndItsLimit) {
  send_first_fragments(10);
  const Series page = scrape();
  const std::string sockstat = "cat /proc/thread-self/net/sockstat";
  EXPECT_EQ(page["inetdiag_fragments_datagrams{family=\"ipv4\"}"], 10);
  EXPECT_EQ(page["inetdiag_fragments_memory_bytes{family=\"ipv4\"}"],
            number_in(sockstat, "FRAG: inuse 10 memory (\\d+)"));
  EXPECT_GT(page["inetdiag_fragments_memory_bytes{family=\"ipv4\"}"], 10'000);
  EXPECT_EQ(page["inetdiag_nstat_ip_reasm_fails_total"], 0);

  set_sysctl("net/ipv4/ipfrag_low_thresh", "10000");
  set_sysctl("net/ipv4/ipfrag_high_thresh", "20000");
  send_first_fragments(100);
  const Series full = scrape();
  EXPECT_EQ(full["inetdiag_fragments_memory_limit_bytes{family=\"ipv4\"}"], 20'000);
  EXPECT_GT(full["inetdiag_fragments_memory_bytes{family=\"ipv4\"}"], 19'000);
  EXPECT_GT(full["inetdiag_nstat_ip_reasm_fails_total"], 0);
  EXPECT_EQ(full["inetdiag_nstat_ip_reasm_fails_total"], nstat("IpReasmFails"));
}

TEST_F(Path, ShowTheQueueingDisciplineOfADeviceAsTcDoes) {
  if (std::system("ip link add slow type veth peer name far 2>/dev/null && "
                  "tc qdisc add dev slow root handle 1: tbf rate 1kbit burst 2000 limit 3000 "
                  "2>/dev/null") != 0) {
    GTEST_SKIP() << "this kernel has no veth or no sch_tbf";
  }
  // Neither ARP nor IPv6 sends a packet of its own between the two readings.
  output_of("! cd /proc/sys/net/ipv6/conf/slow 2>/dev/null || echo 1 >disable_ipv6");
  // The peer comes first: then the queueing discipline is active when `ip` returns, not some time
  // later.
  output_of(
      "ip link set slow arp off && ip addr add 10.98.0.1/24 dev slow && ip link set far up && "
      "ip link set slow up");
  const UniqueFd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(9);
  ASSERT_EQ(inet_pton(AF_INET, "10.98.0.2", &name.sin_addr), 1);
  const std::string data(900, 'x');
  for (int i = 0; i < 50; ++i) {
    // ENOBUFS: the queue dropped it.
    (void)::sendto(sender.get(), data.data(), data.size(), 0,
                   reinterpret_cast<const sockaddr*>(&name), sizeof name);
  }
  const std::string tc = "tc -s qdisc show dev slow";
  const std::string at = R"({device="slow",kind="tbf"})";
  const Series page = scrape();
  EXPECT_EQ(page["inetdiag_qdisc_drops_total" + at], number_in(tc, "dropped (\\d+)"));
  EXPECT_GT(page["inetdiag_qdisc_drops_total" + at], 30);
  EXPECT_GT(page["inetdiag_qdisc_packets_total" + at], 0);
  EXPECT_EQ(page["inetdiag_qdisc_limit_bytes" + at], 3000);
  EXPECT_GT(page["inetdiag_qdisc_queue_packets" + at], 0);
  EXPECT_GT(page["inetdiag_qdisc_overlimits_total" + at], 0);
  EXPECT_FALSE(page.contains(R"(inetdiag_qdisc_drops_total{device="lo",kind="noqueue"})"));
}

TEST_F(Path, CountTheMessagesThatANetlinkSocketLost) {
  const UniqueFd monitor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  limit_receive_buffer(monitor);
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = RTMGRP_LINK;
  ASSERT_EQ(::bind(monitor.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  const std::string at = R"({protocol="route"})";
  EXPECT_EQ(scrape()["inetdiag_netlink_drops_total" + at], 0);

  output_of("for i in $(seq 20); do ip link set lo mtu $((30000 + i)); done");
  const Series page = scrape();
  const std::string netlink = "cat /proc/thread-self/net/netlink";
  EXPECT_EQ(page["inetdiag_netlink_sockets" + at], 1);
  EXPECT_EQ(page["inetdiag_netlink_drops_total" + at],
            number_in(netlink, "\\n\\w+ +0 +[1-9]\\d* +\\w+ +\\d+ +\\d+ +\\d+ +\\d+ +(\\d+)"));
  EXPECT_GT(page["inetdiag_netlink_drops_total" + at], 10);
  EXPECT_GT(page["inetdiag_netlink_receive_queue_bytes" + at], 0);
  const auto sockets = page.labels_of("inetdiag_netlink_socket_info");
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_THAT(sockets[0], ::testing::HasSubstr("pid=\"" + std::to_string(::getpid()) + "\""));
}

TEST_F(Path, CountThePacketsThatARawSocketDropped) {
  const UniqueFd receiver(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  ASSERT_TRUE(receiver) << std::strerror(errno);
  limit_receive_buffer(receiver);
  const UniqueFd sender(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  constexpr int icmp_filter = 1;  // linux/icmp.h, which conflicts with netinet/ip_icmp.h
  const int last_type_only = ~(1 << ICMP_TIMESTAMPREPLY);
  ASSERT_EQ(
      ::setsockopt(sender.get(), SOL_RAW, icmp_filter, &last_type_only, sizeof last_type_only), 0);
  icmphdr reply{};
  reply.type = ICMP_ECHOREPLY;
  reply.checksum = 0xffff;
  const sockaddr_in name = loopback(0);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(::sendto(sender.get(), &reply, sizeof reply, 0,
                       reinterpret_cast<const sockaddr*>(&name), sizeof name),
              ssize_t{sizeof reply});
  }
  const std::string at = R"({family="ipv4",protocol="icmp"})";
  const Series page = scrape();
  EXPECT_EQ(page["inetdiag_raw_sockets" + at], 2);
  EXPECT_GT(page["inetdiag_raw_drops_total" + at], 30);
  EXPECT_EQ(page["inetdiag_raw_drops_total" + at],
            number_in("cat /proc/thread-self/net/raw", " ([1-9]\\d*) *\\n"));
  EXPECT_GT(page["inetdiag_raw_receive_queue_bytes" + at], 0);
}

TEST_F(Path, CountThePacketsThatAPacketSocketDropped) {
  const UniqueFd capture(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP)));
  ASSERT_TRUE(capture) << std::strerror(errno);
  limit_receive_buffer(capture);
  const UniqueFd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in name = loopback(9);
  for (int i = 0; i < 50; ++i) {
    // ECONNREFUSED of the datagram before.
    (void)::sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&name), sizeof name);
  }
  const std::string at = R"({protocol="ip"})";
  const Series page = scrape();
  if (!page.contains("inetdiag_packet_sockets" + at)) {
    GTEST_SKIP() << "this kernel has no packet_diag";
  }
  tpacket_stats statistics{};
  socklen_t size = sizeof statistics;
  ASSERT_EQ(::getsockopt(capture.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size), 0);
  EXPECT_EQ(page["inetdiag_packet_sockets" + at], 1);
  EXPECT_EQ(page["inetdiag_packet_drops_total" + at], statistics.tp_drops);
  EXPECT_GT(page["inetdiag_packet_drops_total" + at], 30);
  EXPECT_GT(page["inetdiag_packet_receive_queue_bytes" + at], 0);
}

/// The entries of the neighbour table of IPv6 according to ip(8).
double ndisc_entries() { return number_in("ip -s ntable show name ndisc_cache", "entries (\\d+)"); }

TEST_F(Path, ShowTheNeighbourTableOfAllNamespaces) {
  // Of the parent, because other tests of this process have left theirs.
  const std::string parent = "/proc/" + std::to_string(::getppid()) + "/ns/net";
  const UniqueFd initial(::open(parent.c_str(), O_RDONLY | O_CLOEXEC));
  if (!initial) {
    GTEST_SKIP() << "cannot open " << parent << ": " << std::strerror(errno);
  }
  if (std::system("ip link add hole type veth peer name far 2>/dev/null") != 0) {
    GTEST_SKIP() << "this kernel has no veth";
  }
  output_of("ip link set hole up && ip link set far up");
  output_of(
      "for i in $(seq 100); do ip -6 neigh add fd00::$i dev hole lladdr 02:00:00:00:00:01 "
      "nud stale || exit 1; done");
  ASSERT_FALSE(scrape().contains("inetdiag_neighbour_entries{family=\"ipv6\"}"));
  const UniqueFd own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (::setns(initial.get(), CLONE_NEWNET) != 0) {
    GTEST_SKIP() << "cannot enter the network namespace of the parent: " << std::strerror(errno);
  }
  const bool is_initial = ::access("/proc/thread-self/net/stat/ndisc_cache", R_OK) == 0;
  std::optional<Series> page;
  double before = 0;
  do {
    before = ndisc_entries();
    page = scrape({});
  } while (before != ndisc_entries());
  ASSERT_EQ(::setns(own.get(), CLONE_NEWNET), 0);
  if (!is_initial) {
    GTEST_SKIP() << "the parent process is not in the initial network namespace";
  }
  EXPECT_EQ((*page)["inetdiag_neighbour_entries{family=\"ipv6\"}"], before);
  EXPECT_GE(before, 100);
  EXPECT_GT((*page)["inetdiag_neighbour_limit{family=\"ipv6\"}"], 0);
}

TEST_F(Path, ShowTheOpenFilesOfTheHost) {
  const Series before = scrape();
  std::vector<UniqueFd> sockets;
  for (int i = 0; i < 200; ++i) {
    sockets.emplace_back(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }
  const Series page = scrape();
  const std::string file_nr = "cat /proc/sys/fs/file-nr";
  EXPECT_NEAR(page["inetdiag_open_files"], number_in(file_nr, "^(\\d+)"), 100);
  EXPECT_GT(page["inetdiag_open_files"], before["inetdiag_open_files"] + 100);
  EXPECT_EQ(page["inetdiag_open_files_limit"], number_in(file_nr, "(\\d+)\\n$"));
}

}  // namespace
}  // namespace inetdiag
