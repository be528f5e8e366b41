// UDP sockets, UNIX sockets and conntrack, compared with ss and nstat.
#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "collectors/kernel/netlink/conntrack_stats.h"
#include "collectors/kernel/proc/stat_table.h"
#include "tests/live/network_namespace.h"

namespace inetdiag {
namespace {

using namespace testing;

using OtherQueues = NetworkNamespace;

UniqueFd udp_on(std::uint16_t port, int buffer) {
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  const sockaddr_in name = loopback(port);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  return socket;
}

/// Sends each datagram from a new socket: SO_REUSEPORT distributes them.
void flood(std::uint16_t port, int datagrams) {
  const sockaddr_in name = loopback(port);
  const std::string bytes(500, 'x');
  for (int i = 0; i < datagrams; ++i) {
    const UniqueFd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::sendto(sender.get(), bytes.data(), bytes.size(), 0,
                       reinterpret_cast<const sockaddr*>(&name), sizeof name),
              500);
  }
}

/// Receive queue and drops (`d` of skmem) of a UDP port as reported by ss.
struct UdpQueue {
  double bytes = 0;
  double drops = 0;
};
UdpQueue ss_udp(std::uint16_t port) {
  std::istringstream lines(output_of("ss -uamnHO sport = " + std::to_string(port)));
  UdpQueue total;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string state;
    double queue = 0;
    words >> state >> queue;
    total.bytes += queue;
    total.drops += std::stod(line.substr(line.rfind(",d") + 2));
  }
  return total;
}

TEST_F(OtherQueues, CountUdpDrops) {
  const UniqueFd socket = udp_on(5353, 1);
  flood(5353, 50);
  const Series page = scrape();
  const std::string at = R"({address="127.0.0.1",port="5353"})";
  const UdpQueue expected = ss_udp(5353);
  EXPECT_EQ(page["inetdiag_udp_sockets" + at], 1);
  EXPECT_EQ(page["inetdiag_udp_receive_queue_bytes" + at], expected.bytes);
  EXPECT_EQ(page["inetdiag_udp_drops_total" + at], expected.drops);
  EXPECT_GT(expected.drops, 0);
  EXPECT_EQ(page["inetdiag_udp_drops_total" + at], page["inetdiag_nstat_udp_rcvbuf_errors_total"]);
  EXPECT_EQ(page["inetdiag_nstat_udp_rcvbuf_errors_total"], nstat("UdpRcvbufErrors"));
  EXPECT_GT(page["inetdiag_udp_receive_queue_fill_ratio" + at], 0.5);
}

TEST_F(OtherQueues, KeepUdpDropsWhenMembersChange) {
  UniqueFd first = udp_on(5353, 1);
  const UniqueFd second = udp_on(5353, 1);
  const std::string drops = R"(inetdiag_udp_drops_total{address="127.0.0.1",port="5353"})";
  flood(5353, 60);
  const Series both = scrape();
  EXPECT_EQ(both[drops], ss_udp(5353).drops);
  EXPECT_EQ(both[R"(inetdiag_udp_sockets{address="127.0.0.1",port="5353"})"], 2);
  first = UniqueFd();
  const Series one = scrape();
  EXPECT_EQ(one[drops], both[drops]);
  const UniqueFd third = udp_on(5353, 1);
  flood(5353, 60);
  const Series last = scrape();
  EXPECT_GT(last[drops], one[drops]);
  EXPECT_EQ(last[drops], nstat("UdpRcvbufErrors"));
}

TEST_F(OtherQueues, ShowAUdpServerOnAnEphemeralPort) {
  const UniqueFd server = udp_on(40000, 1);
  const UniqueFd client = udp_on(40001, 100'000);
  const std::string at = R"({address="127.0.0.1",port="40000"})";
  const std::string at_other = R"({address="other",port="other"})";
  const Series idle = scrape();
  EXPECT_EQ(idle["inetdiag_udp_sockets" + at_other], 2);
  EXPECT_FALSE(idle.contains("inetdiag_udp_sockets" + at));

  flood(40000, 50);
  flood(40001, 1);
  const Series full = scrape();
  const UdpQueue expected = ss_udp(40000);
  EXPECT_EQ(full["inetdiag_udp_drops_total" + at], expected.drops);
  EXPECT_EQ(full["inetdiag_udp_receive_queue_bytes" + at], expected.bytes);
  EXPECT_EQ(full["inetdiag_udp_drops_total" + at_other], 0);
  EXPECT_EQ(full["inetdiag_udp_sockets" + at_other], 1);

  std::array<char, 1000> datagram{};
  while (::recv(server.get(), datagram.data(), datagram.size(), MSG_DONTWAIT) > 0) {
  }
  const Series read = scrape();
  EXPECT_EQ(read["inetdiag_udp_receive_queue_bytes" + at], 0);
  EXPECT_EQ(read["inetdiag_udp_drops_total" + at], expected.drops);
}

TEST_F(OtherQueues, ShowTheFullestUdpSocketOfAGroup) {
  const UniqueFd full = udp_on(5353, 1);
  flood(5353, 20);
  const UdpQueue expected = ss_udp(5353);
  const UniqueFd idle = udp_on(5353, 100'000);
  const Series page = scrape();
  const std::string at = R"({address="127.0.0.1",port="5353"})";
  EXPECT_EQ(page["inetdiag_udp_sockets" + at], 2);
  EXPECT_EQ(page["inetdiag_udp_fullest_receive_queue_bytes" + at], expected.bytes);
  EXPECT_LT(page["inetdiag_udp_fullest_receive_queue_limit_bytes" + at], 10'000);
  EXPECT_GT(page["inetdiag_udp_receive_queue_limit_bytes" + at], 200'000);
  EXPECT_EQ(page["inetdiag_udp_receive_queue_fill_ratio" + at],
            page["inetdiag_udp_fullest_receive_queue_bytes" + at] /
                page["inetdiag_udp_fullest_receive_queue_limit_bytes" + at]);
}

TEST_F(OtherQueues, NameTheServiceOfAUdpSocket) {
  const ServiceCgroup service;
  if (!service.exists()) {
    GTEST_SKIP() << "cannot create a cgroup v2";
  }
  service.enter();
  const UniqueFd socket = udp_on(5353, 1);
  service.leave();
  const Series page = scrape();
  EXPECT_EQ(page[R"(inetdiag_udp_info{address="127.0.0.1",port="5353",cgroup="/)" + service.name() +
                 R"(",unit=")" + service.name() + R"("})"],
            1)
      << ::testing::PrintToString(page.labels_of("inetdiag_udp_info"));
}

TEST_F(OtherQueues, AggregateUdpClients) {
  std::vector<UniqueFd> clients;
  const sockaddr_in server = loopback(53);
  for (int i = 0; i < 100; ++i) {
    UniqueFd& client = clients.emplace_back(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server),
              0);
  }
  const Series page = scrape();
  EXPECT_EQ(page.labels_of("inetdiag_udp_sockets").size(), 1U);
  EXPECT_EQ(page[R"(inetdiag_udp_sockets{address="other",port="other"})"], 100);
}

/// A path, or an abstract name with a leading NUL.
struct UnixAddress {
  sockaddr_un name{};
  socklen_t length = 0;

  explicit UnixAddress(const std::string& path)
      : length(static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())) {
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

/// A UNIX listener that does not accept, and connections to it.
struct IdleUnixListener {
  UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<UniqueFd> clients{};

  IdleUnixListener(const std::string& path, int backlog, int connections) {
    const UnixAddress address(path);
    EXPECT_EQ(::bind(listener.get(), address.get(), address.length), 0) << std::strerror(errno);
    EXPECT_EQ(::listen(listener.get(), backlog), 0);
    for (int i = 0; i < connections; ++i) {
      UniqueFd& client =
          clients.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (::connect(client.get(), address.get(), address.length) != 0) {
        EXPECT_EQ(errno, EAGAIN);
      }
    }
  }
};

TEST_F(OtherQueues, ReportFullUnixListeners) {
  const std::string path = "/tmp/inetdiag-test-" + std::to_string(::getpid()) + " \"\xFF.sock";
  const IdleUnixListener odd(path, 9, 2);
  const IdleUnixListener full(std::string("\0inetdiag-test", 14), 3, 10);
  const Series page = scrape();
  ::unlink(path.c_str());

  std::istringstream line(output_of("ss -xlnH src \"unix:@inetdiag-test\""));
  std::string type;
  std::string state;
  double waiting = 0;
  double backlog = 0;
  line >> type >> state >> waiting >> backlog;
  const std::string at_abstract = R"({path="@inetdiag-test"})";
  EXPECT_EQ(page["inetdiag_unix_listener_accept_queue_length" + at_abstract], waiting);
  EXPECT_EQ(page["inetdiag_unix_listener_accept_queue_limit" + at_abstract], backlog);
  EXPECT_EQ(waiting, 4);
  EXPECT_EQ(backlog, 3);
  EXPECT_GE(page["inetdiag_unix_listener_accept_queue_fill_ratio" + at_abstract], 1);

  const std::string at =
      "{path=\"/tmp/inetdiag-test-" + std::to_string(::getpid()) + " \\\"\xEF\xBF\xBD.sock\"}";
  EXPECT_EQ(page["inetdiag_unix_listener_accept_queue_length" + at], 2);
  EXPECT_EQ(page["inetdiag_unix_listener_accept_queue_limit" + at], 9);
  EXPECT_EQ(page[R"(inetdiag_unix_sockets{type="stream",state="listen"})"], 2);
  const std::string uid = std::to_string(::geteuid());
  EXPECT_EQ(page[R"(inetdiag_unix_listener_info{path="@inetdiag-test",uid=")" + uid + R"("})"], 1);
}

TEST_F(OtherQueues, ShowTheFullestUnixListenerOfAPath) {
  const std::string path = "/tmp/inetdiag-test-" + std::to_string(::getpid()) + ".sock";
  const IdleUnixListener full(path, 2, 5);
  ::unlink(path.c_str());
  const IdleUnixListener idle(path, 100, 0);
  ::unlink(path.c_str());
  const Series page = scrape();
  const std::string at = "{path=\"" + path + "\"}";
  EXPECT_EQ(page["inetdiag_unix_listener_accept_queue_limit" + at], 102);
  EXPECT_EQ(page["inetdiag_unix_listener_fullest_accept_queue_length" + at], 3);
  EXPECT_EQ(page["inetdiag_unix_listener_fullest_accept_queue_limit" + at], 2);
}

/// Returns Send-Q of a UNIX socket as reported by ss.
double ss_send_queue(const UniqueFd& socket) {
  struct stat status {};
  ::fstat(socket.get(), &status);
  std::istringstream line(
      output_of("ss -xanH | grep ' \\* " + std::to_string(status.st_ino) + " '"));
  std::string type;
  std::string state;
  double received = 0;
  double sent = 0;
  line >> type >> state >> received >> sent;
  return sent;
}

/// Sends until the queue of the receiver is full. Returns the number of datagrams.
int fill_unix_queue(const UniqueFd& sender) {
  int sent = 0;
  while (::send(sender.get(), "x", 1, MSG_DONTWAIT) == 1) {
    ++sent;
  }
  EXPECT_EQ(errno, EAGAIN);
  return sent;
}

TEST_F(OtherQueues, ShowUnixDatagramsThatAreNotRead) {
  if (::access("/proc/sys/net/unix/max_dgram_qlen", R_OK) != 0) {
    GTEST_SKIP() << "net.unix.max_dgram_qlen is not readable in this network namespace";
  }
  const int limit = std::stoi(output_of("cat /proc/sys/net/unix/max_dgram_qlen"));
  const UnixAddress address(std::string("\0inetdiag-dgram", 15));
  const UniqueFd receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(receiver.get(), address.get(), address.length), 0);
  const UniqueFd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(sender.get(), address.get(), address.length), 0);
  const std::string at = R"({path="@inetdiag-dgram"})";
  EXPECT_FALSE(scrape().contains("inetdiag_unix_datagram_unread" + at));

  EXPECT_EQ(fill_unix_queue(sender), limit + 1);
  const Series full = scrape();
  EXPECT_EQ(full["inetdiag_unix_datagram_unread" + at], 1);
  EXPECT_EQ(full["inetdiag_unix_datagram_pending_bytes" + at], ss_send_queue(sender));
  EXPECT_GE(full["inetdiag_unix_datagram_pending_bytes" + at], limit + 1);
  EXPECT_EQ(full["inetdiag_sysctl_net_unix_max_dgram_qlen"], limit);

  char byte = 0;
  while (::recv(receiver.get(), &byte, 1, MSG_DONTWAIT) == 1) {
  }
  EXPECT_FALSE(scrape().contains("inetdiag_unix_datagram_unread" + at));

  // A datagram without a connection has no sender that can be found.
  const UniqueFd other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::sendto(other.get(), "x", 1, 0, address.get(), address.length), 1);
  const Series unconnected = scrape();
  EXPECT_EQ(unconnected["inetdiag_unix_datagram_unread" + at], 1);
  EXPECT_EQ(unconnected["inetdiag_unix_datagram_pending_bytes" + at], 0);
}

TEST_F(OtherQueues, CountConntrackEntries) {
  if (::access("/proc/sys/net/netfilter/nf_conntrack_count", R_OK) != 0) {
    GTEST_SKIP() << "no connection tracking in this kernel";
  }
  if (std::system("iptables -A INPUT -m conntrack --ctstate INVALID -j DROP 2>/dev/null") != 0) {
    GTEST_SKIP() << "cannot enable connection tracking with iptables";
  }
  const UniqueFd listener = listen_on({.backlog = 100});
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 7; ++i) {
    clients.push_back(connect_to("127.0.0.1", port_of(listener)));
  }
  const Series page = scrape();
  EXPECT_EQ(page["inetdiag_conntrack_entries"], 7);
  EXPECT_GT(page["inetdiag_conntrack_limit"], 7);
  EXPECT_EQ(page["inetdiag_conntrack_drop_total"], 0);
}

/// Returns the counters by the names of /proc/net/stat/nf_conntrack.
std::map<std::string, std::optional<std::uint64_t>> conntrack_stats_over_nfnetlink() {
  const auto stats = kernel::dump_conntrack_stats(kernel::open_netlink,
                                                  kernel::Deadline::in(std::chrono::minutes(1)));
  return {{"insert_failed", stats.insert_failed},
          {"drop", stats.drop},
          {"early_drop", stats.early_drop},
          {"search_restart", stats.search_restart}};
}

TEST_F(OtherQueues, ReadTheSameConntrackCountersOverNfnetlink) {
  std::map<std::string, std::optional<std::uint64_t>> stats;
  try {
    stats = conntrack_stats_over_nfnetlink();
  } catch (const std::system_error& error) {
    GTEST_SKIP() << "no nf_conntrack_netlink in this kernel: " << error.what();
  }
  std::ifstream file("/proc/thread-self/net/stat/nf_conntrack");
  const auto columns =
      kernel::parse_stat_table(std::string(std::istreambuf_iterator<char>(file), {}));
  if (columns.empty()) {
    GTEST_SKIP() << "this kernel has no /proc/net/stat/nf_conntrack";
  }
  for (const auto& [name, value] : stats) {
    EXPECT_EQ(value, columns.at(name).sum) << name;
  }
}

TEST_F(OtherQueues, CountTimeWait) {
  const UniqueFd listener = listen_on({.backlog = 100});
  for (int i = 0; i < 5; ++i) {
    UniqueFd client = connect_to("127.0.0.1", port_of(listener));
    UniqueFd server = accept_from(listener);
    client = UniqueFd();
    wait_until("the FIN arrived", [&] {
      char byte = 0;
      return ::recv(server.get(), &byte, 1, MSG_DONTWAIT) == 0;
    });
  }
  wait_until("all are in TIME_WAIT",
             [] { return output_of("ss -tanH state time-wait | wc -l") == "5\n"; });
  const Series page = scrape();
  EXPECT_EQ(page["inetdiag_tcp_time_wait"], 5);
  EXPECT_GT(page["inetdiag_softnet_processed_total{cpu=\"0\"}"], 0);
}

}  // namespace
}  // namespace inetdiag
