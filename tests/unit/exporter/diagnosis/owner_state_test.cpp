#include "exporter/diagnosis/owner_state.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/diagnosed_host.h"

namespace inetdiag::diagnosis {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string web_cgroup = "/sys/fs/cgroup/web.service";

/// A listener that has accepted nothing for 20 s, and its process nginx (pid 812).
struct StuckHost : DiagnosedHost {
  StuckHost() {
    for (Listener* listener : {&this->listener(), &listener_before()}) {
      listener->waiting = 5;
      listener->oldest_seconds = 20;
      listener->stalled_seconds = 20;
      listener->owner_state = OwnerState{.count = 1, .found_by = "socket"};
      ListenerProcess& process = listener->owner_state->processes["812"];
      process = {.comm = "nginx", .inode = "4711", .open_files = 20, .open_files_limit = 1024};
      process.threads["sleeping"] = 1;
    }
  }

  OwnerState& owner() { return *listener().owner_state; }
  ListenerProcess& process() { return owner().processes.at("812"); }
  void set_state(const char* state) {
    process().threads = {{state, 1}};
    listener_before().owner_state->processes.at("812").threads = {{state, 1}};
  }
  ListenerProcess& add_process(const std::string& pid) {
    owner().count += 1;
    ListenerProcess& added = owner().processes[pid];
    added = {.comm = "nginx", .inode = "4711", .open_files = 20, .open_files_limit = 1024};
    added.threads["sleeping"] = 1;
    return added;
  }
  CgroupState& cgroup() { return owner().cgroups[web_cgroup]; }
  CgroupState& cgroup_before() { return listener_before().owner_state->cgroups[web_cgroup]; }

  std::string why() {
    return why_not_accepted(listener(),
                            {.netns = netns, .now = now, .before = &before, .seconds = seconds});
  }
};

TEST(OwnerStates, NameTheProcessIfThereIsNoCause) {
  StuckHost host;
  EXPECT_EQ(host.why(), "Process nginx (pid 812) has the socket open. It sleeps.");
  EXPECT_THAT(host.first().action,
              AllOf(HasSubstr("Find out where it waits"), Not(HasSubstr("Find out why"))));
  host.process().threads["running"] = 1;
  EXPECT_EQ(host.why(), "Process nginx (pid 812) has the socket open.");
  EXPECT_THAT(host.first().action, HasSubstr("Find out why"));
  host.process().threads.erase("running");
  EXPECT_THAT(host.names(), ElementsAre("critical listener_stuck"));
  EXPECT_THAT(host.first().action,
              AllOf(HasSubstr("cat /proc/812/stack"), HasSubstr("A larger backlog does not help")));
  host.listener().owner_state.reset();
  EXPECT_EQ(host.why(), "");
}

TEST(OwnerStates, ExplainAStoppedProcess) {
  StuckHost host;
  host.set_state("stopped");
  EXPECT_EQ(host.why(), "Process nginx (pid 812) is stopped (SIGSTOP or job control).");
  const Finding finding = host.first();
  EXPECT_THAT(finding.summary,
              HasSubstr("which has room. Process nginx (pid 812) is stopped (SIGSTOP or job "
                        "control). The oldest connection"));
  EXPECT_THAT(finding.action,
              AllOf(StartsWith("Continue it: `kill -CONT 812`."),
                    HasSubstr("A larger backlog does not help."), Not(HasSubstr("Find out"))));
  host.set_state("traced");
  EXPECT_THAT(host.why(), HasSubstr("by a debugger or tracer"));
}

TEST(OwnerStates, ObserveAStoppedProcessAmongOthers) {
  StuckHost host;
  host.set_state("stopped");
  host.add_process("813");
  EXPECT_EQ(host.why(),
            "nginx (pid 812) and 1 other process have the socket open. 1 of 2 processes that have "
            "the socket is stopped (SIGSTOP or job control).");
  EXPECT_THAT(host.first().action,
              AllOf(StartsWith("Continue it: `kill -CONT 812`. Find out where it waits"),
                    HasSubstr("Find out why the program does not call accept()")));
}

TEST(OwnerStates, ExplainStoppedWorkersOfAParentThatRuns) {
  StuckHost host;
  host.set_state("stopped");
  host.owner().count = 2;  // with the parent, which has no series
  EXPECT_EQ(host.why(), "Process nginx (pid 812) is stopped (SIGSTOP or job control).");
  host.add_process("813").threads = {{"stopped", 1}};
  host.owner().count = 3;
  EXPECT_EQ(host.why(), "All 2 processes that may accept are stopped (SIGSTOP or job control).");
  EXPECT_THAT(host.first().action, StartsWith("Continue them: `kill -CONT 812 813`."));
}

TEST(OwnerStates, DoNotCallAllStoppedIfMostAreNotListed) {
  StuckHost host;
  host.set_state("stopped");
  for (int pid = 813; pid < 822; ++pid) {
    host.add_process(std::to_string(pid)).threads = {{"stopped", 1}};
  }
  host.owner().count = 64;
  EXPECT_THAT(host.why(),
              HasSubstr("At least 10 of 64 processes that have the socket are stopped"));
}

TEST(OwnerStates, NameTheManagerButDoNotTraceIt) {
  StuckHost host;
  auto systemd = host.owner().processes.extract("812");
  systemd.key() = "1";
  systemd.mapped().comm = "systemd";
  systemd.mapped().threads = {{"stopped", 1}};
  host.owner().processes.insert(std::move(systemd));
  EXPECT_EQ(host.why(), "Only systemd (pid 1) has the socket open.");
  EXPECT_THAT(
      host.first().action,
      AllOf(StartsWith("Find out why the service that accepts from the socket does not run."),
            Not(HasSubstr("gdb")), Not(HasSubstr("strace")), Not(HasSubstr("kill"))));
}

TEST(OwnerStates, AreObservationsIfTheProcessMayNotHaveTheSocket) {
  StuckHost host;
  host.owner().found_by = "cgroup";
  host.process().inode = "";
  host.process().open_files = 1024;
  EXPECT_THAT(host.why(),
              AllOf(HasSubstr("A process of its cgroup: nginx (pid 812) has 1024 of 1024 "
                              "file descriptors open."),
                    Not(HasSubstr("EMFILE"))));
  EXPECT_THAT(host.first().action, HasSubstr("Find out why the program does not call accept()"));
  host.process().open_files = 20;
  host.set_state("stopped");
  EXPECT_THAT(host.why(), HasSubstr("A process of its cgroup: nginx (pid 812) is stopped"));
  EXPECT_THAT(host.first().action, HasSubstr("Find out why the program does not call accept()"));
}

TEST(OwnerStates, ExplainAFrozenCgroupBeforeItsSleepingTasks) {
  StuckHost host;
  host.set_state("uninterruptible");
  host.cgroup().is_frozen = true;
  EXPECT_EQ(host.why(), "Its cgroup /sys/fs/cgroup/web.service is frozen.");
  EXPECT_THAT(host.first().action,
              StartsWith("Thaw it: `echo 0 > /sys/fs/cgroup/web.service/cgroup.freeze`."));
  host.owner().cgroups = {{"/sys/fs/cgroup/a$(b)", {.is_frozen = true}}};
  EXPECT_THAT(host.first().action, StartsWith("Thaw it: write 0 to its cgroup.freeze."));
  host.owner().cgroups = {{"/sys/fs/cgroup/freezer/a", {.is_frozen = true}}};
  EXPECT_THAT(host.first().action,
              StartsWith("Thaw it: `echo THAWED > /sys/fs/cgroup/freezer/a/freezer.state`."));
}

TEST(OwnerStates, ExplainExhaustedDescriptors) {
  StuckHost host;
  host.process().open_files = 1023;
  EXPECT_THAT(host.why(), Not(HasSubstr("EMFILE")));
  host.process().open_files = 1024;
  EXPECT_EQ(host.why(),
            "Process nginx (pid 812) has 1024 of 1024 file descriptors open: accept() fails with "
            "EMFILE.");
  EXPECT_THAT(host.first().action, Not(HasSubstr("Find out why")));
  host.add_process("813");  // it can accept
  EXPECT_THAT(host.why(), HasSubstr("1024 of 1024 file descriptors open"));
  EXPECT_THAT(host.first().action, HasSubstr("Find out where it waits"));
}

TEST(OwnerStates, ExplainACpuQuotaThatThrottlesMostOfTheTime) {
  StuckHost host;
  host.cgroup_before() = {
      .cpu_quota = 0.01, .cpu_periods = 100, .throttled_periods = 50, .throttled_seconds = 7};
  host.cgroup() = {
      .cpu_quota = 0.01, .cpu_periods = 200, .throttled_periods = 149, .throttled_seconds = 16.8};
  host.process().busiest_cpu = 0.01;
  host.process().busiest_wait = 0.98;  // a throttled thread is runnable
  EXPECT_EQ(host.why(),
            "The CPU quota of its cgroup /sys/fs/cgroup/web.service, 0.01 CPUs, throttled it for "
            "9.80 s of the last 10 s.");
  host.cgroup().throttled_periods = 99;  // many CPUs, throttled in less than half of the periods
  EXPECT_THAT(host.why(), Not(HasSubstr("quota")));
  host.cgroup().throttled_periods = 149;
  host.cgroup().throttled_seconds = 11.9;
  EXPECT_THAT(host.why(), Not(HasSubstr("quota")));
}

TEST(OwnerStates, ExplainMemoryOnlyWithPressure) {
  StuckHost host;
  host.cgroup_before() = {.memory_bytes = 100, .memory_limit_bytes = 100};
  host.cgroup_before().memory_events = {{"max", 5}, {"oom_kill", 0}};
  host.cgroup() = host.cgroup_before();
  host.cgroup().memory_events["max"] = 9;  // page cache
  host.cgroup().pressure["memory"] = 0.29;
  EXPECT_THAT(host.why(), Not(HasSubstr("memory")));
  host.cgroup().pressure["memory"] = 0.4;
  EXPECT_THAT(host.why(), HasSubstr("its processes wait for memory 40 % of the time"));
  host.cgroup().pressure["memory"] = 0;
  host.cgroup().memory_events["oom_kill"] = 1;
  EXPECT_THAT(host.why(), HasSubstr("the kernel killed processes"));
}

TEST(OwnerStates, ExplainMemoryOfTheCgroupThatIsClosestToItsLimit) {
  StuckHost host;
  OwnerState& before = *host.listener_before().owner_state;
  host.cgroup().pressure["memory"] = 0.4;
  for (const auto& [path, bytes] : {std::pair("/sys/fs/cgroup/a", 50), {"/sys/fs/cgroup/b", 90}}) {
    CgroupState& cgroup = before.cgroups[path];
    cgroup = {.memory_bytes = bytes, .memory_limit_bytes = 100};
    cgroup.memory_events["max"] = 1;
    host.owner().cgroups[path] = cgroup;
    host.owner().cgroups[path].memory_events["max"] = 2;
  }
  EXPECT_THAT(host.why(), AllOf(HasSubstr("/sys/fs/cgroup/b uses"), Not(HasSubstr("cgroup/a"))));
  host.owner().cgroups["/sys/fs/cgroup/b"].memory_events["max"] = 1;
  EXPECT_THAT(host.why(), HasSubstr("/sys/fs/cgroup/a uses"));
}

TEST(OwnerStates, ExplainUninterruptibleSleepInBothSnapshots) {
  StuckHost host;
  host.process().threads = {{"uninterruptible", 1}};
  EXPECT_THAT(host.why(), Not(HasSubstr("uninterruptible")));
  host.set_state("uninterruptible");
  EXPECT_THAT(host.why(), HasSubstr("waits in uninterruptible sleep (disk or NFS)"));
  host.process().threads["sleeping"] = 1;  // threads for disk access
  EXPECT_THAT(host.why(), Not(HasSubstr("uninterruptible")));
}

TEST(OwnerStates, ExplainAThreadThatIsAlwaysRunnable) {
  StuckHost host;
  host.process().busiest_cpu = 0.5;
  host.process().busiest_wait = 0.3;
  EXPECT_THAT(host.why(), Not(HasSubstr("thread")));
  host.process().busiest_wait = 0.45;
  EXPECT_THAT(host.why(), HasSubstr("is always runnable and gets 50 % of a CPU"));
  host.process().busiest_cpu = 0.95;
  host.process().busiest_wait = 0;
  EXPECT_THAT(host.why(), HasSubstr("uses a full CPU: a busy loop"));
  EXPECT_THAT(host.first().action, Not(HasSubstr("Find out why")));
}

TEST(OwnerStates, ObserveABusyThreadAmongOthers) {
  StuckHost host;
  host.process().threads = {{"sleeping", 11}, {"running", 1}};
  host.process().busiest_cpu = 1;
  EXPECT_EQ(host.why(),
            "Process nginx (pid 812) has the socket open. One of the 12 threads of nginx (pid 812) "
            "uses a full CPU.");
  EXPECT_THAT(host.first().action,
              AllOf(StartsWith("Find out where it waits"), HasSubstr("Find out why the program")));
  ListenerProcess& other = host.add_process("813");
  EXPECT_THAT(host.why(), Not(HasSubstr("busy loop")));
  other.busiest_cpu = 1;
  EXPECT_THAT(host.why(), HasSubstr("busy loop"));
}

TEST(OwnerStates, ExplainTheLimitOfProcesses) {
  StuckHost host;
  host.cgroup() = {.pids = 99, .pids_limit = 100};
  EXPECT_THAT(host.why(), Not(HasSubstr("can create none")));
  host.cgroup().pids = 100;
  EXPECT_THAT(host.why(), HasSubstr("100 of 100 processes and threads: it can create none"));
}

TEST(OwnerStates, NameTheMissingPrivilege) {
  StuckHost host;
  host.owner() = {.count = 0, .found_by = "none", .needs = "CAP_SYS_PTRACE"};
  EXPECT_EQ(host.why(), "Reading which process has the socket open takes CAP_SYS_PTRACE.");
  EXPECT_THAT(host.first().action, StartsWith("Run `inetdiag_exporter check` as root."));
  host.owner().needs = "";
  EXPECT_EQ(host.why(), "");
}

TEST(OwnerStates, ReplaceTheAdviceToLengthenAFullQueue) {
  StuckHost host;
  host.listener().waiting = 129;
  host.listener().fill = 1;
  EXPECT_THAT(host.first().action, HasSubstr("To lengthen the queue"));
  host.process().open_files = 1024;
  const Finding finding = host.first();
  EXPECT_EQ(finding.rule, "accept_queue_full");
  EXPECT_THAT(finding.action, AllOf(HasSubstr("LimitNOFILE="), HasSubstr("larger backlog"),
                                    Not(HasSubstr("To lengthen the queue"))));
}

}  // namespace
}  // namespace inetdiag::diagnosis
