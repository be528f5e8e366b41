#include "exporter/scrape/collector_leases.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using kernel::Deadline;

TEST(CollectorLeases, GiveACollectorToOneHolderAtATime) {
  CollectorLeases leases(2);
  const auto held = leases.acquire(0, Deadline::in(1h));
  EXPECT_TRUE(held);
  EXPECT_FALSE(leases.acquire(0, Deadline::in(10ms)));
  EXPECT_TRUE(leases.acquire(1, Deadline::in(10ms)));
}

TEST(CollectorLeases, AreReleasedWhenAnExceptionLeavesTheScope) {
  CollectorLeases leases(1);
  try {
    const auto lease = leases.acquire(0, Deadline::in(1h));
    throw 1;
  } catch (int) {
    EXPECT_TRUE(leases.acquire(0, Deadline::in(10ms)));
  }
}

TEST(CollectorLeases, WaitForAHolderThatCanStillMeetItsDeadline) {
  CollectorLeases leases(1);
  auto held = leases.acquire(0, Deadline::in(1h));
  std::atomic<bool> has_acquired = false;
  std::jthread waiter([&] { has_acquired = leases.acquire(0, Deadline::in(1h)) != nullptr; });
  held.reset();
  waiter.join();
  EXPECT_TRUE(has_acquired);
}

TEST(CollectorLeases, DoNotWaitForAHolderThatIsPastItsDeadline) {
  CollectorLeases leases(1);
  const auto stuck = leases.acquire(0, Deadline::in(1ms));
  const auto begin = Deadline::Clock::now();
  EXPECT_FALSE(leases.acquire(0, Deadline::in(1h)));
  EXPECT_LT(Deadline::Clock::now() - begin, 30min);
}

TEST(CollectorLeases, StopWaitingWhenTheScrapeIsStopped) {
  CollectorLeases leases(1);
  const auto held = leases.acquire(0, Deadline::in(1h));
  std::stop_source stop;
  const Deadline deadline(Deadline::Clock::now() + 1h, stop.get_token());
  std::jthread stopper([&] {
    stop.request_stop();
    leases.wake();
  });
  EXPECT_FALSE(leases.acquire(0, deadline));
}

}  // namespace
}  // namespace inetdiag
