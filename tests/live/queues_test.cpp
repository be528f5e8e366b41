// TCP listeners under load, compared with ss and nstat.
#include <sstream>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collectors/kernel/netlink/tcp_table.h"
#include "tests/live/network_namespace.h"

namespace inetdiag {
namespace {

using namespace testing;
using ::testing::AnyOf;

using Queues = NetworkNamespace;

std::string labels(const std::string& address, std::uint16_t port) {
  return "{address=\"" + address + "\",port=\"" + std::to_string(port) + "\"}";
}

/// Returns Recv-Q and Send-Q of a listener as reported by ss.
std::pair<double, double> ss_queues(std::uint16_t port) {
  std::istringstream line(output_of("ss -ltnH sport = " + std::to_string(port)));
  std::string state;
  std::pair<double, double> queues;
  line >> state >> queues.first >> queues.second;
  EXPECT_EQ(state, "LISTEN");
  return queues;
}

bool has_somaxconn() { return ::access("/proc/sys/net/core/somaxconn", R_OK) == 0; }

/// Starts connections that are not accepted.
std::vector<UniqueFd> connect_many(std::uint16_t port, int connections) {
  std::vector<UniqueFd> clients;
  for (int i = 0; i < connections; ++i) {
    clients.push_back(connect_to("127.0.0.1", port));
  }
  return clients;
}

TEST_F(Queues, CountAcceptQueueOverflows) {
  const UniqueFd listener = listen_on({.backlog = 4});
  const std::uint16_t port = port_of(listener);
  const auto clients = connect_many(port, 20);
  wait_until("the kernel dropped connections", [] { return nstat("TcpExtListenDrops") >= 15; });

  const Series page = scrape_while_unchanged({"TcpExtListenDrops", "TcpExtListenOverflows"});
  const std::string at = labels("127.0.0.1", port);
  const auto [waiting, backlog] = ss_queues(port);
  EXPECT_EQ(page["inetdiag_listener_accept_queue_length" + at], waiting);
  EXPECT_EQ(page["inetdiag_listener_accept_queue_limit" + at], backlog);
  EXPECT_EQ(backlog, 4);
  EXPECT_GE(page["inetdiag_listener_accept_queue_fill_ratio" + at], 1);
  EXPECT_GE(page["inetdiag_listener_socket_drops_total" + at], 15);
  EXPECT_EQ(page["inetdiag_listener_socket_drops_total" + at],
            page["inetdiag_nstat_tcpext_listen_drops_total"]);
  EXPECT_EQ(page["inetdiag_nstat_tcpext_listen_drops_total"],
            page["inetdiag_nstat_tcpext_listen_overflows_total"]);
  EXPECT_EQ(page.contains("inetdiag_listener_backlog_capped" + at), has_somaxconn());
  if (has_somaxconn()) {
    EXPECT_EQ(page["inetdiag_listener_backlog_capped" + at], 0);
  }
}

/// Returns the length of a SYN queue as reported by ss.
std::uint64_t ss_syn_queue(std::uint16_t port) {
  return std::stoull(
      output_of("ss -tanH state syn-recv sport = " + std::to_string(port) + " | wc -l"));
}

/// Sends 40 SYNs to a listener with a backlog of 8. Returns the length of its SYN queue: backlog +
/// 1, or the backlog before Linux 5.10.234, 6.1.125 and 6.12.10.
template <typename CountOthers>
std::uint64_t flood_with_syns(std::uint16_t port, CountOthers count_others) {
  send_syns("10.99.0.1", port, 40);
  wait_until("the kernel has processed all SYNs",
             [&] { return count_others() + ss_syn_queue(port) >= 40; });
  const std::uint64_t length = ss_syn_queue(port);
  EXPECT_THAT(length, AnyOf(8U, 9U));
  return length;
}

TEST_F(Queues, CountSynFloodsWithCookies) {
  add_black_hole();
  set_sysctl("net/ipv4/tcp_syncookies", "1");
  const UniqueFd listener = listen_on({.address = "10.99.0.1", .backlog = 8});
  const std::uint16_t port = port_of(listener);
  const auto length = static_cast<double>(
      flood_with_syns(port, [] { return nstat("TcpExtTCPReqQFullDoCookies"); }));
  RecordProperty("syn_queue_at_backlog_8", static_cast<int>(length));

  const Series page = scrape();
  const std::string at = labels("10.99.0.1", port);
  EXPECT_EQ(page["inetdiag_listener_syn_queue_length" + at], length);
  EXPECT_NEAR(page["inetdiag_listener_syn_queue_fill_ratio" + at], length / 9, 1e-9);
  EXPECT_EQ(page["inetdiag_listener_socket_drops_total" + at], 0);
  EXPECT_EQ(page["inetdiag_nstat_tcpext_tcp_req_q_full_do_cookies_total"], 40 - length);
  EXPECT_EQ(page["inetdiag_nstat_tcpext_syncookies_sent_total"], 40 - length);
  EXPECT_EQ(page["inetdiag_tcp_sockets{state=\"syn_recv\"}"], length);
}

TEST_F(Queues, CountSynFloodsWithoutCookies) {
  add_black_hole();
  set_sysctl("net/ipv4/tcp_syncookies", "0");
  const UniqueFd listener = listen_on({.address = "10.99.0.1", .backlog = 8});
  const std::uint16_t port = port_of(listener);
  const auto length =
      static_cast<double>(flood_with_syns(port, [] { return nstat("TcpExtTCPReqQFullDrop"); }));

  const Series page = scrape();
  const std::string at = labels("10.99.0.1", port);
  EXPECT_EQ(page["inetdiag_listener_syn_queue_length" + at], length);
  EXPECT_NEAR(page["inetdiag_listener_syn_queue_fill_ratio" + at], length / 9, 1e-9);
  EXPECT_EQ(page["inetdiag_listener_socket_drops_total" + at], 40 - length);
  EXPECT_EQ(page["inetdiag_nstat_tcpext_tcp_req_q_full_drop_total"], 40 - length);
  EXPECT_EQ(page["inetdiag_nstat_tcpext_listen_drops_total"], 40 - length);
}

TEST_F(Queues, AreShorterWithoutCookiesIfMaxSynBacklogIsLow) {
  add_black_hole();
  set_sysctl("net/ipv4/tcp_syncookies", "0");
  set_sysctl("net/ipv4/tcp_max_syn_backlog", "16");
  const UniqueFd listener = listen_on({.address = "10.99.0.1", .backlog = 64});
  const std::uint16_t port = port_of(listener);
  send_syns("10.99.0.1", port, 40);
  // 40 - 13: the kernel counts these drops of SYNs as listen drops only.
  wait_until("the kernel has processed all SYNs", [] { return nstat("TcpExtListenDrops") >= 27; });

  const Series page = scrape();
  const std::string at = labels("10.99.0.1", port);
  EXPECT_EQ(page["inetdiag_listener_syn_queue_length" + at], 13);
  EXPECT_EQ(page["inetdiag_listener_syn_queue_fill_ratio" + at], 1);
}

TEST_F(Queues, AttributeListenDropsToTheListener) {
  const UniqueFd full = listen_on({.backlog = 1});
  const UniqueFd other = listen_on({.backlog = 100});
  Series page = scrape();
  const std::string drops = "inetdiag_listener_listen_drops_total";
  EXPECT_EQ(page[drops + labels("127.0.0.1", port_of(full))], 0);
  const auto clients = connect_many(port_of(full), 20);
  const auto other_clients = connect_many(port_of(other), 20);
  wait_until("the kernel dropped connections", [] { return nstat("TcpExtListenDrops") >= 18; });
  page = scrape_while_unchanged({"TcpExtListenDrops"});
  // Drops between the reading of the counters and the dump of a scrape are attributed to nobody.
  EXPECT_GE(page[drops + labels("127.0.0.1", port_of(full))], 18);
  EXPECT_LE(page[drops + labels("127.0.0.1", port_of(full))],
            page["inetdiag_nstat_tcpext_listen_drops_total"]);
  EXPECT_EQ(page[drops + labels("127.0.0.1", port_of(other))], 0);
}

TEST_F(Queues, ShowHowLongConnectionsWait) {
  const UniqueFd listener = listen_on({.address = "::", .backlog = 16});
  const std::uint16_t port = port_of(listener);
  const std::string at = labels("[::]", port);
  const std::string oldest = "inetdiag_listener_accept_queue_oldest_seconds" + at;
  const std::string stalled = "inetdiag_listener_accept_queue_stalled_seconds" + at;
  const UniqueFd served = connect_to("127.0.0.1", port);
  const UniqueFd accepted = accept_from(listener);
  EXPECT_FALSE(scrape().contains(oldest));

  const UniqueFd v6_client = connect_to("::1", port);
  UniqueFd leaving_client = connect_to("127.0.0.1", port);
  wait_until("connections wait",
             [&] { return scrape()["inetdiag_listener_accept_queue_length" + at] == 2; });
  leaving_client = UniqueFd();
  Series page = scrape();
  const double at_first = page[oldest];
  wait_until("they have waited for a moment", [&] {
    page = scrape();
    return page[stalled] >= 0.1 && page[oldest] >= 0.1;
  });
  EXPECT_GT(page[oldest], at_first);
  EXPECT_LT(page[oldest], 10);
  EXPECT_EQ(page["inetdiag_listener_accept_queue_abandoned_connections" + at], 1);

  const UniqueFd first = accept_from(listener);
  wait_until("the program accepted a connection", [&] {
    page = scrape();
    return page[stalled] == 0;
  });
  const UniqueFd second = accept_from(listener);
  EXPECT_FALSE(scrape().contains(oldest));
}

TEST_F(Queues, ShowHandshakesThatGetNoAnswer) {
  add_black_hole();
  const UniqueFd listener = listen_on({.address = "10.99.0.1", .backlog = 8});
  send_syns("10.99.0.1", port_of(listener), 3);
  const UniqueFd unanswered = connect_to("10.99.7.7", 9);
  // The kernel drops the second and third SYN to this listener.
  const UniqueFd full = listen_on({.backlog = 0});
  const auto clients = connect_many(port_of(full), 3);
  const auto retransmitted_syns = [] {
    return output_of("ss -tonH state syn-sent | grep -c 'timer:(on,[^,]*,[1-9])' || true");
  };
  wait_until("SYNs and SYN-ACKs were sent again",
             [&] { return retransmitted_syns() == "3\n" && nstat("TcpRetransSegs") >= 6; });
  const Series page = scrape();
  EXPECT_EQ(
      page["inetdiag_listener_syn_queue_retransmitted" + labels("10.99.0.1", port_of(listener))],
      3);
  EXPECT_EQ(page["inetdiag_tcp_syn_sent_retransmitted"], 1);
}

TEST_F(Queues, AttributeIpv4SynsToDualStackListeners) {
  add_black_hole();
  const UniqueFd listener = listen_on({.address = "::", .backlog = 8});
  const std::uint16_t port = port_of(listener);
  send_syns("10.99.0.1", port, 5);
  wait_until("the kernel has processed all SYNs", [] { return nstat("TcpInSegs") >= 5; });
  const Series page = scrape();
  EXPECT_EQ(page["inetdiag_listener_syn_queue_length" + labels("[::]", port)], 5);
}

TEST_F(Queues, AttributeSynsToTheExactAddress) {
  add_black_hole();
  output_of("ip addr add 10.98.0.1/32 dev hole");
  const UniqueFd wildcard = listen_on({.address = "0.0.0.0", .reuse_port = true});
  const std::uint16_t port = port_of(wildcard);
  const UniqueFd exact = listen_on({.address = "10.99.0.1", .port = port, .reuse_port = true});
  send_syns("10.99.0.1", port, 3);
  send_syns("10.98.0.1", port, 2);
  wait_until("the kernel has processed all SYNs", [] { return nstat("TcpInSegs") >= 5; });
  const Series page = scrape();
  EXPECT_EQ(page["inetdiag_listener_syn_queue_length" + labels("10.99.0.1", port)], 3);
  EXPECT_EQ(page["inetdiag_listener_syn_queue_length" + labels("0.0.0.0", port)], 2);
}

TEST_F(Queues, AttributeSynsToTheListenerOfTheDevice) {
  add_black_hole();
  const UniqueFd on_lo = listen_on({.address = "0.0.0.0", .device = "lo"});
  const std::uint16_t port = port_of(on_lo);
  const UniqueFd on_hole = listen_on({.address = "0.0.0.0", .port = port, .device = "hole"});
  send_syns("10.99.0.1", port, 3);  // the device of the address, although the packets arrive on lo
  wait_until("the kernel has processed all SYNs", [] { return nstat("TcpInSegs") >= 3; });
  const Series page = scrape();
  const std::string length = "inetdiag_listener_syn_queue_length{address=\"0.0.0.0\",port=\"" +
                             std::to_string(port) + "\",device=";
  EXPECT_EQ(page[length + "\"lo\"}"], 0);
  EXPECT_EQ(page[length + "\"hole\"}"], 3);
}

TEST_F(Queues, KeepDropsWhenReuseportMembersChange) {
  Listening member{.backlog = 1, .reuse_port = true};
  UniqueFd first = listen_on(member);
  member.port = port_of(first);
  UniqueFd second = listen_on(member);
  const std::string at = labels("127.0.0.1", member.port);
  const auto clients = connect_many(member.port, 30);
  wait_until("the kernel dropped connections", [] { return nstat("TcpExtListenDrops") >= 26; });

  const Series both = scrape_while_unchanged({"TcpExtListenDrops"});
  EXPECT_EQ(both["inetdiag_listener_sockets" + at], 2);
  EXPECT_EQ(both["inetdiag_listener_accept_queue_limit" + at], 2);
  EXPECT_EQ(both["inetdiag_listener_socket_drops_total" + at],
            both["inetdiag_nstat_tcpext_listen_drops_total"]);

  first = UniqueFd();
  const Series one = scrape();
  EXPECT_EQ(one["inetdiag_listener_sockets" + at], 1);
  EXPECT_GE(one["inetdiag_listener_socket_drops_total" + at],
            both["inetdiag_listener_socket_drops_total" + at]);

  const UniqueFd third = listen_on(member);
  second = UniqueFd();
  const auto more_clients = connect_many(member.port, 30);
  const Series last = scrape();
  EXPECT_EQ(last["inetdiag_listener_sockets" + at], 1);
  EXPECT_GT(last["inetdiag_listener_socket_drops_total" + at],
            one["inetdiag_listener_socket_drops_total" + at]);
}

TEST_F(Queues, ReportLimitsAfterSomaxconnChanges) {
  if (!has_somaxconn()) {
    GTEST_SKIP() << "net.core.somaxconn is hidden in user namespaces up to Linux 6.1";
  }
  set_sysctl("net/core/somaxconn", "64");
  const UniqueFd listener = listen_on({.backlog = 128});
  const std::uint16_t port = port_of(listener);
  const std::string limit = "inetdiag_listener_accept_queue_limit" + labels("127.0.0.1", port);
  const std::string capped = "inetdiag_listener_backlog_capped" + labels("127.0.0.1", port);
  Series page = scrape();
  EXPECT_EQ(page[limit], 64);
  EXPECT_EQ(page[capped], 1);
  EXPECT_EQ(page["inetdiag_sysctl_net_core_somaxconn"], 64);

  set_sysctl("net/core/somaxconn", "4096");
  page = scrape();
  EXPECT_EQ(page[limit], 64);
  EXPECT_EQ(page[limit], ss_queues(port).second);
  EXPECT_EQ(page[capped], 0);

  ASSERT_EQ(::listen(listener.get(), 128), 0);
  page = scrape();
  EXPECT_EQ(page[limit], 128);
  EXPECT_EQ(page[capped], 0);
}

TEST_F(Queues, CountUsablePortsDespiteALongListOfReservedOnes) {
  const auto usable = [this] { return scrape()["inetdiag_ephemeral_ports_usable"]; };
  const double before = usable();
  constexpr int reserved = 1200;
  std::string list;
  for (int i = 0; i < reserved; ++i) {
    list.append(i == 0 ? "" : ",").append(std::to_string(40'000 + 2 * i));
  }
  set_sysctl("net/ipv4/ip_local_reserved_ports", list);
  ASSERT_GT(output_of("cat /proc/sys/net/ipv4/ip_local_reserved_ports").size(), 4096U);
  EXPECT_EQ(usable(), before - reserved);
}

TEST_F(Queues, NameTheServiceOfAListener) {
  const ServiceCgroup service;
  if (!service.exists()) {
    GTEST_SKIP() << "cannot create a cgroup v2";
  }
  service.enter();
  const UniqueFd listener = listen_on({});
  service.leave();
  kernel::TcpTable sockets(kernel::open_netlink, kernel::Deadline::in(std::chrono::minutes(1)));
  if (!sockets.listeners().at(0).cgroup_id) {
    GTEST_SKIP() << "INET_DIAG_CGROUP_ID needs Linux 5.8";
  }
  const Series page = scrape();
  EXPECT_EQ(page["inetdiag_listener_info{address=\"127.0.0.1\",port=\"" +
                 std::to_string(port_of(listener)) + "\",cgroup=\"/" + service.name() +
                 "\",unit=\"" + service.name() + "\"}"],
            1)
      << ::testing::PrintToString(page.labels_of("inetdiag_listener_info"));
}

}  // namespace
}  // namespace inetdiag
