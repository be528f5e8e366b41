// Collects from network namespaces that threads of the test have created.
#include "collectors/netns.h"

#include <ctime>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

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

/// A network namespace that exists as long as the object.
class ThreadNamespace {
 public:
  ThreadNamespace() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

  /// Returns the path of its nsfs file; empty if it could not be created.
  std::string file() { return file_.get_future().get(); }

 private:
  void run(const std::stop_token& stop) {
    file_.set_value(::unshare(CLONE_NEWNET) == 0
                        ? "/proc/self/task/" + std::to_string(::gettid()) + "/ns/net"
                        : std::string());
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::promise<std::string> file_;
  std::jthread thread_;
};

/// Exceeds its deadline the first time.
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

/// Dumps sockets and then uses CPU past its deadline.
struct CpuHog final : Collector {
  Collection collect(const ScrapeContext& context) override {
    try {
      context.tcp.partial_dump();
    } catch (const kernel::DumpNotDue&) {
      ++dumps_not_due;
      return {};
    }
    ++dumps;
    const std::clock_t begin = std::clock();
    while (!context.deadline.has_passed() || std::clock() - begin < min_cpu) {
    }
    throw kernel::DeadlineExceeded();
  }
  static constexpr std::clock_t min_cpu = CLOCKS_PER_SEC / 5;
  int dumps = 0;
  int dumps_not_due = 0;
};

/// Destroys all namespaces when it runs in the first of them.
struct NamespaceKiller final : Collector {
  explicit NamespaceKiller(std::vector<std::optional<ThreadNamespace>>& all)
      : all_namespaces(all) {}
  Collection collect(const ScrapeContext& /*context*/) override {
    all_namespaces.clear();
    return {.families = {single_gauge("inetdiag_collected", "", 1)},
            .errors = {},
            .missing = {},
            .unmatched = {}};
  }
  std::vector<std::optional<ThreadNamespace>>& all_namespaces;
};

std::unique_ptr<Collector> netns_collector(const std::string& directory,
                                           std::shared_ptr<Collector> collector,
                                           double cpu_budget = 0.01,
                                           const std::string& procfs = "/proc") {
  NetnsOptions options;
  options.discovery = Discovery::pinned;
  options.directories = {directory};
  options.cpu_budget = cpu_budget;
  return make_netns(options, kernel::FileTree(procfs),
                    {{.shared = std::move(collector), .make = {}}});
}

struct Result {
  Collection collection;
  kernel::Deadline::Clock::time_point deadline;
  std::vector<std::string> lines() const { return testing::lines_of(collection.families); }
};

Result collect(Collector& collector) {
  const kernel::FileTree proc_tree("/proc");
  const kernel::FileTree sys("/sys");
  const kernel::NetlinkFactory netlink = kernel::open_netlink;
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(2));
  kernel::CachedFiles proc(proc_tree, deadline);
  kernel::CgroupTree cgroups(sys, deadline);
  kernel::PodNames pods({}, deadline);
  kernel::TcpTable tcp(netlink, deadline);
  return {collector.collect({proc, cgroups, pods, tcp, netlink, deadline}), deadline.end()};
}

TEST(NetnsCollector, ReservesTimeForTheResponseAndCollectsSkippedNamespacesFirst) {
  ThreadNamespace first;
  ThreadNamespace second;
  const std::string first_file = first.file();
  const std::string second_file = second.file();
  if (first_file.empty() || second_file.empty()) {
    GTEST_SKIP() << "cannot create network namespaces";
  }
  const testing::TemporaryTree directory;
  std::filesystem::create_symlink(first_file, directory.path("first"));
  std::filesystem::create_symlink(second_file, directory.path("second"));
  const auto slow = std::make_shared<SlowOnce>();
  const auto collector = netns_collector(directory.root(), slow);

  const Result late = collect(*collector);
  ASSERT_EQ(slow->ends.size(), 1U);
  EXPECT_LT(slow->ends.front(), late.deadline);
  EXPECT_THAT(late.collection.errors, ElementsAre(HasSubstr("skipped (scrape deadline)")));
  EXPECT_THAT(late.lines(), Contains("inetdiag_netns_discovered 2"));
  EXPECT_THAT(late.lines(), Contains("inetdiag_netns_skipped 2"));

  const Result next = collect(*collector);
  EXPECT_THAT(next.collection.errors, IsEmpty());
  EXPECT_THAT(next.lines(), Contains("inetdiag_netns_skipped 0"));
  EXPECT_EQ(slow->ends.size(), 3U);
}

TEST(NetnsCollector, OmitsOnlyTheSeriesOfANamespaceThatEndsDuringAScrape) {
  std::vector<std::optional<ThreadNamespace>> namespaces(2);
  const testing::TemporaryTree directory;
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    const std::string file = namespaces[i].emplace().file();
    if (file.empty()) {
      GTEST_SKIP() << "cannot create network namespaces";
    }
    std::filesystem::create_symlink(file, directory.path("n" + std::to_string(i)));
  }
  const auto collector =
      netns_collector(directory.root(), std::make_shared<NamespaceKiller>(namespaces));

  const Result result = collect(*collector);
  EXPECT_THAT(result.collection.errors, IsEmpty());
  EXPECT_THAT(result.lines(), Contains("inetdiag_netns_discovered 2"));
  // The collecting thread keeps the namespace that it entered alive.
  EXPECT_THAT(result.lines(), Contains("inetdiag_collected{netns=\"n0\"} 1"));
  EXPECT_THAT(result.lines(), Not(Contains(HasSubstr("netns=\"n1\""))));
  EXPECT_THAT(collect(*collector).lines(), Contains("inetdiag_netns_discovered 0"));
}

TEST(NetnsCollector, ChargesTheBudgetForDumpsThatTimeOut) {
  ThreadNamespace netns;
  const std::string file = netns.file();
  if (file.empty()) {
    GTEST_SKIP() << "cannot create network namespaces";
  }
  const testing::TemporaryTree directory;
  std::filesystem::create_symlink(file, directory.path("netns"));
  const testing::TemporaryTree proc;  // without sockstat, which would report no sockets
  const auto hog = std::make_shared<CpuHog>();
  const auto collector = netns_collector(directory.root(), hog, 0.001, proc.root());
  EXPECT_THAT(collect(*collector).collection.errors,
              ElementsAre(HasSubstr("skipped (scrape deadline)")));
  EXPECT_EQ(hog->dumps, 1);
  EXPECT_THAT(collect(*collector).collection.errors, IsEmpty());
  EXPECT_EQ(hog->dumps, 1);
  EXPECT_EQ(hog->dumps_not_due, 1);
}

}  // namespace
}  // namespace inetdiag
