#include "exporter/scrape/worker_threads.h"

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using Clock = WorkerThreads::Clock;

TEST(WorkerThreads, RunTasksConcurrently) {
  WorkerThreads workers;
  std::latch both(2);
  for (int i = 0; i < 2; ++i) {
    workers.start([&] { both.arrive_and_wait(); });  // returns only if the other one runs
  }
  EXPECT_TRUE(workers.wait_until_idle(Clock::now() + 1h));
}

TEST(WorkerThreads, ReuseTheIdleThread) {
  WorkerThreads workers;
  std::thread::id first;
  std::thread::id second;
  workers.start([&] { first = std::this_thread::get_id(); });
  ASSERT_TRUE(workers.wait_until_idle(Clock::now() + 1h));
  // The thread becomes idle shortly after its task. Tasks that start earlier get a new thread,
  // which ends afterwards.
  const auto end = Clock::now() + 30s;
  do {
    workers.start([&] { second = std::this_thread::get_id(); });
    ASSERT_TRUE(workers.wait_until_idle(Clock::now() + 1h));
  } while (second != first && Clock::now() < end);
  EXPECT_EQ(second, first);
}

TEST(WorkerThreads, AreNotIdleWhileATaskRuns) {
  WorkerThreads workers;
  std::latch gate(1);
  workers.start([&] { gate.wait(); });
  EXPECT_FALSE(workers.wait_until_idle(Clock::now() + 10ms));
  gate.count_down();
  EXPECT_TRUE(workers.wait_until_idle(Clock::now() + 1h));
}

TEST(WorkerThreads, EndTheIdleThreadWhenStopped) {
  WorkerThreads workers;
  workers.start([] {});
  ASSERT_TRUE(workers.wait_until_idle(Clock::now() + 1h));
  workers.stop();
  EXPECT_TRUE(workers.wait_until_idle(Clock::now() + 1h));
  std::atomic<bool> has_run = false;
  workers.start([&] { has_run = true; });
  EXPECT_TRUE(workers.wait_until_idle(Clock::now() + 1h));
  EXPECT_TRUE(has_run);
}

}  // namespace
}  // namespace inetdiag
