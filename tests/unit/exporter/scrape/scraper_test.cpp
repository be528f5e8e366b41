#include "exporter/scrape/scraper.h"

#include <atomic>
#include <filesystem>
#include <latch>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/support/family.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/diag_messages.h"

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using testing::CapturedLog;
using ::testing::HasSubstr;
using ::testing::Not;

using Action = std::function<Collection(const ScrapeContext&)>;

class Acting : public Collector {
 public:
  explicit Acting(Action action) : action_(std::move(action)) {}
  Collection collect(const ScrapeContext& context) override { return action_(context); }

 private:
  Action action_;
};

Collection gauge(const std::string& name) {
  Collection collection;
  collection.families.push_back(single_gauge(name, "help", 1));
  return collection;
}

struct Bench {
  CapturedLog captured;
  std::unique_ptr<Scraper> scraper;

  explicit Bench(std::vector<std::pair<std::string, Action>> actions) {
    std::vector<NamedCollector> collectors;
    for (auto& [name, action] : actions) {
      collectors.push_back({name, std::make_unique<Acting>(std::move(action))});
    }
    scraper = std::make_unique<Scraper>(
        KernelSource{kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel::open_sock_diag},
        std::move(collectors), [] { return std::vector<prometheus::MetricFamily>(); },
        captured.log);
  }

  std::string scrape(const Selection& selection, Scraper::Clock::duration time = 10s) {
    return scraper->scrape(selection, Scraper::Clock::now() + time)->text();
  }
};

std::string success(const std::string& collector, int value) {
  return "inetdiag_scrape_collector_success{collector=\"" + collector + "\"} " +
         std::to_string(value) + "\n";
}

TEST(Scraper, AsksTheSelectedCollectors) {
  Bench bench({{"a", [](auto&) { return gauge("metric_a"); }},
               {"b", [](auto&) { return gauge("metric_b"); }}});
  const std::string page = bench.scrape({1});
  EXPECT_THAT(page, HasSubstr("metric_b 1\n"));
  EXPECT_THAT(page, HasSubstr(success("b", 1)));
  EXPECT_THAT(page, HasSubstr("inetdiag_scrape_collector_duration_seconds{collector=\"b\"} "));
  EXPECT_THAT(page, Not(HasSubstr("\"a\"")));
}

TEST(Scraper, YieldsAPageEvenForNoCollector) {
  Bench bench({{"a", [](auto&) { return gauge("metric_a"); }}});
  EXPECT_EQ(bench.scrape({}), "");
}

TEST(Scraper, LosesNothingElseWhereACollectorThrows) {
  Bench bench({{"bad", [](auto&) -> Collection { throw std::runtime_error("no such thing"); }},
               {"good", [](auto&) { return gauge("metric_good"); }}});
  const std::string page = bench.scrape({0, 1});
  EXPECT_THAT(page, HasSubstr(success("bad", 0)));
  EXPECT_THAT(page, HasSubstr("inetdiag_scrape_collector_duration_seconds{collector=\"bad\"} "));
  EXPECT_THAT(page, HasSubstr(success("good", 1)));
  EXPECT_THAT(page, HasSubstr("metric_good 1\n"));
}

TEST(Scraper, KeepsWhatACollectorFoundBesideItsErrors) {
  Bench bench({{"half", [](auto&) {
                  Collection collection = gauge("metric_half");
                  collection.errors = {"the other half is missing"};
                  return collection;
                }}});
  const std::string page = bench.scrape({0});
  EXPECT_THAT(page, HasSubstr("metric_half 1\n"));
  EXPECT_THAT(page, HasSubstr(success("half", 0)));
}

TEST(Scraper, LogsAnErrorOnceUntilItChanges) {
  std::string error = "first";
  Bench bench({{"a", [&](auto&) {
                  Collection collection;
                  if (!error.empty()) {
                    collection.errors = {error};
                  }
                  collection.missing = {"an old kernel"};
                  collection.unmatched = {{"include", "it matches nothing"}};
                  return collection;
                }}});
  bench.scrape({0});
  bench.scrape({0});
  error = "second";
  bench.scrape({0});
  error = "";
  bench.scrape({0});
  bench.scrape({0});
  EXPECT_EQ(bench.captured.count("error=first"), 1);
  EXPECT_EQ(bench.captured.count("error=second"), 1);
  EXPECT_EQ(bench.captured.count("works again"), 1);
  EXPECT_EQ(bench.captured.count("an old kernel"), 1);
  EXPECT_EQ(bench.captured.count("level=warn msg=\"setting matches nothing\" collector=a "
                                 "setting=include problem=\"it matches nothing\""),
            1);
}

/// A collector that is stuck in the kernel until the test lets it go.
class Stuck {
 public:
  ~Stuck() { let_go(); }
  Action action() {
    return [this](auto&) {
      entered.count_down();
      gate_.wait();
      return gauge("metric_stuck");
    };
  }
  void let_go() {
    if (!open_.exchange(true)) {
      gate_.count_down();
    }
  }
  std::latch entered{1};

 private:
  std::latch gate_{1};
  std::atomic<bool> open_ = false;
};

TEST(Scraper, LeavesAStuckCollectorBehindAndAsksTheRest) {
  Stuck stuck;
  Bench bench({{"stuck", stuck.action()}, {"good", [](auto&) { return gauge("metric_good"); }}});
  const std::string page = bench.scrape({0, 1}, 2s);
  EXPECT_THAT(page, HasSubstr(success("stuck", 0)));
  EXPECT_THAT(page, HasSubstr("inetdiag_scrape_collector_duration_seconds{collector=\"stuck\"} "));
  EXPECT_THAT(page, HasSubstr(success("good", 1)));
  EXPECT_THAT(page, HasSubstr("metric_good 1\n"));
  EXPECT_EQ(bench.captured.count("not ready at the deadline"), 1);
  stuck.let_go();
}

TEST(Scraper, DoesNotWaitForACollectorThatIsStuckSinceAnEarlierScrape) {
  Stuck stuck;
  Bench bench({{"stuck", stuck.action()}, {"good", [](auto&) { return gauge("metric_good"); }}});
  bench.scrape({0, 1}, 200ms);
  const auto begin = Scraper::Clock::now();
  const std::string page = bench.scrape({0, 1}, 1h);
  EXPECT_LT(Scraper::Clock::now() - begin, 30min);
  EXPECT_THAT(page, HasSubstr(success("stuck", 0)));
  EXPECT_THAT(page, HasSubstr("metric_good 1\n"));
  stuck.let_go();
  ASSERT_TRUE(bench.scraper->wait_until_idle(Scraper::Clock::now() + 1h));
  EXPECT_THAT(bench.scrape({0, 1}), HasSubstr(success("stuck", 1)));
}

TEST(Scraper, GivesACollectorTheDeadlineOfItsScrape) {
  Bench bench({{"waiting", [](const ScrapeContext& context) -> Collection {
                  while (true) {
                    context.deadline.check();
                    std::this_thread::yield();
                  }
                }}});
  EXPECT_THAT(bench.scrape({0}, 50ms), HasSubstr(success("waiting", 0)));
}

TEST(Scraper, SharesOneScrapeAmongThoseWhoAskMeanwhile) {
  Stuck slow;
  std::atomic<int> asked = 0;
  Bench bench({{"slow", [&, action = slow.action()](auto& context) {
                  ++asked;
                  return action(context);
                }}});
  std::string patient;
  std::jthread first([&] { patient = bench.scrape({0}, 1h); });
  slow.entered.wait();
  // They wait for the scrape that runs, to their own deadline, and begin none.
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(bench.scrape({0}, 20ms), HasSubstr(success("slow", 0)));
  }
  slow.let_go();
  first.join();
  EXPECT_THAT(patient, HasSubstr(success("slow", 1)));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(bench.captured.count("its turn did not come"), 0);
}

TEST(Scraper, TellsOnceThatACollectorIsLate) {
  Bench bench({{"slow", [](const ScrapeContext& context) -> Collection {
                  while (true) {
                    context.deadline.check();
                    std::this_thread::yield();
                  }
                }}});
  for (int i = 0; i < 3; ++i) {
    bench.scrape({0}, 20ms);
    ASSERT_TRUE(bench.scraper->wait_until_idle(Scraper::Clock::now() + 1h));
  }
  EXPECT_EQ(bench.captured.count("level=error"), 1);
  EXPECT_EQ(bench.captured.count("works again"), 0);
}

TEST(Scraper, DoesNotLetAHurriedRequestSpoilAPatientOne) {
  std::atomic<int> asked = 0;
  Stuck slow;
  Bench bench({{"slow", [&, action = slow.action()](auto& context) {
                  return ++asked == 1 ? action(context) : gauge("metric_slow");
                }}});
  std::string hurried;
  std::jthread first([&] { hurried = bench.scrape({0}, 100ms); });
  slow.entered.wait();
  std::jthread opener([&] {
    first.join();
    slow.let_go();
  });
  const std::string patient = bench.scrape({0}, 1h);
  opener.join();
  EXPECT_THAT(hurried, HasSubstr(success("slow", 0)));
  EXPECT_THAT(patient, HasSubstr(success("slow", 1)));
}

TEST(Scraper, RunsDifferentSelectionsSideBySide) {
  Stuck stuck;
  Bench bench({{"stuck", stuck.action()}, {"good", [](auto&) { return gauge("metric_good"); }}});
  std::jthread first([&] { bench.scrape({0}, 1h); });
  stuck.entered.wait();
  EXPECT_THAT(bench.scrape({1}, 1h), HasSubstr("metric_good 1\n"));
  stuck.let_go();
}

std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    count += task.exists() ? 1U : 0U;
  }
  return count;
}

TEST(Scraper, KeepsOneThreadHoweverManyScrapesThereWere) {
  Bench bench({{"a", [](auto&) { return gauge("metric_a"); }},
               {"b", [](auto&) { return gauge("metric_b"); }}});
  const std::size_t before = threads_of_this_process();
  {
    std::vector<std::jthread> clients;
    for (const Selection& selection : std::vector<Selection>{{0}, {1}, {0, 1}, {0}, {1}}) {
      clients.emplace_back([&bench, selection] {
        for (int i = 0; i < 300; ++i) {
          bench.scrape(selection);
        }
      });
    }
  }
  ASSERT_TRUE(bench.scraper->wait_until_idle(Scraper::Clock::now() + 1h));
  const auto end = Scraper::Clock::now() + 30s;
  while (threads_of_this_process() > before + 1 && Scraper::Clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_LE(threads_of_this_process(), before + 1);
}

TEST(Scraper, EndsItsScrapesWhenStopped) {
  std::latch entered(1);
  Bench bench({{"waiting", [&](const ScrapeContext& context) -> Collection {
                  entered.count_down();
                  while (true) {
                    context.deadline.check();
                    std::this_thread::yield();
                  }
                }}});
  // A page of failures would be stored as if they were some.
  std::jthread client([&] { EXPECT_THROW(bench.scrape({0}, 1h), ScrapeStopped); });
  entered.wait();
  bench.scraper->stop();
  client.join();
  EXPECT_TRUE(bench.scraper->wait_until_idle(Scraper::Clock::now() + 1h));
  EXPECT_THROW(bench.scrape({0}, 1h), ScrapeStopped);
}

TEST(Scraper, AsksASharedQuestionOnceForAllCollectors) {
  testing::FakeKernel kernel{.sockets = {{.port = 80}}};
  std::vector<NamedCollector> collectors;
  for (const auto* name : {"a", "b"}) {
    collectors.push_back({name, std::make_unique<Acting>([](const ScrapeContext& context) {
                            context.tcp.partial_dump();
                            return Collection();
                          })});
  }
  const CapturedLog captured;
  Scraper scraper(
      {kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel.factory()},
      std::move(collectors), [] { return std::vector<prometheus::MetricFamily>(); }, captured.log);
  scraper.scrape({0, 1}, Scraper::Clock::now() + 1h);
  EXPECT_EQ(kernel.dumps, 2);
  scraper.scrape({0, 1}, Scraper::Clock::now() + 1h);
  EXPECT_EQ(kernel.dumps, 4);
}

}  // namespace
}  // namespace inetdiag
