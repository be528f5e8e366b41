#include "collectors/support/accept_queue_sampler.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/unit/support/diag_messages.h"

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using testing::FakeKernel;
using ::testing::HasSubstr;

const kernel::Endpoint sampled{kernel::InetAddress::any(AF_INET), 80, 0};

std::vector<kernel::Listener> listener() {
  kernel::Listener open;
  open.endpoint = sampled;
  return {open};
}

/// Calls `condition` until it is true.
template <typename Condition>
bool becomes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

TEST(AcceptQueueSampler, SamplesBetweenReads) {
  FakeKernel kernel;
  kernel.sockets = {{.port = 80, .cookie = 1, .receive_queue = 5, .send_queue = 9}};
  AcceptQueueSampler sampler(10ms);
  EXPECT_TRUE(becomes_true([&] {
    const auto samples =
        sampler.read(kernel.factory(), listener()).samples(AcceptQueueSampler::Clock::now());
    return samples.contains(sampled) && samples.at(sampled).by_fill.at(2) >= 3;
  }));
  EXPECT_FALSE(sampler.take_error());
}

TEST(AcceptQueueSampler, ReportsAnErrorOnceAndGoesOn) {
  FakeKernel kernel;
  kernel.sockets = {{.port = 80, .cookie = 1, .receive_queue = 5, .send_queue = 9}};
  std::atomic<int> opened = 0;
  const kernel::NetlinkFactory fails_first = [&, factory = kernel.factory()](int protocol) {
    if (++opened == 1) {
      throw std::runtime_error("no sockets");
    }
    return factory(protocol);
  };
  AcceptQueueSampler sampler(10ms);
  sampler.read(fails_first, listener());
  std::optional<std::string> error;
  EXPECT_TRUE(becomes_true([&] { return (error = sampler.take_error()).has_value(); }));
  EXPECT_THAT(error.value_or(""), HasSubstr("no sockets"));
  EXPECT_TRUE(becomes_true([&] {
    return sampler.read(fails_first, listener())
        .samples(AcceptQueueSampler::Clock::now())
        .contains(sampled);
  }));
  EXPECT_FALSE(sampler.take_error());
}

TEST(AcceptQueueSampler, EndsAtOnceWhenItIsDestroyed) {
  FakeKernel kernel;
  std::atomic<int> opened = 0;
  {
    AcceptQueueSampler sampler(1h);
    const auto factory = [&, open = kernel.factory()](int protocol) {
      ++opened;
      return open(protocol);
    };
    sampler.read(factory, {});
    EXPECT_TRUE(becomes_true([&] { return opened > 0; }));
  }
  EXPECT_EQ(opened, 1);
}

}  // namespace
}  // namespace inetdiag
