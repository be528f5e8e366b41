#include "exporter/scrape/scrape_run.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using Clock = ScrapeRun::Clock;

const KernelSource source{kernel::FileTree("/proc"), kernel::FileTree("/sys"),
                          kernel::open_netlink};

kernel::OpenSysctls sysctls(0);

CollectorRun succeeded() { return {.success = true, .seconds = 0.5}; }

ScrapeRun::ResultPtr build(std::vector<CollectorRun>&& runs) {
  std::vector<CollectorOutcome> outcomes;
  for (const CollectorRun& run : runs) {
    const auto& errors = run.collection.errors;
    outcomes.push_back({.success = run.success,
                        .seconds = run.seconds,
                        .error = errors.empty() ? "" : errors.front()});
  }
  return std::make_shared<const ScrapeResult>(std::vector<prometheus::MetricFamily>(),
                                              std::move(outcomes));
}

TEST(ScrapeRun, AllowsEachCollectorToBeClaimedOnce) {
  ScrapeRun run({3, 5}, source, sysctls, Clock::now() + 1h);
  EXPECT_EQ(run.claim(), 0U);
  EXPECT_EQ(run.claim(), 1U);
  EXPECT_EQ(run.claim(), std::nullopt);
}

TEST(ScrapeRun, IsCompleteWhenEveryCollectorHasFinished) {
  ScrapeRun run({3, 5}, source, sysctls, Clock::now() + 1h);
  run.finish(*run.claim(), succeeded());
  EXPECT_FALSE(run.is_complete());
  EXPECT_TRUE(run.can_be_joined());
  run.finish(*run.claim(), succeeded());
  EXPECT_TRUE(run.is_complete());
  EXPECT_FALSE(run.can_be_joined());
}

TEST(ScrapeRun, AllowsNoClaimAfterAStop) {
  ScrapeRun run({3}, source, sysctls, Clock::now() + 1h);
  run.stop();
  EXPECT_EQ(run.claim(), std::nullopt);
  EXPECT_TRUE(run.context().deadline.has_passed());
  run.wait(Clock::now() + 1h, [] {});  // returns
}

TEST(ScrapeRun, CannotBeJoinedAfterItsDeadline) {
  ScrapeRun run({3}, source, sysctls, Clock::now());
  EXPECT_FALSE(run.can_be_joined());
  run.wait(Clock::now() + 1h, [] {});  // returns
}

TEST(ScrapeRun, ReportsAStallIfNoCollectorFinishes) {
  ScrapeRun run({3, 5}, source, sysctls, Clock::now() + 40ms);
  run.claim();
  int stalls = 0;
  run.wait(Clock::now() + 1h, [&] {
    ++stalls;
    run.claim();  // another thread continues with the rest
  });
  EXPECT_EQ(stalls, 1);
}

TEST(ScrapeRun, ReportsEachTimeoutOnce) {
  ScrapeRun run({3, 5, 7}, source, sysctls, Clock::now());
  run.finish(*run.claim(), succeeded());
  run.claim();
  std::vector<std::size_t> timeouts;
  const auto note = [&](std::size_t position) { timeouts.push_back(position); };
  const auto result = run.result(build, note);
  EXPECT_TRUE(result->outcomes[0].success);
  EXPECT_EQ(result->outcomes[1].error, ScrapeRun::timed_out);
  EXPECT_TRUE(result->outcomes[1].seconds);
  EXPECT_EQ(result->outcomes[2].error, ScrapeRun::timed_out);
  EXPECT_FALSE(result->outcomes[2].seconds);
  run.result(build, note);
  EXPECT_THAT(timeouts, ElementsAre(1, 2));
  EXPECT_FALSE(run.has_timed_out(0));
  EXPECT_TRUE(run.has_timed_out(1));
}

TEST(ScrapeRun, BuildsTheCompleteResultOnce) {
  ScrapeRun run({3}, source, sysctls, Clock::now() + 1h);
  run.finish(*run.claim(), succeeded());
  const auto result = run.result(build, [](std::size_t) {});
  EXPECT_EQ(run.result(build, [](std::size_t) {}), result);
}

TEST(ScrapeRun, TellsWhetherItCanBeJoinedWhileTheResultIsBuilt) {
  ScrapeRun run({3}, source, sysctls, Clock::now() + 1h);
  run.finish(*run.claim(), succeeded());
  run.result(
      [&](std::vector<CollectorRun>&& runs) {
        EXPECT_TRUE(run.is_complete());  // with a lock, a deadlock
        EXPECT_FALSE(run.can_be_joined());
        return build(std::move(runs));
      },
      [](std::size_t) {});
}

TEST(ScrapeRun, RepeatsTheFailureToBuildTheCompleteResult) {
  ScrapeRun run({3}, source, sysctls, Clock::now() + 1h);
  run.finish(*run.claim(), succeeded());
  const auto fail = [](std::vector<CollectorRun>&&) -> ScrapeRun::ResultPtr {
    throw std::runtime_error("out of memory");
  };
  EXPECT_THROW(run.result(fail, [](std::size_t) {}), std::runtime_error);
  EXPECT_THROW(run.result(build, [](std::size_t) {}), std::runtime_error);
}

}  // namespace
}  // namespace inetdiag
