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
  return make_listeners(settings({{"max", max}}));
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
  EXPECT_EQ(value(lines, "inetdiag_listener_drops_total" + at_80), "45");
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
  EXPECT_THAT(fixture.lines(*listeners()),
              Not(Contains(StartsWith("inetdiag_listener_backlog_capped"))));
}

TEST(Listeners, NeverDecreaseDropsAsMembersOpenAndClose) {
  CollectorFixture fixture;
  const auto collector = listeners();
  const auto drops = [&](std::vector<FakeSocket> sockets) {
    fixture.kernel.sockets = std::move(sockets);
    return value(fixture.lines(*collector), "inetdiag_listener_drops_total" + at_80);
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
              Not(Contains(StartsWith("inetdiag_listener_drops_total"))));
  EXPECT_THAT(collection.missing, ElementsAre(HasSubstr("SK_MEMINFO_DROPS")));
  EXPECT_THAT(collection.errors, IsEmpty());
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
    return value(fixture.lines(*collector), "inetdiag_listener_drops_total" + at_other);
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
  const kernel::NetlinkFactory sock_diag = fixture.kernel.factory();
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
  kernel::CachedFiles proc(proc_tree, deadline);
  kernel::CgroupTree cgroups(sys, deadline);
  kernel::TcpTable tcp(
      [&] {
        const Bytes reply = ++dumps == 1
                                ? data_message(listener(80, 1, 5, 9).payload()) + done_message()
                                : error_message(-ENOMEM);
        return std::make_unique<ReplayNetlink>(std::deque{reply});
      },
      deadline);
  const auto collection = collector->collect({proc, cgroups, tcp, sock_diag, deadline});
  const auto lines = lines_of(collection.families);
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "5");
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_listener_syn_queue"))));
  EXPECT_THAT(collection.errors, ElementsAre(HasSubstr("cannot read SYN queues")));
}

TEST(Listeners, ExportTheOtherMetricsIfThePartialDumpTimesOut) {
  CollectorFixture fixture;
  fixture.kernel.sockets = {listener(80, 1, 5, 9, 45)};
  fixture.kernel.timed_out_states = kernel::mask(TcpState::syn_recv);
  const auto collection = fixture.collect(*listeners());
  const auto lines = lines_of(collection.families);
  EXPECT_EQ(value(lines, "inetdiag_listener_accept_queue_length" + at_80), "5");
  EXPECT_EQ(value(lines, "inetdiag_listener_drops_total" + at_80), "45");
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
  EXPECT_EQ(value(lines, "inetdiag_listener_drops_total" + at_80), "100");
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

}  // namespace
}  // namespace inetdiag
