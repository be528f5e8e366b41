#include "collectors/owners.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A listener on port 80 with the inode 4711, and the clocks of the collector.
struct WaitingListener : CollectorFixture {
  CpuBudget::Clock::time_point now{};
  CpuBudget::CpuTime cpu{};
  CpuBudget::CpuTime cpu_cost = 1ms;
  std::string missing_capability = "CAP_SYS_PTRACE";
  std::unique_ptr<Collector> collector =
      make_owners_with_clocks({.now = [this] { return now += 1s; },
                               .thread_cpu = [this] { return cpu += cpu_cost; },
                               .missing_capability = [this] { return missing_capability; }});

  WaitingListener() {
    kernel.sockets = {
        {.port = 80, .cookie = 1, .receive_queue = 3, .send_queue = 9, .inode = 4711}};
  }

  void add_process(int pid, const std::string& comm, char state, int ticks = 0, int parent = 1,
                   int start = 7) const {
    const std::string directory = std::to_string(pid) + "/";
    const std::string stat = directory.substr(0, directory.size() - 1) + " (" + comm + ") " +
                             state + " " + std::to_string(parent) + " 1 1 0 -1 0 0 0 0 0 " +
                             std::to_string(ticks) + " 0 0 0 20 0 1 0 " + std::to_string(start) +
                             "\n";
    proc_tree.write(directory + "stat", stat);
    proc_tree.write(directory + "task/" + directory + "stat", stat);
    proc_tree.write(directory + "limits", "Max open files  64  64  files\n");
    proc_tree.make_directory(directory + "fd");
  }

  void open_socket(int pid, int inode) const {
    std::filesystem::create_symlink(
        "socket:[" + std::to_string(inode) + "]",
        proc_tree.path(std::to_string(pid) + "/fd/" + std::to_string(inode)));
  }

  std::vector<std::string> scrape() { return lines(*collector); }
};

constexpr const char* count = "inetdiag_listener_owner_processes";

TEST(Owners, ReadNothingWhileNoConnectionWaits) {
  WaitingListener host;
  host.kernel.sockets[0].receive_queue = 0;
  host.add_process(812, "web", 'T');
  host.open_socket(812, 4711);
  EXPECT_THAT(host.scrape(), IsEmpty());
}

TEST(Owners, AreExaminedInTheFirstScrapeAndThenIfConnectionsWaitedBefore) {
  WaitingListener host;
  EXPECT_THAT(host.scrape(), Contains(StartsWith(count)));
  EXPECT_THAT(host.scrape(), Contains(StartsWith(count)));
  host.kernel.sockets[0].receive_queue = 0;
  EXPECT_THAT(host.scrape(), IsEmpty());
  host.kernel.sockets[0].receive_queue = 3;
  EXPECT_THAT(host.scrape(), IsEmpty());
  EXPECT_THAT(host.scrape(), Contains(StartsWith(count)));
}

TEST(Owners, AreTheProcessesThatHaveTheSocketOpen) {
  WaitingListener host;
  host.add_process(812, "web (x", 'T', 150);
  host.add_process(813, "other", 'S');
  host.open_socket(812, 4711);
  host.open_socket(813, 4712);
  const auto lines = host.scrape();
  EXPECT_THAT(lines, Contains(R"(inetdiag_listener_owner_processes{address="0.0.0.0",port="80",)"
                              R"(found_by="socket"} 1)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_listener_process_info{address="0.0.0.0",port="80",)"
                              R"(pid="812",comm="web (x",inode="4711"} 1)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_listener_process_threads{address="0.0.0.0",port="80",)"
                              R"(pid="812",state="stopped"} 1)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_listener_process_open_files_limit{address="0.0.0.0",)"
                              R"(port="80",pid="812"} 64)"));
  EXPECT_THAT(lines, Contains(HasSubstr(R"(cpu_seconds_total{address="0.0.0.0",port="80",)"
                                        R"(pid="812"} 1.5)")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("813"))));
}

TEST(Owners, HaveABusyThreadIfItsCpuTimeGrowsAsFastAsTime) {
  WaitingListener host;
  host.add_process(812, "web", 'R', 100);
  host.open_socket(812, 4711);
  EXPECT_THAT(host.scrape(), Not(Contains(HasSubstr("busiest_thread"))));
  const auto before = host.now;
  host.add_process(812, "web", 'R', 100'000);
  EXPECT_THAT(host.scrape(),
              Contains(R"(inetdiag_listener_process_busiest_thread_cpu_ratio{address="0.0.0.0",)"
                       R"(port="80",pid="812"} 1)"));
  EXPECT_GT(host.now, before);
}

TEST(Owners, AreThoseOfTheCgroupIfDescriptorsCannotBeRead) {
  WaitingListener host;
  host.kernel.sockets[0].cgroup = host.make_cgroup("/web.service");
  host.sys_tree.write("fs/cgroup/web.service/cgroup.procs", "812\n0\n813\n");
  host.add_process(812, "web", 'S');
  host.add_process(813, "helper", 'S', 0, 812);
  const auto collection = host.collect(*host.collector);
  const auto lines = lines_of(collection.families);
  EXPECT_THAT(lines, Contains(R"(inetdiag_listener_owner_processes{address="0.0.0.0",port="80",)"
                              R"(found_by="cgroup",needs="CAP_SYS_PTRACE"} 2)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_listener_process_info{address="0.0.0.0",port="80",)"
                              R"(pid="812",comm="web"} 1)"));
  EXPECT_THAT(collection.missing, ElementsAre(HasSubstr("needs CAP_SYS_PTRACE")));
  EXPECT_THAT(collection.errors, IsEmpty());
}

TEST(Owners, NeedWhatDeniesAccessToDescriptors) {
  for (const std::string& missing : {std::string("CAP_DAC_READ_SEARCH"), std::string()}) {
    WaitingListener host;
    host.missing_capability = missing;
    host.kernel.sockets[0].cgroup = host.make_cgroup("/web.service");
    host.sys_tree.write("fs/cgroup/web.service/cgroup.procs", "0\n");
    const std::string needs = missing.empty() ? "access" : missing;
    EXPECT_THAT(host.scrape(), Contains(HasSubstr("needs=\"" + needs + "\"")));
  }
}

TEST(Owners, AreNotTheManagerThatOpenedTheSocket) {
  WaitingListener host;
  host.kernel.sockets[0].cgroup = host.make_cgroup("/init.scope");
  host.sys_tree.write("fs/cgroup/init.scope/cgroup.procs", "1\n");
  host.add_process(1, "systemd", 'S');
  EXPECT_THAT(host.scrape(), Contains(AllOf(StartsWith(count), HasSubstr("found_by=\"none\""))));
}

TEST(Owners, HaveTheLimitsOfTheCgroupOfTheProcess) {
  WaitingListener host;
  host.make_cgroup("/web.service");
  host.sys_tree.write("fs/cgroup/web.service/cgroup.events", "populated 1\nfrozen 1\n");
  host.add_process(812, "web", 'S');
  host.proc_tree.write("812/cgroup", "0::/web.service\n");
  host.open_socket(812, 4711);
  EXPECT_THAT(host.scrape(),
              Contains(R"(inetdiag_listener_owner_frozen{address="0.0.0.0",port="80",)"
                       R"(cgroup="/web.service"} 1)"));
}

TEST(Owners, AreNamedWithoutTheParentOfOthers) {
  WaitingListener host;
  host.make_cgroup("/web.service");
  host.sys_tree.write("fs/cgroup/web.service/cgroup.events", "populated 1\nfrozen 0\n");
  host.add_process(1, "systemd", 'S', 0, 0);
  host.add_process(100, "master", 'S');
  host.add_process(101, "worker", 'T', 0, 100);
  host.proc_tree.write("101/cgroup", "0::/web.service\n");
  for (const int pid : {1, 100, 101}) {
    host.open_socket(pid, 4711);
  }
  const auto lines = host.scrape();
  EXPECT_THAT(lines, Contains(AllOf(StartsWith(count), ::testing::EndsWith(" 3"))));
  EXPECT_THAT(lines, Contains(HasSubstr("pid=\"101\"")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("pid=\"1\""))));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("pid=\"100\""))));
  EXPECT_THAT(lines, Contains(HasSubstr("cgroup=\"/web.service\"")));
}

TEST(Owners, AreNamedIfTheirChildHasNoSocket) {
  WaitingListener host;
  host.add_process(100, "web", 'S');
  host.add_process(101, "helper", 'S', 0, 100);
  host.open_socket(100, 4711);
  EXPECT_THAT(host.scrape(), Contains(HasSubstr("pid=\"100\"")));
}

TEST(Owners, AreTheManagerIfNobodyElseHasTheSocket) {
  WaitingListener host;
  host.add_process(1, "systemd", 'S', 0, 0);
  host.open_socket(1, 4711);
  EXPECT_THAT(host.scrape(), Contains(HasSubstr("pid=\"1\",comm=\"systemd\"")));
}

TEST(Owners, AreUnknownWhileTheBudgetForbidsASearch) {
  WaitingListener host;
  host.cpu_cost = 1h;
  host.add_process(812, "web", 'S');
  host.open_socket(812, 4711);
  EXPECT_THAT(host.scrape(), Contains(StartsWith(count)));  // free
  EXPECT_THAT(host.scrape(), Contains(HasSubstr("comm=\"web\"")));
  EXPECT_THAT(host.scrape(), Contains(HasSubstr("comm=\"web\""))) << "the process still exists";
  host.add_process(812, "other", 'S', 0, 1, 8);
  const auto lines = host.scrape();
  EXPECT_THAT(lines, Not(Contains(HasSubstr("other")))) << "another process has its PID";
  EXPECT_THAT(lines, Not(Contains(StartsWith(count))));
}

TEST(Owners, AreChargedForASearchThatTimesOut) {
  WaitingListener host;
  host.cpu_cost = 1h;
  host.add_process(812, "web", 'S');
  host.open_socket(812, 4711);
  EXPECT_THAT(host.scrape(), Contains(StartsWith(count)));
  host.is_late = true;
  EXPECT_THROW(host.scrape(), kernel::DeadlineExceeded);
  host.is_late = false;
  EXPECT_THAT(host.scrape(), Not(Contains(StartsWith(count))));
}

TEST(Owners, AreUnknownIfThereAreMoreProcessesThanAreSearched) {
  WaitingListener host;
  for (int pid = 1; pid <= 4096; ++pid) {
    host.proc_tree.make_directory(std::to_string(pid));
  }
  EXPECT_THAT(host.scrape(), Contains(AllOf(StartsWith(count), HasSubstr("found_by=\"none\""))));
  host.proc_tree.make_directory("4097");
  const auto collection = host.collect(*host.collector);
  EXPECT_THAT(lines_of(collection.families), Not(Contains(StartsWith(count))));
  EXPECT_THAT(collection.missing, Contains(HasSubstr("4096")));
}

TEST(Owners, AreNotExaminedIfTheirConnectionsWereAcceptedBeforeTheDump) {
  WaitingListener host;
  host.dumped_ports = {81};
  EXPECT_THAT(host.scrape(), Contains(StartsWith(count))) << "of this port nothing is known";
  host.dumped_ports = {80};
  EXPECT_THAT(host.scrape(), IsEmpty());
}

TEST(Owners, AreTenProcessesAtMost) {
  WaitingListener host;
  for (int pid = 100; pid < 115; ++pid) {
    host.add_process(pid, "worker", 'S');
    host.open_socket(pid, 4711);
  }
  const auto lines = host.scrape();
  EXPECT_EQ(std::ranges::count_if(lines,
                                  [](const std::string& line) {
                                    return line.starts_with("inetdiag_listener_process_info");
                                  }),
            10);
  EXPECT_THAT(lines, Contains(AllOf(StartsWith(count), ::testing::EndsWith(" 15"))));
}

}  // namespace
}  // namespace inetdiag
