// Socket states and counters, compared with ss and nstat.
#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "tests/live/network_namespace.h"

namespace inetdiag {
namespace {

using namespace testing;
using ::testing::IsEmpty;

using States = NetworkNamespace;

/// Converts a state of ss to the name in this program.
std::string state_of(const std::string& ss_state) {
  if (ss_state == "ESTAB") {
    return "established";
  }
  if (ss_state == "UNCONN") {
    return "close";
  }
  std::string name = ss_state;
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  const std::string wait = "fin_wait_";  // ss writes FIN-WAIT-1
  return name.starts_with(wait) ? "fin_wait" + name.substr(wait.size()) : name;
}

std::map<std::string, double> ss_states() {
  std::map<std::string, double> states;
  std::istringstream lines(output_of("ss -tanH"));
  for (std::string line; std::getline(lines, line);) {
    ++states[state_of(line.substr(0, line.find(' ')))];
  }
  return states;
}

/// Both ends of a connection over loopback.
struct Connection {
  UniqueFd client;
  UniqueFd server;
};

Connection connect_pair(const UniqueFd& listener, const std::string& address) {
  Connection connection{connect_to(address, port_of(listener)), {}};
  connection.server = accept_from(listener);
  return connection;
}

/// Closes the client first: it enters TIME_WAIT.
void close_both(Connection& connection) {
  connection.client = UniqueFd();
  wait_until("the FIN arrived", [&] {
    char byte = 0;
    return ::recv(connection.server.get(), &byte, 1, MSG_DONTWAIT) == 0;
  });
  connection.server = UniqueFd();
}

TEST_F(States, MatchSs) {
  add_black_hole();
  const UniqueFd v4 = listen_on({.backlog = 100});
  const UniqueFd v6 = listen_on({.address = "::1", .backlog = 100});
  const UniqueFd dual = listen_on({.address = "::", .backlog = 100});
  std::vector<Connection> open;
  for (int i = 0; i < 5; ++i) {
    open.push_back(connect_pair(v4, "127.0.0.1"));
    open.push_back(connect_pair(v6, "::1"));
    open.push_back(connect_pair(dual, "127.0.0.1"));
  }
  // CLOSE_WAIT and FIN_WAIT2.
  for (int i = 0; i < 3; ++i) {
    Connection half = connect_pair(v4, "127.0.0.1");
    ::shutdown(half.client.get(), SHUT_WR);
    open.push_back(std::move(half));
  }
  // TIME_WAIT.
  for (int i = 0; i < 4; ++i) {
    Connection closed = connect_pair(dual, "127.0.0.1");
    close_both(closed);
  }
  // A timewait minisocket in FIN_WAIT2: closed by the client, still open at the server.
  Connection orphan = connect_pair(v4, "127.0.0.1");
  orphan.client = UniqueFd();
  open.push_back(std::move(orphan));
  // SYN_SENT and SYN_RECV.
  const UniqueFd sent = connect_to("10.99.7.7", 9);
  send_syns("10.99.0.1", port_of(dual), 6);
  wait_until("all states are present", [] {
    auto states = ss_states();
    return states.size() == 7 && states["syn_recv"] == 6 && states["time_wait"] == 4 &&
           states["fin_wait2"] == 4;
  });

  const Series page = scrape();
  const auto expected = ss_states();
  for (const std::string& labels : page.labels_of("inetdiag_tcp_sockets")) {
    const std::string state = labels.substr(7, labels.size() - 8);
    const auto found = expected.find(state);
    EXPECT_EQ(page["inetdiag_tcp_sockets{" + labels + "}"],
              found == expected.end() ? 0 : found->second)
        << state;
  }
  EXPECT_EQ(page["inetdiag_tcp_sockets{state=\"fin_wait2\"}"], 4);
  EXPECT_EQ(page["inetdiag_tcp_sockets{state=\"close_wait\"}"], 4);
}

TEST_F(States, AreTheSameWithPartialDumps) {
  add_black_hole();
  const UniqueFd v4 = listen_on({.backlog = 100});
  const UniqueFd v6 = listen_on({.address = "::1", .backlog = 100});
  const UniqueFd dual = listen_on({.address = "::", .backlog = 100});
  std::vector<Connection> open;
  for (int i = 0; i < 4; ++i) {
    for (const auto& [listener, address] :
         {std::pair(&v4, "127.0.0.1"), std::pair(&v6, "::1"), std::pair(&dual, "127.0.0.1")}) {
      open.push_back(connect_pair(*listener, address));
      Connection half = connect_pair(*listener, address);
      ::shutdown(half.client.get(), SHUT_WR);
      open.push_back(std::move(half));
      Connection orphan = connect_pair(*listener, address);
      orphan.client = UniqueFd();
      open.push_back(std::move(orphan));
      Connection closed = connect_pair(*listener, address);
      close_both(closed);
    }
  }
  const UniqueFd sent = connect_to("10.99.7.7", 9);
  send_syns("10.99.0.1", port_of(dual), 6);
  wait_until("all states are present", [] {
    auto states = ss_states();
    return states.size() == 7 && states["syn_recv"] == 6 && states["time_wait"] == 12 &&
           states["fin_wait2"] == 24;
  });
  const Series by_full_dump = scrape({.cpu_budget = "100%"});
  const Series by_partial_dump = scrape({.cpu_budget = "0"});
  for (const std::string& labels : by_full_dump.labels_of("inetdiag_tcp_sockets")) {
    const std::string series = "inetdiag_tcp_sockets{" + labels + "}";
    EXPECT_EQ(by_partial_dump[series], by_full_dump[series]) << series;
  }
  EXPECT_EQ(by_partial_dump["inetdiag_tcp_sockets{state=\"established\"}"], 24);
  EXPECT_FALSE(by_partial_dump.contains("inetdiag_tcp_port_sockets_age_seconds"));
  EXPECT_EQ(by_full_dump["inetdiag_tcp_port_sockets_age_seconds"], 0);
}

// What CurrEstab includes depends on the kernel.
TEST_F(States, MatchSsWhateverTheKernelCountsAsEstablished) {
  const UniqueFd v4 = listen_on({.backlog = 100});
  const UniqueFd v6 = listen_on({.address = "::1", .backlog = 100});
  const auto scraper = make_scraper({.cpu_budget = "0"});
  std::vector<Connection> open;
  const auto expect_as_ss = [&] {
    auto expected = ss_states();
    const Series page = scrape(*scraper);
    for (const auto* state : {"established", "close_wait", "fin_wait2"}) {
      EXPECT_EQ(page["inetdiag_tcp_sockets{state=\"" + std::string(state) + "\"}"], expected[state])
          << state << ", " << open.size() << " connections";
    }
  };
  const auto close_clients = [&](std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      ::shutdown(open[i].client.get(), SHUT_WR);
    }
    wait_until("they are in CLOSE_WAIT",
               [&] { return ss_states()["close_wait"] == static_cast<double>(first + count); });
  };
  expect_as_ss();
  for (int i = 0; i < 4; ++i) {
    open.push_back(connect_pair(v4, "127.0.0.1"));
    open.push_back(connect_pair(v6, "::1"));
  }
  expect_as_ss();
  close_clients(0, 5);
  expect_as_ss();
  const bool includes_close_wait =
      scrape(*scraper)["inetdiag_nstat_tcp_curr_estab"] > ss_states()["established"];
  RecordProperty("curr_estab_includes_close_wait", includes_close_wait ? "yes" : "no");
  close_clients(5, 3);
  expect_as_ss();
  open.resize(2);
  wait_until("the others are closed", [] { return ss_states()["close_wait"] == 2; });
  expect_as_ss();
}

TEST_F(States, AreCountedByPort) {
  const UniqueFd listener = listen_on({.backlog = 100});
  std::vector<Connection> open;
  for (int i = 0; i < 7; ++i) {
    open.push_back(connect_pair(listener, "127.0.0.1"));
  }
  const Series page = scrape();
  const std::string port = std::to_string(port_of(listener));
  EXPECT_EQ(page["inetdiag_tcp_port_sockets{port=\"" + port + "\",state=\"established\"}"], 7);
  EXPECT_EQ(page["inetdiag_tcp_port_sockets{port=\"outgoing\",state=\"established\"}"], 7);
  EXPECT_EQ(page["inetdiag_tcp_sockets{state=\"established\"}"], 14);
}

TEST_F(States, IncludeQueuedBytes) {
  const UniqueFd listener = listen_on({.backlog = 100});
  const Connection open = connect_pair(listener, "127.0.0.1");
  const std::string bytes(1000, 'x');
  ASSERT_EQ(::send(open.client.get(), bytes.data(), bytes.size(), 0), 1000);
  // The queue of a listener counts connections and must not be added.
  const UniqueFd waiting = connect_to("127.0.0.1", port_of(listener));
  wait_until("the bytes arrived", [&] {
    std::string buffer(2000, '\0');
    return ::recv(open.server.get(), buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT) == 1000;
  });
  EXPECT_EQ(scrape()["inetdiag_tcp_receive_queue_bytes"], 1000);
}

TEST_F(States, CountTimeWaitUpToTheLimit) {
  set_sysctl("net/ipv4/tcp_max_tw_buckets", "10");
  const UniqueFd listener = listen_on({.backlog = 100});
  for (int i = 0; i < 30; ++i) {
    Connection closed = connect_pair(listener, "127.0.0.1");
    close_both(closed);
  }
  wait_until("every connection is closed", [] { return !ss_states().contains("last_ack"); });
  const Series page = scrape();
  EXPECT_EQ(page["inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets"], 10);
  EXPECT_EQ(page["inetdiag_tcp_sockets{state=\"time_wait\"}"], ss_states()["time_wait"]);
  EXPECT_EQ(page["inetdiag_tcp_sockets{state=\"time_wait\"}"], 10);
  EXPECT_EQ(page["inetdiag_nstat_tcpext_tcp_time_wait_overflow_total"], 20);
}

TEST_F(States, MatchCountersOfNstat) {
  {
    const UniqueFd listener = listen_on({.backlog = 1});
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 5; ++i) {
      clients.push_back(connect_to("127.0.0.1", port_of(listener)));
    }
  }  // closed: retransmissions would change the counters
  const auto nstat_counters = [] {
    std::map<std::string, double> counters;
    std::istringstream lines(output_of("nstat -asz"));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name;
      double value = 0;
      if (!line.starts_with('#') && words >> name >> value && !name.starts_with("UdpLite")) {
        counters[name] = value;
      }
    }
    return counters;
  };
  std::map<std::string, double> expected;
  std::map<std::string, double> actual;
  wait_until("the counters do not change", [&] {
    expected = nstat_counters();
    actual = scrape().by_kernel_name();
    return expected == nstat_counters();
  });
  EXPECT_GT(expected.size(), 200U);
  std::map<std::string, std::string> differences;
  for (const auto& [name, value] : expected) {
    const auto found = actual.find(name);
    if (found == actual.end() || found->second != value) {
      differences[name] = std::to_string(value);
    }
  }
  EXPECT_THAT(differences, IsEmpty());
}

}  // namespace
}  // namespace inetdiag
