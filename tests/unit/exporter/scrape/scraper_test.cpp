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

class FunctionCollector : public Collector {
 public:
  explicit FunctionCollector(Action action) : action_(std::move(action)) {}
  Collection collect(const ScrapeContext& context) override { return action_(context); }

 private:
  Action action_;
};

Collection gauge(const std::string& name) {
  Collection collection;
  collection.families.push_back(single_gauge(name, "help", 1));
  return collection;
}

struct TestScraper {
  CapturedLog captured;
  std::unique_ptr<Scraper> scraper;

  explicit TestScraper(std::vector<std::pair<std::string, Action>> actions) {
    std::vector<NamedCollector> collectors;
    for (auto& [name, action] : actions) {
      collectors.push_back({name, std::make_unique<FunctionCollector>(std::move(action))});
    }
    scraper = std::make_unique<Scraper>(
        KernelSource{kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel::open_netlink},
        std::move(collectors), [] { return std::vector<prometheus::MetricFamily>(); },
        captured.log);
  }

  std::string scrape(const Selection& selection, Scraper::Clock::duration time = 10s) {
    return scraper->scrape(selection, Scraper::Clock::now() + time)
        ->exposition.page(PageFormat::text);
  }
};

std::string success_line(const std::string& collector, int value) {
  return "inetdiag_scrape_collector_success{collector=\"" + collector + "\"} " +
         std::to_string(value) + "\n";
}

TEST(Scraper, RunsTheSelectedCollectors) {
  TestScraper scraper({{"a", [](auto&) { return gauge("metric_a"); }},
                       {"b", [](auto&) { return gauge("metric_b"); }}});
  const std::string page = scraper.scrape({1});
  EXPECT_THAT(page, HasSubstr("metric_b 1\n"));
  EXPECT_THAT(page, HasSubstr(success_line("b", 1)));
  EXPECT_THAT(page, HasSubstr("inetdiag_scrape_collector_duration_seconds{collector=\"b\"} "));
  EXPECT_THAT(page, Not(HasSubstr("\"a\"")));
}

TEST(Scraper, ReturnsAnEmptyResultForAnEmptySelection) {
  TestScraper scraper({{"a", [](auto&) { return gauge("metric_a"); }}});
  EXPECT_EQ(scraper.scrape({}), "");
}

TEST(Scraper, KeepsTheOtherCollectorsIfOneThrows) {
  TestScraper scraper(
      {{"bad", [](auto&) -> Collection { throw std::runtime_error("no such thing"); }},
       {"good", [](auto&) { return gauge("metric_good"); }}});
  const std::string page = scraper.scrape({0, 1});
  EXPECT_THAT(page, HasSubstr(success_line("bad", 0)));
  EXPECT_THAT(page, HasSubstr("inetdiag_scrape_collector_duration_seconds{collector=\"bad\"} "));
  EXPECT_THAT(page, HasSubstr(success_line("good", 1)));
  EXPECT_THAT(page, HasSubstr("metric_good 1\n"));
}

TEST(Scraper, ReleasesACollectorThatThrowsAnUnknownType) {
  TestScraper scraper({{"bad", [](auto&) -> Collection { throw 1; }}});
  for (int i = 0; i < 2; ++i) {
    const auto result = scraper.scraper->scrape_all(Scraper::Clock::now() + 1h);
    EXPECT_EQ(result->outcomes.at(0).error, "unknown exception");
  }
}

TEST(Scraper, ReturnsTheOutcomeOfEachCollector) {
  TestScraper scraper(
      {{"bad", [](auto&) -> Collection { throw std::runtime_error("no such thing"); }},
       {"good", [](auto&) { return gauge("metric_good"); }}});
  const auto result = scraper.scraper->scrape_all(Scraper::Clock::now() + 1h);
  ASSERT_EQ(result->outcomes.size(), 2U);
  EXPECT_EQ(result->outcomes[0].name, "bad");
  EXPECT_FALSE(result->outcomes[0].success);
  EXPECT_EQ(result->outcomes[0].error, "no such thing");
  EXPECT_GE(result->outcomes[0].seconds, 0);
  EXPECT_EQ(result->outcomes[1].name, "good");
  EXPECT_TRUE(result->outcomes[1].success);
  EXPECT_EQ(result->outcomes[1].error, "");
}

TEST(Scraper, KeepsTheFamiliesOfACollectorThatReportsErrors) {
  TestScraper scraper({{"half", [](auto&) {
                          Collection collection = gauge("metric_half");
                          collection.errors = {"cannot read the rest"};
                          return collection;
                        }}});
  const std::string page = scraper.scrape({0});
  EXPECT_THAT(page, HasSubstr("metric_half 1\n"));
  EXPECT_THAT(page, HasSubstr(success_line("half", 0)));
}

TEST(Scraper, LogsAnErrorOnceUntilItChanges) {
  std::string error = "first";
  TestScraper scraper({{"a", [&](auto&) {
                          Collection collection;
                          if (!error.empty()) {
                            collection.errors = {error};
                          }
                          collection.missing = {"a kernel feature"};
                          collection.unmatched = {{"include", "matches nothing"}};
                          return collection;
                        }}});
  scraper.scrape({0});
  scraper.scrape({0});
  error = "second";
  scraper.scrape({0});
  error = "";
  scraper.scrape({0});
  scraper.scrape({0});
  EXPECT_EQ(scraper.captured.count("error=first"), 1);
  EXPECT_EQ(scraper.captured.count("error=second"), 1);
  EXPECT_EQ(scraper.captured.count("recovered"), 1);
  EXPECT_EQ(scraper.captured.count("a kernel feature"), 1);
  EXPECT_EQ(scraper.captured.count("level=warn msg=\"setting has no effect\" collector=a "
                                   "setting=include problem=\"matches nothing\""),
            1);
}

/// A collector that is stuck in the kernel until the test releases it.
class Stuck {
 public:
  ~Stuck() { release(); }
  Action action() {
    return [this](auto&) {
      if (!entered.try_wait()) {
        entered.count_down();
      }
      gate_.wait();
      return gauge("metric_stuck");
    };
  }
  void release() {
    if (!open_.exchange(true)) {
      gate_.count_down();
    }
  }
  std::latch entered{1};

 private:
  std::latch gate_{1};
  std::atomic<bool> open_ = false;
};

TEST(Scraper, RunsTheOtherCollectorsWhileOneIsStuck) {
  Stuck stuck;
  TestScraper scraper(
      {{"stuck", stuck.action()}, {"good", [](auto&) { return gauge("metric_good"); }}});
  const std::string page = scraper.scrape({0, 1}, 2s);
  EXPECT_THAT(page, HasSubstr(success_line("stuck", 0)));
  EXPECT_THAT(page, HasSubstr("inetdiag_scrape_collector_duration_seconds{collector=\"stuck\"} "));
  EXPECT_THAT(page, HasSubstr(success_line("good", 1)));
  EXPECT_THAT(page, HasSubstr("metric_good 1\n"));
  EXPECT_EQ(scraper.captured.count("timed out (scrape deadline)"), 1);
  stuck.release();
}

TEST(Scraper, SkipsACollectorThatIsStuckInAnEarlierScrape) {
  Stuck stuck;
  TestScraper scraper(
      {{"stuck", stuck.action()}, {"good", [](auto&) { return gauge("metric_good"); }}});
  scraper.scrape({0, 1}, 200ms);
  const auto begin = Scraper::Clock::now();
  const std::string page = scraper.scrape({0, 1}, 1h);
  EXPECT_LT(Scraper::Clock::now() - begin, 30min);
  EXPECT_THAT(page, HasSubstr(success_line("stuck", 0)));
  EXPECT_THAT(page, HasSubstr("metric_good 1\n"));
  stuck.release();
  ASSERT_TRUE(scraper.scraper->wait_until_idle(Scraper::Clock::now() + 1h));
  EXPECT_THAT(scraper.scrape({0, 1}), HasSubstr(success_line("stuck", 1)));
}

TEST(Scraper, PassesTheDeadlineToTheCollector) {
  TestScraper scraper({{"waiting", [](const ScrapeContext& context) -> Collection {
                          while (true) {
                            context.deadline.check();
                            std::this_thread::yield();
                          }
                        }}});
  EXPECT_THAT(scraper.scrape({0}, 50ms), HasSubstr(success_line("waiting", 0)));
}

TEST(Scraper, SharesOneRunAmongConcurrentClients) {
  Stuck slow;
  std::atomic<int> runs = 0;
  TestScraper scraper({{"slow", [&, action = slow.action()](auto& context) {
                          ++runs;
                          return action(context);
                        }}});
  std::string late;
  std::jthread first([&] { late = scraper.scrape({0}, 1h); });
  slow.entered.wait();
  // These clients join the run and wait until their own deadline.
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(scraper.scrape({0}, 20ms), HasSubstr(success_line("slow", 0)));
  }
  slow.release();
  first.join();
  EXPECT_THAT(late, HasSubstr(success_line("slow", 1)));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(scraper.captured.count("skipped"), 0);
}

TEST(Scraper, LogsATimeoutOnce) {
  TestScraper scraper({{"slow", [](const ScrapeContext& context) -> Collection {
                          while (true) {
                            context.deadline.check();
                            std::this_thread::yield();
                          }
                        }}});
  for (int i = 0; i < 3; ++i) {
    scraper.scrape({0}, 20ms);
    ASSERT_TRUE(scraper.scraper->wait_until_idle(Scraper::Clock::now() + 1h));
  }
  EXPECT_EQ(scraper.captured.count("level=error"), 1);
  EXPECT_EQ(scraper.captured.count("recovered"), 0);
}

TEST(Scraper, StartsAnotherRunForAClientWithALaterDeadline) {
  std::atomic<int> runs = 0;
  Stuck slow;
  TestScraper scraper({{"slow", [&, action = slow.action()](auto& context) {
                          return ++runs == 1 ? action(context) : gauge("metric_slow");
                        }}});
  std::string early;
  std::jthread first([&] { early = scraper.scrape({0}, 100ms); });
  slow.entered.wait();
  std::jthread opener([&] {
    first.join();
    slow.release();
  });
  const std::string late = scraper.scrape({0}, 1h);
  opener.join();
  EXPECT_THAT(early, HasSubstr(success_line("slow", 0)));
  EXPECT_THAT(late, HasSubstr(success_line("slow", 1)));
}

TEST(Scraper, DoesNotCountTheWaitForAnEarlierScrapeAsDuration) {
  std::atomic<int> runs = 0;
  Stuck slow;
  TestScraper scraper({{"slow",
                        [&, action = slow.action()](auto& context) {
                          return ++runs == 1 ? action(context) : gauge("metric_slow");
                        }},
                       {"good", [](auto&) { return gauge("metric_good"); }}});
  std::jthread first([&] { scraper.scrape({0}, 1h); });
  slow.entered.wait();
  Scraper::Clock::time_point released;
  std::jthread opener([&] {
    std::this_thread::sleep_for(200ms);  // meanwhile the second scrape waits
    released = Scraper::Clock::now();
    slow.release();
  });
  const auto result = scraper.scraper->scrape({0, 1}, Scraper::Clock::now() + 1h);
  opener.join();
  const std::chrono::duration<double> since_release = Scraper::Clock::now() - released;
  EXPECT_LE(result->outcomes.at(0).seconds.value(), since_release.count());
}

TEST(Scraper, RunsDifferentSelectionsConcurrently) {
  Stuck stuck;
  TestScraper scraper(
      {{"stuck", stuck.action()}, {"good", [](auto&) { return gauge("metric_good"); }}});
  std::jthread first([&] { scraper.scrape({0}, 1h); });
  stuck.entered.wait();
  EXPECT_THAT(scraper.scrape({1}, 1h), HasSubstr("metric_good 1\n"));
  stuck.release();
}

std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    count += task.exists() ? 1U : 0U;
  }
  return count;
}

TEST(Scraper, KeepsOneIdleThread) {
  TestScraper scraper({{"a", [](auto&) { return gauge("metric_a"); }},
                       {"b", [](auto&) { return gauge("metric_b"); }}});
  const std::size_t before = threads_of_this_process();
  {
    std::vector<std::jthread> clients;
    for (const Selection& selection : std::vector<Selection>{{0}, {1}, {0, 1}, {0}, {1}}) {
      clients.emplace_back([&scraper, selection] {
        for (int i = 0; i < 300; ++i) {
          scraper.scrape(selection);
        }
      });
    }
  }
  ASSERT_TRUE(scraper.scraper->wait_until_idle(Scraper::Clock::now() + 1h));
  const auto end = Scraper::Clock::now() + 30s;
  while (threads_of_this_process() > before + 1 && Scraper::Clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_LE(threads_of_this_process(), before + 1);
}

TEST(Scraper, InterruptsScrapesWhenStopped) {
  std::latch entered(1);
  TestScraper scraper({{"waiting", [&](const ScrapeContext& context) -> Collection {
                          entered.count_down();
                          while (true) {
                            context.deadline.check();
                            std::this_thread::yield();
                          }
                        }}});
  // Prometheus would store a page of failures.
  std::jthread client([&] { EXPECT_THROW(scraper.scrape({0}, 1h), ScrapeStopped); });
  entered.wait();
  scraper.scraper->stop();
  client.join();
  EXPECT_TRUE(scraper.scraper->wait_until_idle(Scraper::Clock::now() + 1h));
  EXPECT_THROW(scraper.scrape({0}, 1h), ScrapeStopped);
}

TEST(Scraper, SharesOneDumpAmongTheCollectorsOfARun) {
  testing::FakeKernel kernel{.sockets = {{.port = 80}}};
  std::vector<NamedCollector> collectors;
  for (const auto* name : {"a", "b"}) {
    collectors.push_back(
        {name, std::make_unique<FunctionCollector>([](const ScrapeContext& context) {
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
