#include "collectors/listeners.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::TcpState;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::unique_ptr<Collector> listeners(const std::string& max = "500") {
  return make_listeners(settings({{"max", max}, {"sample-interval", "0"}}));
}

FakeSocket listener(std::uint16_t port, std::uint64_t cookie, std::uint32_t waiting,
                    std::uint32_t backlog, int drops = 0) {
  return {.port = port,
          .cookie = cookie,
          .receive_queue = waiting,
          .send_queue = backlog,
          .drops = drops};
}

/// Returns the value of a series in the text format, or `absent`.
std::string value(const std::vector<std::string>& lines, const std::string& series) {
  const auto found = std::ranges::find_if(
      lines, [&](const std::string& line) { return line.starts_with(series + " "); });
  return found == lines.end() ? "absent" : found->substr(series.size() + 1);
}

const std::string at_80 = R"({address="0.0.0.0",port="80"})";
const std::string at_other = R"({address="other",port="other"})";

TEST(Listeners, ExportQueueLimitFillRatioAndDrops) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 5, 4, 45)};
  const auto lines = fixture.lines(*listeners());
  EXPECT_EQ(value(lines, "inetdiag_listener_sockets" + at_80), "1");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "5");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_limit" + at_80), "4");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_fill_ratio" + at_80), "1");
  EXPECT_EQ(value(lines, "inetdiag_listener_socket_drops_total" + at_80), "45");
  EXPECT_EQ(value(lines, "inetdiag_listeners_aggregated"), "0");
}

TEST(Listeners, SumReuseportMembersButExportTheFillRatioOfTheFullest) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 99), listener(80, 2, 50, 99),
                            listener(80, 3, 1, 99)};
  const auto lines = fixture.lines(*listeners());
  EXPECT_EQ(value(lines, "inetdiag_listener_sockets" + at_80), "3");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "51");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_limit" + at_80), "297");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_fill_ratio" + at_80), "0.5");
}

TEST(Listeners, ExportTheQueueOfTheFullestSocketIfThereAreSeveral) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 60, 999), listener(80, 2, 50, 99),
                            listener(80, 3, 1, 99), listener(81, 4, 7, 9)};
  const auto lines = fixture.lines(*listeners());
  EXPECT_EQ(value(lines, "inetdiag_listener_fullest_accept_queue_length" + at_80), "50");
  EXPECT_EQ(value(lines, "inetdiag_listener_fullest_accept_queue_limit" + at_80), "99");
  EXPECT_THAT(
      lines,
      Not(Contains(AllOf(StartsWith("inetdiag_listener_fullest"), HasSubstr("port=\"81\"")))));
}

TEST(Listeners, CountHalfOpenConnections) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 3), listener(443, 2, 0, 3)};
  for (int i = 0; i < 4; ++i) {
    fixture.kernel.sockets.push_back(
        {.address = "10.0.0.5", .port = 80, .state = TcpState::syn_recv, .timer = 1});
  }
  const auto lines = fixture.lines(*listeners());
  EXPECT_EQ(value(lines, "inetdiag_listener_syn_queue_length" + at_80), "4");
  EXPECT_EQ(value(lines, "inetdiag_listener_syn_queue_fill_ratio" + at_80), "1");
  EXPECT_EQ(value(lines, R"(inetdiag_listener_syn_queue_length{address="0.0.0.0",port="443"})"),
            "0");
}

void add_half_open(CollectorFixture& fixture, int count, std::uint8_t retransmissions = 0) {
  for (int i = 0; i < count; ++i) {
    fixture.kernel.sockets.push_back({.address = "10.0.0.5",
                                      .state = TcpState::syn_recv,
                                      .timer = 1,
                                      .retransmissions = retransmissions});
  }
}

TEST(Listeners, CountHalfOpenConnectionsWithARetransmittedSynAck) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 9), listener(81, 2, 0, 9)};
  add_half_open(fixture, 2);
  add_half_open(fixture, 3, 1);
  const auto lines = fixture.lines(*listeners());
  EXPECT_EQ(value(lines, "inetdiag_listener_syn_queue_length" + at_80), "5");
  EXPECT_EQ(value(lines, "inetdiag_listener_syn_queue_retransmitted" + at_80), "3");
  EXPECT_EQ(
      value(lines, R"(inetdiag_listener_syn_queue_retransmitted{address="0.0.0.0",port="81"})"),
      "0");
}

/// Returns the fill ratio of the SYN queue of two sockets with a backlog of 99.
std::string syn_fill(const char* syncookies, int half_open) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/ipv4/tcp_syncookies", syncookies);
  fixture.proc_tree.write("sys/net/ipv4/tcp_max_syn_backlog", "16\n");
  fixture.kernel.sockets = {listener(80, 1, 0, 99), listener(80, 2, 0, 99)};
  add_half_open(fixture, half_open);
  return value(fixture.lines(*listeners()), "inetdiag_listener_syn_queue_fill_ratio" + at_80);
}

// Of tcp_max_syn_backlog = 16, a quarter is reserved for proven peers: each socket has room for 13.
TEST(Listeners, HaveAShorterSynQueueWithoutSynCookies) {
  EXPECT_EQ(syn_fill("0\n", 13), "0.5");
  EXPECT_EQ(syn_fill("0\n", 26), "1");
}

TEST(Listeners, HaveASynQueueOfTheBacklogWithSynCookies) {
  EXPECT_EQ(syn_fill("1\n", 26), "0.13");
  EXPECT_EQ(syn_fill("2\n", 26), "0.13");
  EXPECT_EQ(syn_fill("", 26), "0.13");
}

TEST(Listeners, ExportWhetherSomaxconnCapsTheBacklog) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/core/somaxconn", "128\n");
  fixture.kernel.sockets = {listener(80, 1, 0, 128), listener(81, 2, 0, 64),
                            listener(82, 3, 0, 4096)};
  const auto lines = fixture.lines(*listeners());
  const auto capped = [&](const std::string& port) {
    return value(lines,
                 R"(inetdiag_listener_backlog_capped{address="0.0.0.0",port=")" + port + "\"}");
  };
  EXPECT_EQ(capped("80"), "1");
  EXPECT_EQ(capped("81"), "0");
  EXPECT_EQ(capped("82"), "1");
}

TEST(Listeners, OmitBacklogCappedIfSomaxconnIsUnknown) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 128)};
  const auto collection = fixture.collect(*listeners());
  EXPECT_THAT(lines_of(collection.families),
              Not(Contains(StartsWith("inetdiag_listener_backlog_capped"))));
  EXPECT_THAT(collection.missing, Contains(HasSubstr("somaxconn")));
  EXPECT_THAT(collection.errors, IsEmpty());
}

TEST(Listeners, NeverDecreaseDropsAsMembersOpenAndClose) {
  CollectorFixture fixture;
  const auto collector = listeners();
  const auto drops = [&](std::vector<FakeSocket> sockets) {
    fixture.kernel.sockets = std::move(sockets);
    return value(fixture.lines(*collector), "inetdiag_listener_socket_drops_total" + at_80);
  };
  EXPECT_EQ(drops({listener(80, 1, 0, 9, 10), listener(80, 2, 0, 9, 20)}), "30");
  EXPECT_EQ(drops({listener(80, 2, 0, 9, 21)}), "31");
  EXPECT_EQ(drops({listener(80, 2, 0, 9, 21), listener(80, 3, 0, 9, 4)}), "35");
  EXPECT_EQ(drops({}), "absent");
  EXPECT_EQ(drops({listener(80, 4, 0, 9, 1)}), "36");
}

TEST(Listeners, ReportAKernelWithoutDropsAsAMissingFeature) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 9, -1)};
  const auto collection = fixture.collect(*listeners());
  EXPECT_THAT(lines_of(collection.families),
              Not(Contains(StartsWith("inetdiag_listener_socket_drops_total"))));
  EXPECT_THAT(collection.missing, Contains(HasSubstr("SK_MEMINFO_DROPS")));
  EXPECT_THAT(collection.errors, IsEmpty());
}

TEST(Listeners, ReportAKernelWithoutCgroupsAsAMissingFeature) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 9)};
  EXPECT_THAT(fixture.collect(*listeners()).missing, Contains(HasSubstr("INET_DIAG_CGROUP_ID")));
  fixture.kernel.sockets = {listener(80, 1, 0, 9), listener(81, 2, 0, 9)};
  fixture.kernel.sockets[1].cgroup = 1;
  EXPECT_THAT(fixture.collect(*listeners()).missing,
              Not(Contains(HasSubstr("INET_DIAG_CGROUP_ID"))));
}

TEST(Listeners, HaveADeviceLabelIfBoundToADevice) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 9)};
  fixture.kernel.sockets[0].device = 1;
  EXPECT_EQ(value(fixture.lines(*listeners()),
                  R"(inetdiag_listener_sockets{address="0.0.0.0",port="80",device="lo"})"),
            "1");
}

TEST(Listeners, ExportTheirOwner) {
  CollectorFixture fixture;
  fixture.sys_tree.write("fs/cgroup/cgroup.controllers", "");
  const auto directory = fixture.sys_tree.make_directory("fs/cgroup/system.slice/nginx.service");
  struct stat status {};
  ASSERT_EQ(::stat(directory.c_str(), &status), 0);
  fixture.kernel.sockets = {listener(80, 1, 0, 9), listener(81, 2, 0, 9)};
  fixture.kernel.sockets[0].cgroup = status.st_ino;
  fixture.kernel.sockets[1].cgroup = 1;
  const auto lines = fixture.lines(*listeners());
  EXPECT_EQ(std::ranges::count_if(
                lines, [](const auto& line) { return line.starts_with("inetdiag_listener_info"); }),
            1);
  EXPECT_EQ(value(lines, R"(inetdiag_listener_info{address="0.0.0.0",port="80",)"
                         R"(cgroup="/system.slice/nginx.service",unit="nginx.service"})"),
            "1");
}

TEST(Listeners, ExportSeveralOwnersAsOneSeries) {
  CollectorFixture fixture;
  fixture.sys_tree.write("fs/cgroup/cgroup.controllers", "");
  fixture.kernel.sockets = {listener(80, 1, 0, 9), listener(80, 2, 0, 9)};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto directory =
        fixture.sys_tree.make_directory(i == 0 ? "fs/cgroup/b.service" : "fs/cgroup/a.service");
    struct stat status {};
    ASSERT_EQ(::stat(directory.c_str(), &status), 0);
    fixture.kernel.sockets[i].cgroup = status.st_ino;
  }
  EXPECT_EQ(value(fixture.lines(*listeners()),
                  R"(inetdiag_listener_info{address="0.0.0.0",port="80",)"
                  R"(cgroup="/a.service,/b.service",unit="a.service,b.service"})"),
            "1");
}

TEST(Listeners, ExportTenOwnersAtMost) {
  CollectorFixture fixture;
  fixture.sys_tree.write("fs/cgroup/cgroup.controllers", "");
  for (char name = 'a'; name <= 'k'; ++name) {
    const auto directory = fixture.sys_tree.make_directory(std::string("fs/cgroup/") + name);
    struct stat status {};
    ASSERT_EQ(::stat(directory.c_str(), &status), 0);
    fixture.kernel.sockets.push_back(listener(80, static_cast<std::uint64_t>(name), 0, 9));
    fixture.kernel.sockets.back().cgroup = status.st_ino;
  }
  EXPECT_EQ(
      value(fixture.lines(*listeners()), R"(inetdiag_listener_info{address="0.0.0.0",port="80",)"
                                         R"(cgroup="/a,/b,/c,/d,/e,/f,/g,/h,/i,/j,..."})"),
      "1");
}

TEST(Listeners, AreAggregatedBeyondTheMaximum) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 9), listener(81, 2, 2, 9, 0),
                            listener(82, 3, 1, 9, 0)};
  const auto lines = fixture.lines(*listeners("1"));
  EXPECT_EQ(value(lines, "inetdiag_listeners_aggregated"), "2");
  EXPECT_EQ(value(lines, "inetdiag_listener_sockets" + at_80), "1");
  EXPECT_EQ(value(lines, "inetdiag_listener_sockets" + at_other), "2");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_other), "3");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_limit" + at_other), "18");
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_fill_ratio" + at_other), "0.2");
}

TEST(Listeners, WithFullQueuesOrDropsAreAggregatedLast) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 9), listener(9000, 2, 10, 9),
                            listener(9001, 3, 0, 9, 1)};
  const auto lines = fixture.lines(*listeners("2"));
  EXPECT_EQ(value(lines, "inetdiag_listener_sockets" + at_80), "absent");
  EXPECT_EQ(value(lines, R"(inetdiag_listener_sockets{address="0.0.0.0",port="9000"})"), "1");
  EXPECT_EQ(value(lines, R"(inetdiag_listener_sockets{address="0.0.0.0",port="9001"})"), "1");
}

TEST(Listeners, NeverDecreaseAggregatedDropsWhenAListenerLeavesTheAggregate) {
  CollectorFixture fixture;
  const auto collector = listeners("1");
  const auto drops = [&](std::vector<FakeSocket> sockets) {
    fixture.kernel.sockets = std::move(sockets);
    return value(fixture.lines(*collector), "inetdiag_listener_socket_drops_total" + at_other);
  };
  EXPECT_EQ(drops({listener(80, 1, 0, 9, 5), listener(81, 2, 0, 9, 7), listener(82, 3, 0, 9, 1)}),
            "8");
  // Port 80 closes: 81 has its own series and only 82 is aggregated.
  EXPECT_EQ(drops({listener(81, 2, 0, 9, 9), listener(82, 3, 0, 9, 2)}), "9");
}

TEST(Listeners, ExportTheOtherMetricsIfThePartialDumpFails) {
  CollectorFixture fixture;
  const auto collector = listeners();
  int dumps = 0;
  const kernel::FileTree proc_tree(fixture.proc_tree.root());
  const kernel::FileTree sys(fixture.sys_tree.root());
  const kernel::NetlinkFactory netlink = fixture.kernel.factory();
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
  kernel::CachedFiles proc(proc_tree, deadline);
  kernel::CgroupTree cgroups(sys, deadline);
  kernel::PodNames pods(fixture.kubelet_logs(), deadline);
  kernel::TcpTable tcp(
      [&](int /*protocol*/) {
        const Bytes reply = ++dumps == 1
                                ? data_message(listener(80, 1, 5, 9).payload()) + done_message()
                                : error_message(-ENOMEM);
        return std::make_unique<ReplayNetlink>(std::deque{reply});
      },
      deadline);
  const auto collection = collector->collect({proc, cgroups, pods, tcp, netlink, deadline});
  const auto lines = lines_of(collection.families);
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "5");
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_listener_syn_queue"))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_listener_accept_queue_oldest"))));
  EXPECT_THAT(collection.errors, ElementsAre(HasSubstr("cannot read SYN queues"),
                                             HasSubstr("cannot read waiting connections")));
}

TEST(Listeners, ExportTheOtherMetricsIfThePartialDumpTimesOut) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 5, 9, 45)};
  fixture.kernel.timed_out_states = kernel::mask(TcpState::syn_recv);
  const auto collection = fixture.collect(*listeners());
  const auto lines = lines_of(collection.families);
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "5");
  EXPECT_EQ(value(lines, "inetdiag_listener_socket_drops_total" + at_80), "45");
  EXPECT_THAT(collection.errors,
              ElementsAre(AllOf(HasSubstr("cannot read SYN queues: "), HasSubstr("deadline"))));
}

TEST(Listeners, DoNotCountAFastOpenChildAsHalfOpen) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {
      listener(80, 1, 1, 3),
      {.address = "10.0.0.5", .port = 80, .state = TcpState::syn_recv, .timer = 1, .full = true}};
  const auto lines = fixture.lines(*listeners());
  EXPECT_EQ(value(lines, "inetdiag_listener_syn_queue_length" + at_80), "0");
}

TEST(Listeners, CountASocketOnceIfADumpContainsItTwice) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 1, 3, 100), listener(80, 1, 1, 3, 110)};
  const auto lines = fixture.lines(*listeners());
  EXPECT_EQ(value(lines, "inetdiag_listener_sockets" + at_80), "1");
  EXPECT_EQ(value(lines, "inetdiag_listener_socket_drops_total" + at_80), "100");
}

TEST(Listeners, AggregateTheQueueOfTheFullestSocket) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 9, 9), listener(81, 2, 2, 9), listener(82, 3, 1, 1),
                            listener(83, 4, 0, 9)};
  const auto lines = fixture.lines(*listeners("2"));
  EXPECT_EQ(value(lines, "inetdiag_listener_sockets" + at_other), "2");
  EXPECT_EQ(value(lines, "inetdiag_listener_fullest_accept_queue_length" + at_other), "2");
  EXPECT_EQ(value(lines, "inetdiag_listener_fullest_accept_queue_limit" + at_other), "9");
}

std::string netstat(std::uint64_t listen_drops) {
  return "TcpExt: ListenOverflows ListenDrops\nTcpExt: 3 " + std::to_string(listen_drops) + "\n";
}

/// A collector, TcpExtListenDrops, and the listeners of one scrape after the other.
struct DroppingHost {
  CollectorFixture fixture;
  std::unique_ptr<Collector> collector;

  explicit DroppingHost(const std::string& max = "500") : collector(listeners(max)) {}

  std::vector<std::string> scrape(std::uint64_t listen_drops, std::vector<FakeSocket> sockets) {
    fixture.proc_tree.write("net/netstat", netstat(listen_drops));
    fixture.kernel.sockets = std::move(sockets);
    return fixture.lines(*collector);
  }
};

const std::string listen_drops_at_80 = "inetdiag_listener_listen_drops_total" + at_80;
const std::string listen_drops_at_81 =
    R"(inetdiag_listener_listen_drops_total{address="0.0.0.0",port="81"})";

TEST(ListenDrops, OfAListenerBeginAtZero) {
  DroppingHost host;
  const auto lines = host.scrape(500, {listener(80, 1, 10, 9, 500)});
  EXPECT_EQ(value(lines, listen_drops_at_80), "0");
  EXPECT_EQ(value(lines, "inetdiag_listener_socket_drops_total" + at_80), "500");
}

TEST(ListenDrops, AreThoseOfTheListenerWithTheFullQueue) {
  DroppingHost host;
  host.scrape(500, {listener(80, 1, 0, 9, 0), listener(81, 2, 0, 9, 70)});
  auto lines = host.scrape(520, {listener(80, 1, 10, 9, 20), listener(81, 2, 0, 9, 1070)});
  EXPECT_EQ(value(lines, listen_drops_at_80), "20");
  EXPECT_EQ(value(lines, listen_drops_at_81), "0");
  // The queue was full at the begin of the interval.
  lines = host.scrape(525, {listener(80, 1, 0, 9, 25), listener(81, 2, 0, 9, 1080)});
  EXPECT_EQ(value(lines, listen_drops_at_80), "25");
  EXPECT_EQ(value(lines, listen_drops_at_81), "0");
}

TEST(ListenDrops, AreThoseOfTheListenerWhoseSynQueueIsFullWithoutSynCookies) {
  DroppingHost host;
  host.fixture.proc_tree.write("sys/net/ipv4/tcp_syncookies", "0\n");
  host.fixture.proc_tree.write("sys/net/ipv4/tcp_max_syn_backlog", "1024\n");
  host.scrape(0, {listener(80, 1, 0, 1, 0), listener(81, 2, 0, 1, 0)});
  std::vector<FakeSocket> sockets = {listener(80, 1, 0, 1, 8), listener(81, 2, 0, 1, 30)};
  sockets.push_back({.address = "10.0.0.5", .state = TcpState::syn_recv, .timer = 1});
  sockets.push_back({.address = "10.0.0.6", .state = TcpState::syn_recv, .timer = 1});
  const auto lines = host.scrape(8, sockets);
  EXPECT_EQ(value(lines, listen_drops_at_80), "8");
  EXPECT_EQ(value(lines, listen_drops_at_81), "0");
}

TEST(ListenDrops, AreAggregatedAndNeverDecreaseWhenAListenerLeavesTheAggregate) {
  DroppingHost host("1");
  const std::string at = "inetdiag_listener_listen_drops_total" + at_other;
  host.scrape(0, {listener(80, 1, 0, 9, 0), listener(81, 2, 0, 9, 0)});
  EXPECT_EQ(value(host.scrape(6, {listener(80, 1, 10, 9, 0), listener(81, 2, 0, 9, 6)}), at), "6");
  // Port 81 has its own series, and 80 is aggregated.
  EXPECT_EQ(value(host.scrape(6, {listener(80, 1, 0, 9, 0), listener(81, 2, 10, 9, 6)}), at), "6");
  EXPECT_EQ(value(host.scrape(6, {listener(80, 1, 10, 9, 0), listener(81, 2, 0, 9, 6)}), at), "6");
}

TEST(ListenDrops, AreAbsentIfTheCounterOfTheNamespaceIs) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 0, 9, 7)};
  for (const auto* text : {"", "TcpExt: ListenOverflows\nTcpExt: 3\n", "TcpExt: ListenDrops\n"}) {
    fixture.proc_tree.write("net/netstat", text);
    const auto lines = fixture.lines(*listeners());
    EXPECT_EQ(value(lines, listen_drops_at_80), "absent") << text;
    EXPECT_EQ(value(lines, "inetdiag_listener_socket_drops_total" + at_80), "7") << text;
  }
}

/// A connection to port 80 that no program has accepted.
FakeSocket unaccepted_for(double seconds, TcpState state = TcpState::established) {
  return {.address = "10.0.0.5",
          .state = state,
          .full = true,
          .last_sent_ms = static_cast<std::uint32_t>(seconds * 1000)};
}

/// A listener at port 80 and its waiting connections, and clocks that the test sets.
struct WaitingHost {
  CollectorFixture fixture;
  CpuBudget::Clock::time_point now{std::chrono::hours(1)};
  double dump_cost = 0;  ///< seconds of CPU
  CpuBudget::CpuTime cpu{0};
  std::vector<std::string> errors;
  std::unique_ptr<Collector> collector = make_listeners_with_clocks(
      settings({{"max", "500"}, {"sample-interval", "0"}}), {[this] { return now; },
                                                             [this] {
                                                               // Called before and after a dump.
                                                               const auto was = cpu;
                                                               cpu += CpuBudget::CpuTime(dump_cost);
                                                               return was;
                                                             }});

  /// Scrapes `seconds` after the previous scrape. The dump of the connections reports those of
  /// these ages.
  std::vector<std::string> scrape_after(int seconds, std::uint32_t waiting,
                                        const std::vector<double>& ages) {
    std::vector<FakeSocket> sockets = {listener(80, 1, waiting, 128)};
    for (const double age : ages) {
      sockets.push_back(unaccepted_for(age));
      const auto arrival = now + std::chrono::seconds(seconds) - std::chrono::duration<double>(age);
      sockets.back().cookie = static_cast<std::uint64_t>(
          std::chrono::duration<double, std::milli>(arrival.time_since_epoch()).count());
    }
    return scrape_after(seconds, std::move(sockets));
  }
  std::vector<std::string> scrape_after(int seconds, std::vector<FakeSocket> sockets) {
    now += std::chrono::seconds(seconds);
    fixture.kernel.sockets = std::move(sockets);
    fixture.kernel.dumps = 0;
    const Collection collection = fixture.collect(*collector);
    errors = collection.errors;
    return lines_of(collection.families);
  }

  /// Whether the previous scrape dumped waiting connections, after listeners and SYN queues.
  bool has_dumped() const { return fixture.kernel.dumps == 3; }
};

const std::string oldest_at_80 = "inetdiag_listener_accept_queue_oldest_seconds" + at_80;
const std::string stalled_at_80 = "inetdiag_listener_accept_queue_stalled_seconds" + at_80;
const std::string abandoned_at_80 = "inetdiag_listener_accept_queue_abandoned_connections" + at_80;

TEST(AcceptQueue, ExportsTheAgeOfTheOldestConnectionFromTheFirstScrape) {
  WaitingHost host;
  const auto lines = host.scrape_after(0, 2, {0.25, 1.5});
  EXPECT_EQ(value(lines, oldest_at_80), "1.5");
  EXPECT_EQ(value(lines, abandoned_at_80), "0");
  // Whether the program accepts any is known from the second scrape on.
  EXPECT_EQ(value(lines, stalled_at_80), "absent");
}

TEST(AcceptQueue, IsNotDumpedWhileItIsEmpty) {
  WaitingHost host;
  for (int i = 0; i < 3; ++i) {
    const auto lines = host.scrape_after(5, 0, {});
    EXPECT_EQ(value(lines, oldest_at_80), "absent");
    EXPECT_EQ(value(lines, stalled_at_80), "absent");
    EXPECT_FALSE(host.has_dumped());
  }
}

TEST(AcceptQueue, IsNotDumpedUntilItIsNotEmptyInTwoScrapes) {
  WaitingHost host;
  host.scrape_after(0, 0, {});
  EXPECT_EQ(value(host.scrape_after(5, 1, {0}), oldest_at_80), "absent");
  EXPECT_FALSE(host.has_dumped());
  EXPECT_EQ(value(host.scrape_after(5, 1, {5}), oldest_at_80), "5");
  EXPECT_TRUE(host.has_dumped());
}

TEST(AcceptQueue, IsDumpedForListenersThatAreWaitedForOnly) {
  WaitingHost host;
  const std::string at_81 =
      R"(inetdiag_listener_accept_queue_oldest_seconds{address="0.0.0.0",port="81"})";
  std::vector<FakeSocket> sockets = {listener(80, 1, 1, 9), listener(81, 2, 0, 9),
                                     unaccepted_for(1), unaccepted_for(2)};
  sockets.back().port = 81;  // established after the dump of the listeners
  auto lines = host.scrape_after(0, sockets);
  EXPECT_EQ(value(lines, oldest_at_80), "1");
  EXPECT_EQ(value(lines, at_81), "absent");
}

TEST(AcceptQueue, IsStalledSinceTheFirstScrapeWithTheSameConnections) {
  WaitingHost host;
  host.scrape_after(0, 2, {1, 2});
  EXPECT_EQ(value(host.scrape_after(5, 2, {6, 7}), stalled_at_80), "5");
  EXPECT_EQ(value(host.scrape_after(15, 3, {21, 22, 10}), stalled_at_80), "20");
}

TEST(AcceptQueue, IsNotStalledOnceAConnectionIsAccepted) {
  WaitingHost host;
  host.scrape_after(0, 3, {1, 2, 3});
  // The oldest was accepted, and a new one arrived.
  EXPECT_EQ(value(host.scrape_after(5, 3, {6, 7, 1}), stalled_at_80), "0");
  EXPECT_EQ(value(host.scrape_after(5, 3, {11, 12, 6}), stalled_at_80), "5");
}

TEST(AcceptQueue, IsNotStalledOnceItWasEmpty) {
  WaitingHost host;
  host.scrape_after(0, 1, {1});
  host.scrape_after(5, 0, {});
  EXPECT_EQ(value(host.scrape_after(5, 1, {1}), stalled_at_80), "absent");
  EXPECT_EQ(value(host.scrape_after(5, 1, {6}), stalled_at_80), "5");
}

// tcpi_last_data_sent counts jiffies of up to 10 ms.
TEST(AcceptQueue, IsStalledIfAgesAreRoundedDown) {
  WaitingHost host;
  host.scrape_after(0, 1, {0});
  EXPECT_EQ(value(host.scrape_after(5, 1, {4.99}), stalled_at_80), "5");
}

// The kernel removes them from its hash table, but not from the accept queue.
TEST(AcceptQueue, IsStalledIfTheClientResetAConnection) {
  WaitingHost host;
  host.scrape_after(0, 3, {1, 2, 3});
  EXPECT_EQ(value(host.scrape_after(5, 3, {7, 8}), stalled_at_80), "5");
}

TEST(AcceptQueue, IsNotStalledIfNewClientsResetTheirConnections) {
  WaitingHost host;
  host.scrape_after(0, 3, {1, 2, 3});
  // The oldest was accepted; a connection that is in no dump takes a place.
  EXPECT_EQ(value(host.scrape_after(5, 3, {6, 7}), stalled_at_80), "0");
}

// A busy program has some connections in its queue most of the time.
TEST(AcceptQueue, IsNotStalledIfItsConnectionsAreAcceptedBeforeTheDump) {
  WaitingHost host;
  host.scrape_after(0, 2, {0, 0.01});
  EXPECT_EQ(value(host.scrape_after(5, 3, {0}), stalled_at_80), "0");
  EXPECT_EQ(value(host.scrape_after(5, 2, {}), stalled_at_80), "absent");
}

TEST(AcceptQueue, ExportsHowManyConnectionsTheClientHasClosed) {
  WaitingHost host;
  FakeSocket leaked = unaccepted_for(100, TcpState::close_wait);
  leaked.inode = 7;
  const auto lines = host.scrape_after(
      0, {listener(80, 1, 3, 128), unaccepted_for(1), unaccepted_for(2, TcpState::close_wait),
          unaccepted_for(3, TcpState::close_wait), leaked});
  EXPECT_EQ(value(lines, abandoned_at_80), "2");
  EXPECT_EQ(value(lines, oldest_at_80), "3");
}

TEST(AcceptQueue, ExcludesAcceptedConnections) {
  WaitingHost host;
  FakeSocket accepted = unaccepted_for(100);
  accepted.inode = 7;
  const auto lines = host.scrape_after(0, {listener(80, 1, 1, 128), unaccepted_for(1), accepted});
  EXPECT_EQ(value(lines, oldest_at_80), "1");
}

TEST(AcceptQueue, IsDumpedWithinABudgetOfOnePercentOfACpu) {
  WaitingHost host;
  host.dump_cost = 0.3;
  host.scrape_after(0, 1, {1});
  EXPECT_TRUE(host.has_dumped());
  host.scrape_after(1, 1, {2});  // the first dump is free
  EXPECT_TRUE(host.has_dumped());
  const auto lines = host.scrape_after(29, 1, {31});
  EXPECT_FALSE(host.has_dumped());
  EXPECT_EQ(value(lines, oldest_at_80), "absent");
  EXPECT_EQ(value(lines, stalled_at_80), "absent");
  host.scrape_after(1, 1, {32});
  EXPECT_TRUE(host.has_dumped());
}

TEST(AcceptQueue, IsStalledAcrossAScrapeWithoutADump) {
  WaitingHost host;
  host.dump_cost = 0.3;
  host.scrape_after(0, 1, {1});
  host.scrape_after(15, 1, {16});
  host.scrape_after(15, 2, {31, 1});
  EXPECT_FALSE(host.has_dumped());
  EXPECT_EQ(value(host.scrape_after(15, 2, {46, 16}), stalled_at_80), "45");
}

TEST(AcceptQueue, IsNotStalledIfConnectionsWereAcceptedAroundAScrapeWithoutADump) {
  WaitingHost host;
  host.dump_cost = 0.3;
  host.scrape_after(0, 1, {1});
  host.scrape_after(15, 1, {16});
  host.scrape_after(15, 1, {10});
  EXPECT_FALSE(host.has_dumped());
  EXPECT_EQ(value(host.scrape_after(15, 1, {25}), stalled_at_80), "0");
}

TEST(AcceptQueue, OmitsWaitingConnectionsIfNoDumpIsDue) {
  WaitingHost host;
  host.fixture.dump_policy = {.is_due = false, .allows_waiting_connections = false};
  const auto lines = host.scrape_after(0, 2, {1, 2});
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "2");
  EXPECT_EQ(value(lines, oldest_at_80), "absent");
  EXPECT_THAT(host.errors, IsEmpty());
}

TEST(AcceptQueue, ReportsThatTheDumpTimedOut) {
  WaitingHost host;
  host.fixture.kernel.timed_out_states = kernel::mask(TcpState::established);
  const auto lines = host.scrape_after(0, 2, {1, 2});
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "2");
  EXPECT_EQ(value(lines, oldest_at_80), "absent");
  EXPECT_THAT(host.errors, ElementsAre(HasSubstr("cannot read waiting connections: ")));
}

TEST(AcceptQueue, OfAggregatedListenersHasNoAge) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(79, 1, 0, 9), listener(80, 2, 1, 9), unaccepted_for(5)};
  const auto lines = fixture.lines(*listeners("1"));
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_other), "1");
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_listener_accept_queue_oldest"))));
}

TEST(Listeners, RejectAnInvalidMaximum) {
  for (const auto* max : {"", "0", "-1", "x", "1.5", "99999999999"}) {
    EXPECT_THROW(listeners(max), SettingError) << max;
  }
}

TEST(Listeners, OmitSynQueuesIfNoDumpIsDue) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 5, 9)};
  fixture.dump_policy = {.is_due = false};
  const auto collection = fixture.collect(*listeners());
  const auto lines = lines_of(collection.families);
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "5");
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_listener_syn_queue"))));
  EXPECT_THAT(collection.errors, ::testing::IsEmpty());
}

constexpr const char* drops_family = "inetdiag_listener_socket_drops";

TEST(Listeners, AreCreatedAtThePreviousCollection) {
  CollectorFixture fixture;
  const auto collector = listeners();
  fixture.kernel.sockets = {listener(80, 1, 0, 9, 5)};
  const auto time = [] {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  const double before = time();
  EXPECT_EQ(created_of(fixture.collect(*collector).families, drops_family, at_80), std::nullopt);
  const double after = time();
  fixture.kernel.sockets.push_back(listener(81, 2, 0, 9, 3));
  const std::string at_81 = R"({address="0.0.0.0",port="81"})";
  const auto families = fixture.collect(*collector).families;
  EXPECT_EQ(created_of(families, drops_family, at_80), std::nullopt);
  const auto created = created_of(families, drops_family, at_81);
  ASSERT_TRUE(created);
  constexpr double resolution = 0.002;
  EXPECT_GE(*created, before - resolution);
  EXPECT_LE(*created, after);
  EXPECT_EQ(created_of(fixture.collect(*collector).families, drops_family, at_81), created);
}

TEST(Listeners, AreNotCreatedAgainIfTheirCounterContinues) {
  CollectorFixture fixture;
  const auto collector = listeners();
  fixture.kernel.sockets = {listener(80, 1, 0, 9, 5)};
  fixture.collect(*collector);
  fixture.kernel.sockets.clear();
  fixture.collect(*collector);
  fixture.kernel.sockets = {listener(80, 2, 0, 9, 1)};
  const auto families = fixture.collect(*collector).families;
  EXPECT_EQ(value(lines_of(families), "inetdiag_listener_socket_drops_total" + at_80), "6");
  EXPECT_EQ(created_of(families, drops_family, at_80), std::nullopt);
}

TEST(Listeners, OfANewNamespaceAreCreatedWithIt) {
  CollectorFixture fixture;
  fixture.is_other_namespace = true;
  fixture.namespace_created = std::chrono::system_clock::now() - std::chrono::seconds(10);
  const double created = static_cast<double>(std::chrono::floor<std::chrono::milliseconds>(
                                                 fixture.namespace_created->time_since_epoch())
                                                 .count()) /
                         1000;
  fixture.proc_tree.write("net/netstat", "TcpExt: ListenDrops\nTcpExt: 5\n");
  fixture.kernel.sockets = {listener(80, 1, 0, 9, 5), listener(81, 2, 0, 9)};
  const auto collector = listeners("1");
  const auto families = fixture.collect(*collector).families;
  EXPECT_EQ(value(lines_of(families), "inetdiag_listener_listen_drops_total" + at_80), "5");
  for (const std::string& labels : {at_80, at_other}) {
    EXPECT_EQ(created_of(families, drops_family, labels), created) << labels;
    EXPECT_EQ(created_of(families, "inetdiag_listener_listen_drops", labels), created) << labels;
  }
}

TEST(Listeners, HaveNoCreatedTimeOnceTheirDropsWereAggregated) {
  CollectorFixture fixture;
  const auto collector = listeners("1");
  fixture.kernel.sockets = {listener(80, 1, 0, 9, 1)};
  fixture.collect(*collector);
  fixture.kernel.sockets.push_back(listener(81, 2, 0, 9, 3));
  fixture.collect(*collector);
  fixture.kernel.sockets.erase(fixture.kernel.sockets.begin());
  const auto families = fixture.collect(*collector).families;
  const std::string at_81 = R"({address="0.0.0.0",port="81"})";
  EXPECT_EQ(value(lines_of(families), "inetdiag_listener_socket_drops_total" + at_81), "3");
  EXPECT_EQ(created_of(families, drops_family, at_81), std::nullopt);
}

}  // namespace
}  // namespace inetdiag
