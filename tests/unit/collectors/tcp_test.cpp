#include "collectors/tcp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/support/curr_estab.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::TcpState;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::unique_ptr<Collector> tcp(const std::string& max_ports = "100",
                               const std::string& budget = "100%",
                               const std::string& info = "off") {
  return make_tcp(settings({{"max-ports", max_ports}, {"cpu-budget", budget}, {"info", info}}));
}

FakeSocket established(std::uint16_t port) {
  return {.address = "10.0.0.5", .port = port, .state = TcpState::established};
}

TEST(Tcp, ExportsEveryStateEvenIfZero) {
  CollectorFixture fixture;
  const auto lines = fixture.lines(*tcp());
  for (const auto* state : {"established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2",
                            "time_wait", "close", "close_wait", "last_ack", "listen", "closing"}) {
    EXPECT_THAT(lines, Contains("inetdiag_tcp_sockets{state=\"" + std::string(state) + "\"} 0"));
  }
}

TEST(Tcp, ExportsSocketsByListeningPortWithoutListenAndClose) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {{.port = 80}, established(80), established(80), established(40000)};
  const auto lines = fixture.lines(*tcp());
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_sockets{port="80",state="established"} 2)"));
  EXPECT_THAT(lines,
              Contains(R"(inetdiag_tcp_port_sockets{port="outgoing",state="established"} 1)"));
  EXPECT_THAT(lines, Contains("inetdiag_tcp_port_sockets_age_seconds 0"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr(R"(port="80",state="listen")"))));
  EXPECT_THAT(lines, Not(Contains(HasSubstr(R"(port="80",state="close")"))));
}

TEST(Tcp, AggregatesPortsBeyondTheMaximum) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {{.port = 80},    {.port = 81},    {.port = 82},    established(81),
                            established(81), established(82), established(80), established(40000)};
  const auto lines = fixture.lines(*tcp("1"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_sockets{port="81",state="established"} 2)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_sockets{port="other",state="established"} 2)"));
  EXPECT_THAT(lines,
              Contains(R"(inetdiag_tcp_port_sockets{port="outgoing",state="established"} 1)"));
  EXPECT_THAT(lines, Not(Contains(StartsWith(R"(inetdiag_tcp_port_sockets{port="80")"))));
}

TEST(Tcp, ExportsConnectionsThatDoNotMove) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {{.port = 80}, {.port = 81}, established(80), established(81)};
  FakeSocket& first = fixture.kernel.sockets[2];
  first.timer = 1;
  first.retransmissions = 2;
  FakeSocket& second = fixture.kernel.sockets[3];
  second.receive_queue = 10;
  second.send_queue = 20;
  second.timer = 4;
  second.timer_ms = 1001;
  second.inode = 1;
  const auto lines = fixture.lines(*tcp());
  EXPECT_THAT(
      lines, Contains(R"(inetdiag_tcp_port_stalled_sockets{port="80",reason="retransmission"} 1)"));
  EXPECT_THAT(lines,
              Contains(R"(inetdiag_tcp_port_stalled_sockets{port="80",reason="zero_window"} 0)"));
  EXPECT_THAT(lines,
              Contains(R"(inetdiag_tcp_port_stalled_sockets{port="81",reason="zero_window"} 1)"));
  EXPECT_THAT(lines,
              Contains(R"(inetdiag_tcp_port_stalled_sockets{port="81",reason="keepalive"} 0)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_unread_sockets{port="80"} 0)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_unread_sockets{port="81"} 1)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_receive_queue_max_bytes{port="81"} 10)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_send_queue_max_bytes{port="81"} 20)"));
  // Beyond the maximum number of ports they are combined.
  const auto combined = fixture.lines(*tcp("0"));
  EXPECT_THAT(
      combined,
      Contains(R"(inetdiag_tcp_port_stalled_sockets{port="other",reason="retransmission"} 1)"));
  EXPECT_THAT(combined, Contains(R"(inetdiag_tcp_port_receive_queue_max_bytes{port="other"} 10)"));
}

TEST(Tcp, MeasuresForHowLongUnreadQueuesDoNotChange) {
  CollectorFixture fixture;
  CpuBudget::Clock::time_point now{std::chrono::hours(1)};
  const auto collector =
      make_tcp_with_clocks(settings({{"max-ports", "1"}, {"cpu-budget", "100%"}, {"info", "off"}}),
                           {[&now] { return now; }, [] { return CpuBudget::CpuTime(0); }});
  const auto unread = [](std::uint64_t cookie, std::uint32_t bytes) {
    return FakeSocket{.address = "10.0.0.5",
                      .port = 80,
                      .state = TcpState::established,
                      .cookie = cookie,
                      .receive_queue = bytes,
                      .inode = 1};
  };
  const auto unchanged_seconds = [&](std::vector<FakeSocket> sockets) {
    fixture.kernel.sockets = std::move(sockets);
    fixture.kernel.sockets.push_back({.port = 80});
    now += std::chrono::seconds(10);
    for (const std::string& line : fixture.lines(*collector)) {
      const std::string name = R"(inetdiag_tcp_port_unread_unchanged_seconds{port="80"} )";
      if (line.starts_with(name)) {
        return std::stod(line.substr(name.size()));
      }
    }
    return -1.0;
  };
  EXPECT_EQ(unchanged_seconds({unread(1, 100), unread(2, 200)}), 0);
  EXPECT_EQ(unchanged_seconds({unread(1, 100), unread(2, 200)}), 10);
  EXPECT_EQ(unchanged_seconds({unread(2, 200), unread(1, 100)}), 20);
  EXPECT_EQ(unchanged_seconds({unread(1, 99), unread(2, 201)}), 0);
  EXPECT_EQ(unchanged_seconds({unread(1, 99), unread(2, 201)}), 10);
  EXPECT_EQ(unchanged_seconds({unread(1, 99), unread(3, 201)}), 0);
  EXPECT_EQ(unchanged_seconds({unread(1, 99)}), 0);
  EXPECT_EQ(unchanged_seconds({}), 0);
  EXPECT_EQ(unchanged_seconds({unread(1, 99)}), 0);
}

TEST(Tcp, ExportsRoundTripTimesAndLimitsOfOpenConnections) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {
      {.port = 80}, established(80), established(80), established(80), established(40000)};
  const auto set_info = [&](std::size_t i, const kernel::TcpInfo& info) {
    fixture.kernel.sockets[i].info = info;
  };
  set_info(
      1, {.rtt_us = 900, .congestion_window = 10, .busy_us = 100, .receive_window_limited_us = 50});
  set_info(2, {.rtt_us = 30'000,
               .congestion_window = 3,
               .total_retransmissions = 7,
               .busy_us = 100,
               .send_buffer_limited_us = 51});
  set_info(3, {.rtt_us = 3'000'000,
               .congestion_window = 2000,
               .busy_us = 100,
               .receive_window_limited_us = 49});
  const auto lines = fixture.lines(*tcp("100", "100%", "on"));
  const auto bucket = [](const char* bound, int count) {
    return R"(inetdiag_tcp_port_rtt_seconds_bucket{port="80",le=")" + std::string(bound) + "\"} " +
           std::to_string(count);
  };
  EXPECT_THAT(lines, Contains(bucket("5e-04", 0)));
  EXPECT_THAT(lines, Contains(bucket("0.001", 1)));
  EXPECT_THAT(lines, Contains(bucket("0.05", 2)));
  EXPECT_THAT(lines, Contains(bucket("2.5", 2)));
  EXPECT_THAT(lines, Contains(bucket("+Inf", 3)));
  EXPECT_THAT(lines, Contains(StartsWith(R"(inetdiag_tcp_port_rtt_seconds_sum{port="80"} 3.03)")));
  EXPECT_THAT(
      lines,
      Contains(R"(inetdiag_tcp_port_congestion_window_segments_bucket{port="80",le="10"} 2)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_retransmitted_sockets{port="80"} 1)"));
  EXPECT_THAT(lines,
              Contains(R"(inetdiag_tcp_port_limited_sockets{port="80",limit="receive_window"} 1)"));
  EXPECT_THAT(lines,
              Contains(R"(inetdiag_tcp_port_limited_sockets{port="80",limit="send_buffer"} 1)"));
  // Without the attribute, as on a socket that is not open, there is no series.
  EXPECT_THAT(lines, Not(Contains(HasSubstr(R"(rtt_seconds_count{port="outgoing")"))));
}

TEST(Tcp, RequestsNoTcpInfoByDefault) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {{.port = 80}, established(80)};
  fixture.kernel.sockets.back().info = kernel::TcpInfo{.rtt_us = 900};
  EXPECT_THAT(fixture.lines(*tcp()), Not(Contains(HasSubstr("rtt_seconds"))));
  EXPECT_THROW((void)tcp("100", "100%", "yes"), SettingError);
}

TEST(Tcp, SumsTheBytesInQueues) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {established(80), established(81)};
  fixture.kernel.sockets[0].receive_queue = 10;
  fixture.kernel.sockets[1].receive_queue = 5;
  fixture.kernel.sockets[1].send_queue = 3;
  const auto lines = fixture.lines(*tcp());
  EXPECT_THAT(lines, Contains("inetdiag_tcp_receive_queue_bytes 15"));
  EXPECT_THAT(lines, Contains("inetdiag_tcp_send_queue_bytes 3"));
}

constexpr const char* fresh = "inetdiag_tcp_port_sockets_age_seconds 0";

std::string established_at_80(int count) {
  return R"(inetdiag_tcp_port_sockets{port="80",state="established"} )" + std::to_string(count);
}

/// A host with consistent files and sockets, and clocks that the test sets.
struct TcpHost {
  CollectorFixture fixture;
  CpuBudget::Clock::time_point now{std::chrono::hours(1)};
  CpuBudget::CpuTime cpu{0};
  double dump_cost = 0.3;  ///< seconds of CPU
  std::unique_ptr<Collector> collector;

  explicit TcpHost(const std::string& budget) {
    collector = make_tcp_with_clocks(
        settings({{"max-ports", "100"}, {"cpu-budget", budget}, {"info", "off"}}),
        {[this] { return now; },
         [this] {
           // Called before and after a dump.
           const auto was = cpu;
           cpu += CpuBudget::CpuTime(dump_cost);
           return was;
         }});
    write_files("7", 5);
    fixture.kernel.sockets = {
        {.port = 80}, {.state = TcpState::close_wait}, {.state = TcpState::fin_wait2, .timer = 3}};
    for (int i = 0; i < 6; ++i) {
      fixture.kernel.sockets.push_back(established(80));
    }
    for (int i = 0; i < 4; ++i) {
      fixture.kernel.sockets.push_back({.state = TcpState::time_wait, .timer = 3});
    }
  }

  void write_files(const std::string& curr_estab, int timewaits) const {
    fixture.proc_tree.write("net/snmp", "Tcp: CurrEstab\nTcp: " + curr_estab + "\n");
    fixture.proc_tree.write("net/sockstat", "TCP: inuse 8 orphan 0 tw " +
                                                std::to_string(timewaits) + " alloc 9 mem 1\n");
  }

  std::vector<std::string> lines() { return fixture.lines(*collector); }
};

constexpr int many_timewaits = 2000;

TEST(TcpBudget, DelaysTheNextFullDumpByItsCost) {
  TcpHost host("1%");
  const auto first = host.lines();
  EXPECT_THAT(first, Contains(fresh));
  EXPECT_THAT(first, Contains(established_at_80(6)));

  host.fixture.kernel.sockets.push_back(established(80));
  host.now += std::chrono::seconds(29);
  const auto second = host.lines();
  EXPECT_THAT(second, Contains("inetdiag_tcp_port_sockets_age_seconds 29"));
  EXPECT_THAT(second, Contains(established_at_80(6)));

  host.now += std::chrono::seconds(1);
  const auto third = host.lines();
  EXPECT_THAT(third, Contains(fresh));
  EXPECT_THAT(third, Contains(established_at_80(7)));
}

TEST(TcpBudget, ExportsTheSameTotalsBetweenFullDumps) {
  TcpHost host("1%");
  const auto totals = [&] {
    auto lines = host.lines();
    std::erase_if(lines,
                  [](const auto& line) { return !line.starts_with("inetdiag_tcp_sockets{"); });
    return lines;
  };
  const auto by_full_dump = totals();
  EXPECT_THAT(by_full_dump, Contains(R"(inetdiag_tcp_sockets{state="established"} 6)"));
  EXPECT_THAT(by_full_dump, Contains(R"(inetdiag_tcp_sockets{state="time_wait"} 4)"));
  host.now += std::chrono::seconds(1);
  EXPECT_EQ(totals(), by_full_dump);
}

TEST(TcpBudget, DisablesTheBreakdownIfZero) {
  TcpHost host("0");
  const auto lines = host.lines();
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_sockets{state="established"} 6)"));
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_tcp_port_sockets"))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_tcp_receive_queue_bytes"))));
}

TEST(TcpBudget, DumpsInEveryScrapeIfAHundredPercent) {
  TcpHost host("100%");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(host.lines(), Contains(fresh));
  }
}

TEST(TcpBudget, IsIgnoredIfAFileIsMissing) {
  TcpHost host("0");
  std::filesystem::remove(host.fixture.proc_tree.path("net/sockstat"));
  const auto lines = host.lines();
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_sockets{state="established"} 6)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_sockets{state="time_wait"} 4)"));
}

TEST(TcpBudget, NeverCountsBelowZeroIfFilesAndDumpDiffer) {
  TcpHost host("0");
  host.write_files("0", many_timewaits);
  EXPECT_THAT(host.lines(), Contains(R"(inetdiag_tcp_sockets{state="established"} 0)"));
  host.write_files("2000", 0);
  EXPECT_THAT(host.lines(), Contains(R"(inetdiag_tcp_sockets{state="time_wait"} 0)"));
}

TEST(TcpBudget, TreatsANegativeCurrEstabAsZero) {
  TcpHost host("0");
  for (const auto* value : {"-5", "18446744073709551611"}) {
    host.write_files(value, many_timewaits);
    EXPECT_THAT(host.lines(), Contains(R"(inetdiag_tcp_sockets{state="established"} 0)")) << value;
  }
}

TEST(TcpBudget, KeepsThePreviousBreakdownIfADumpTimesOut) {
  TcpHost host("1%");
  EXPECT_THAT(host.lines(), Contains(fresh));
  host.now += std::chrono::seconds(30);
  host.fixture.kernel.timed_out_states = kernel::mask(TcpState::established);
  const auto cut = host.lines();
  EXPECT_THAT(cut, Contains("inetdiag_tcp_port_sockets_age_seconds 30"));
  EXPECT_THAT(cut, Contains(established_at_80(6)));
  EXPECT_THAT(cut, Contains(R"(inetdiag_tcp_sockets{state="established"} 6)"));

  // The dump that timed out is charged too.
  host.fixture.kernel.timed_out_states = 0;
  host.now += std::chrono::seconds(29);
  EXPECT_THAT(host.lines(), Contains("inetdiag_tcp_port_sockets_age_seconds 59"));
  host.now += std::chrono::seconds(1);
  EXPECT_THAT(host.lines(), Contains(fresh));
}

TEST(TcpBudget, IsAPercentage) {
  for (const auto* budget : {"0", "0%", "0.5%", "1", "100", "100%"}) {
    EXPECT_NO_THROW(tcp("100", budget)) << budget;
  }
  for (const auto* budget : {"", "%", "-1", "101%", "x", "1%%", "nan", "inf", "0x1"}) {
    EXPECT_THROW(tcp("100", budget), SettingError) << budget;
  }
}

/// A host of a kernel with or without "tcp: count CLOSE-WAIT sockets for TCP_MIB_CURRESTAB".
class TcpCurrEstab : public ::testing::TestWithParam<bool> {
 protected:
  TcpCurrEstab() { set(6, 4); }

  /// Sets the sockets, and the files that agree with them.
  void set(int established_sockets, int close_wait, int timewaits = 2) {
    const auto add = [&](int count, const FakeSocket& socket) {
      fixture_.kernel.sockets.insert(fixture_.kernel.sockets.end(), static_cast<std::size_t>(count),
                                     socket);
    };
    fixture_.kernel.sockets.clear();
    add(3, {.port = 80});
    add(established_sockets, established(80));
    add(close_wait, {.port = 80, .state = TcpState::close_wait, .full = true});
    add(2, {.state = TcpState::fin_wait1, .full = true});
    add(3, {.state = TcpState::fin_wait2, .full = true});
    add(1, {.state = TcpState::syn_recv, .full = true});
    add(5, {.state = TcpState::syn_recv});                           // request sockets
    add(timewaits / 2, {.state = TcpState::fin_wait2, .timer = 3});  // minisockets
    add(timewaits - timewaits / 2, {.state = TcpState::time_wait, .timer = 3});
    const int curr_estab = established_sockets + (GetParam() ? close_wait : 0);
    const int full_sockets = 3 + established_sockets + close_wait + 2 + 3 + 1;
    fixture_.proc_tree.write("net/snmp",
                             "Tcp: CurrEstab\nTcp: " + std::to_string(curr_estab) + "\n");
    fixture_.proc_tree.write("net/sockstat", "TCP: inuse " + std::to_string(full_sockets - 2) +
                                                 " orphan 0 tw " + std::to_string(timewaits) +
                                                 " alloc 9 mem 1\n");
    fixture_.proc_tree.write("net/sockstat6", "TCP6: inuse 2\n");
  }

  /// Returns the series with state="established", or an empty text.
  std::string established_of(Collector& collector) {
    const int dumps_before = fixture_.kernel.dumps;
    for (const std::string& line : fixture_.lines(collector)) {
      if (line.starts_with(R"(inetdiag_tcp_sockets{state="established"})")) {
        dumps_ = fixture_.kernel.dumps - dumps_before;
        return line.substr(line.rfind(' ') + 1);
      }
    }
    return {};
  }

  CollectorFixture fixture_;
  int dumps_ = 0;  ///< in the last scrape
};

INSTANTIATE_TEST_SUITE_P(IncludesCloseWait, TcpCurrEstab, ::testing::Bool());

TEST_P(TcpCurrEstab, IsLearnedFromTheFullDumpsWithinTheBudget) {
  CpuBudget::CpuTime cpu{0};
  const auto collector =
      make_tcp_with_clocks(settings({{"max-ports", "1"}, {"cpu-budget", "1%"}, {"info", "off"}}),
                           {[] { return CpuBudget::Clock::time_point(std::chrono::hours(1)); },
                            [&cpu] { return cpu += CpuBudget::CpuTime(0.3); }});
  EXPECT_EQ(established_of(*collector), "6");
  set(7, 9, many_timewaits);
  // As if other sockets had been opened between the two files.
  fixture_.proc_tree.write("net/sockstat6", "TCP6: inuse 30\n");
  EXPECT_EQ(established_of(*collector), "7");
  EXPECT_EQ(dumps_, 2);
}

TEST_P(TcpCurrEstab, NeedsOneFullDumpOfAFewSockets) {
  for (const bool is_other_namespace : {false, true}) {
    fixture_.is_other_namespace = is_other_namespace;
    const auto collector = tcp("100", "0");
    set(6, 0);
    EXPECT_EQ(established_of(*collector), "6");
    EXPECT_EQ(dumps_, 2);
    set(6, 4);
    EXPECT_EQ(established_of(*collector), "6");
    EXPECT_EQ(dumps_, 3);
    set(7, 9);
    fixture_.proc_tree.write("net/sockstat6", "TCP6: inuse 30\n");
    EXPECT_EQ(established_of(*collector), "7");
    EXPECT_EQ(dumps_, 2);
  }
}

TEST_P(TcpCurrEstab, IsEstimatedFromSockstatWithManySockets) {
  const auto collector = tcp("100", "0");
  set(1500, 400);
  EXPECT_EQ(established_of(*collector), "1500");
  EXPECT_EQ(dumps_, 2);
  set(6, 4, 3000);
  EXPECT_EQ(established_of(*collector), "6");
  EXPECT_EQ(dumps_, 2);
  // Other sockets were opened or closed between the files and the dump.
  for (const int difference : {-150, 150}) {
    set(1500, 400);
    fixture_.proc_tree.write("net/sockstat6",
                             "TCP6: inuse " + std::to_string(200 + difference) + "\n");
    fixture_.proc_tree.write("net/sockstat", "TCP: inuse 1709 orphan 0 tw 2 alloc 9 mem 1\n");
    EXPECT_EQ(established_of(*collector), "1500") << difference;
  }
}

TEST_P(TcpCurrEstab, IsEstimatedIfNoDumpIsDue) {
  auto last = std::make_shared<kernel::PartialDump>();
  last->by_state[kernel::slot(TcpState::close_wait)] = 4;
  last->by_state[kernel::slot(TcpState::fin_wait1)] = 2;
  last->by_state[kernel::slot(TcpState::fin_wait2)] = 4;
  last->by_state[kernel::slot(TcpState::syn_recv)] = 6;
  last->timewait_in_fin_wait2 = 1;
  last->request_sockets = 5;
  fixture_.is_other_namespace = true;
  fixture_.dump_policy = {.is_due = false, .last = last};
  EXPECT_EQ(established_of(*tcp()), "6");
}

TEST(CurrEstab, IsInferredFromSeveralDumpsOfABusyHost) {
  CurrEstab without;
  CurrEstab with;
  EXPECT_FALSE(without.includes_close_wait());
  without.compare(10, 10, 0);
  EXPECT_FALSE(without.includes_close_wait());
  // Connections are opened and closed between the file and the dump.
  for (const std::uint64_t change : {30U, 60U, 10U, 90U, 50U, 0U, 45U, 55U}) {
    without.compare(1000 + change, 1050, 20);
    with.compare(1020 + change, 1050, 20);
  }
  EXPECT_EQ(without.includes_close_wait(), false);
  EXPECT_EQ(with.includes_close_wait(), true);
}

TEST(Tcp, ExportsConnectionsWhoseSynWasRetransmitted) {
  for (const char* budget : {"0", "100%"}) {
    TcpHost host(budget);
    EXPECT_THAT(host.lines(), Contains("inetdiag_tcp_syn_sent_retransmitted 0")) << budget;
    host.fixture.kernel.sockets.push_back({.address = "10.0.0.5",
                                           .port = 40000,
                                           .state = TcpState::syn_sent,
                                           .peer_address = "10.0.0.9",
                                           .peer_port = 80,
                                           .retransmissions = 1});
    EXPECT_THAT(host.lines(), Contains("inetdiag_tcp_syn_sent_retransmitted 1")) << budget;
  }
}

TEST(Tcp, ExportsNothingOfAnotherNamespaceUntilADumpIsDue) {
  CollectorFixture fixture;
  fixture.is_other_namespace = true;
  fixture.dump_policy = {.is_due = false};
  fixture.proc_tree.write("net/sockstat", "TCP: inuse 5 orphan 1 tw 2 alloc 9 mem 3\n");
  fixture.proc_tree.write("net/snmp", "Tcp: CurrEstab\nTcp: 9\n");
  const auto collection = fixture.collect(*tcp());
  EXPECT_THAT(lines_of(collection.families), ::testing::IsEmpty());
  EXPECT_THAT(collection.errors, ::testing::IsEmpty());
}

TEST(Tcp, UpdatesStatesThatNeedNoDumpInAnotherNamespace) {
  CollectorFixture fixture;
  fixture.is_other_namespace = true;
  auto last = std::make_shared<kernel::PartialDump>();
  last->by_state[kernel::slot(TcpState::close_wait)] = 4;
  last->by_state[kernel::slot(TcpState::listen)] = 1;
  last->syn_sent_retransmitted = 3;
  fixture.dump_policy = {.is_due = false, .last = last};
  fixture.kernel.sockets = {{.port = 80}, {.port = 81}};
  fixture.proc_tree.write("net/sockstat", "TCP: inuse 5 orphan 1 tw 2 alloc 9 mem 3\n");
  fixture.proc_tree.write("net/snmp", "Tcp: CurrEstab\nTcp: 9\n");
  const auto lines = fixture.lines(*tcp());
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_sockets{state="listen"} 2)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_sockets{state="time_wait"} 2)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_sockets{state="close_wait"} 4)"));
  EXPECT_THAT(lines, Contains("inetdiag_tcp_syn_sent_retransmitted 3"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_sockets{state="established"} 5)"));
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_tcp_port_sockets"))));
}

}  // namespace
}  // namespace inetdiag
