// Namespaces of this program's own threads, asked as those of other programs are.
#include <ctime>
#include <filesystem>
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "collectors/netns.h"
#include "collectors/support/family.h"
#include "tests/unit/support/collected.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A network namespace, as long as this lives.
class Inhabited {
 public:
  Inhabited() : thread_([this](const std::stop_token& stop) { live(stop); }) {}

  /// Its file; empty where none can be made here.
  std::string file() { return made_.get_future().get(); }

 private:
  void live(const std::stop_token& stop) {
    made_.set_value(::unshare(CLONE_NEWNET) == 0
                        ? "/proc/self/task/" + std::to_string(::gettid()) + "/ns/net"
                        : std::string());
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::promise<std::string> made_;
  std::jthread thread_;
};

/// Takes all the time that it may have, the first time.
struct SlowOnce final : Collector {
  Collection collect(const ScrapeContext& context) override {
    ends.push_back(context.deadline.end());
    while (ends.size() == 1) {
      context.deadline.check();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return {};
  }
  std::vector<kernel::Deadline::Clock::time_point> ends;
};

/// Asks for a walk and then works on, past its deadline.
struct Laborious final : Collector {
  Collection collect(const ScrapeContext& context) override {
    try {
      context.tcp.partial_dump();
    } catch (const kernel::DumpNotDue&) {
      ++refusals;
      return {};
    }
    ++dump_cpu;
    const std::clock_t start = std::clock();
    while (!context.deadline.has_passed() || std::clock() - start < most_work) {
    }
    throw kernel::DeadlineExceeded();
  }
  static constexpr std::clock_t most_work = CLOCKS_PER_SEC / 5;
  int dump_cpu = 0;
  int refusals = 0;
};

/// Lets namespaces die while it is asked in the first of them.
struct Deadly final : Collector {
  explicit Deadly(std::vector<std::optional<Inhabited>>& all) : all_namespaces(all) {}
  Collection collect(const ScrapeContext& /*context*/) override {
    all_namespaces.clear();
    return {.families = {single_gauge("inetdiag_asked", "", 1)},
            .errors = {},
            .missing = {},
            .unmatched = {}};
  }
  std::vector<std::optional<Inhabited>>& all_namespaces;
};

struct Asked {
  Collection collection;
  kernel::Deadline::Clock::time_point end;
  std::vector<std::string> lines() const { return testing::lines_of(collection.families); }
};

Asked ask(Collector& collector) {
  const kernel::FileTree proc_tree("/proc");
  const kernel::FileTree sys("/sys");
  const kernel::NetlinkFactory sock_diag = kernel::open_sock_diag;
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(2));
  kernel::CachedFiles proc(proc_tree, deadline);
  kernel::CgroupTree cgroups(sys, deadline);
  kernel::TcpTable tcp(sock_diag, deadline);
  return {collector.collect({proc, cgroups, tcp, sock_diag, deadline}), deadline.end()};
}

TEST(NetnsCollector, ThatAreNotReachedLeaveTimeForThePageAndComeFirstNextTime) {
  Inhabited first;
  Inhabited second;
  const std::string first_file = first.file();
  const std::string second_file = second.file();
  if (first_file.empty() || second_file.empty()) {
    GTEST_SKIP() << "no network namespace can be made here";
  }
  const testing::TemporaryTree folder;
  std::filesystem::create_symlink(first_file, folder.path("first"));
  std::filesystem::create_symlink(second_file, folder.path("second"));
  const auto slow = std::make_shared<SlowOnce>();
  NetnsOptions options;
  options.discovery = Discovery::pinned;
  options.folder = folder.root();
  const auto collector =
      make_netns(options, kernel::FileTree("/proc"), {{.for_all = slow, .make_for_one = {}}});

  const Asked late = ask(*collector);
  ASSERT_EQ(slow->ends.size(), 1U);
  EXPECT_LT(slow->ends.front(), late.end);
  EXPECT_THAT(late.collection.errors, ElementsAre(HasSubstr("not reached before the deadline")));
  EXPECT_THAT(late.lines(), Contains("inetdiag_netns_discovered 2"));
  EXPECT_THAT(late.lines(), Contains("inetdiag_netns_skipped 2"));

  const Asked next = ask(*collector);
  EXPECT_THAT(next.collection.errors, IsEmpty());
  EXPECT_THAT(next.lines(), Contains("inetdiag_netns_skipped 0"));
  EXPECT_EQ(slow->ends.size(), 3U);
}

TEST(NetnsCollector, ThatDieDuringAScrapeCostOnlyTheirOwnSeries) {
  std::vector<std::optional<Inhabited>> namespaces(2);
  const testing::TemporaryTree folder;
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    const std::string file = namespaces[i].emplace().file();
    if (file.empty()) {
      GTEST_SKIP() << "no network namespace can be made here";
    }
    std::filesystem::create_symlink(file, folder.path("n" + std::to_string(i)));
  }
  NetnsOptions options;
  options.discovery = Discovery::pinned;
  options.folder = folder.root();
  const auto collector =
      make_netns(options, kernel::FileTree("/proc"),
                 {{.for_all = std::make_shared<Deadly>(namespaces), .make_for_one = {}}});

  const Asked asked = ask(*collector);
  EXPECT_THAT(asked.collection.errors, IsEmpty());
  EXPECT_THAT(asked.lines(), Contains("inetdiag_netns_discovered 2"));
  // Who is there lets the namespace live until the end of the visit.
  EXPECT_THAT(asked.lines(), Contains("inetdiag_asked{netns=\"n0\"} 1"));
  EXPECT_THAT(asked.lines(), Not(Contains(HasSubstr("netns=\"n1\""))));
  EXPECT_THAT(ask(*collector).lines(), Contains("inetdiag_netns_discovered 0"));
}

TEST(NetnsCollector, WalksThatTheDeadlineEndsAreChargedToTheBudget) {
  Inhabited somebody;
  const std::string file = somebody.file();
  if (file.empty()) {
    GTEST_SKIP() << "no network namespace can be made here";
  }
  const testing::TemporaryTree folder;
  std::filesystem::create_symlink(file, folder.path("somebody"));
  const testing::TemporaryTree proc;  // does not tell that there are no sockets
  const auto laborious = std::make_shared<Laborious>();
  NetnsOptions options;
  options.discovery = Discovery::pinned;
  options.folder = folder.root();
  options.dump_budget = 0.001;
  const auto collector = make_netns(options, kernel::FileTree(proc.root()),
                                    {{.for_all = laborious, .make_for_one = {}}});
  EXPECT_THAT(ask(*collector).collection.errors,
              ElementsAre(HasSubstr("not reached before the deadline")));
  EXPECT_EQ(laborious->dump_cpu, 1);
  EXPECT_THAT(ask(*collector).collection.errors, IsEmpty());
  EXPECT_EQ(laborious->dump_cpu, 1);
  EXPECT_EQ(laborious->refusals, 1);
}

}  // namespace
}  // namespace inetdiag
