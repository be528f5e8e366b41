#include "collectors/support/accept_queue_sampler.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include <linux/netlink.h>

#include "collectors/kernel/base/deadline.h"
#include "collectors/support/cpu_budget.h"
#include "collectors/support/thread_cpu.h"

namespace inetdiag {
namespace {

constexpr std::chrono::seconds sample_timeout{1};

}  // namespace

AcceptQueueHistory AcceptQueueSampler::read(const kernel::NetlinkFactory& factory,
                                            std::span<const kernel::Listener> open) {
  const std::scoped_lock lock(mutex_);
  last_read_ = Clock::now();
  if (!is_running_) {
    history_.resume(last_read_);
    thread_ = std::jthread([this, factory](const std::stop_token& stop) { run(stop, factory); });
    is_running_ = true;
  }
  history_.keep_only(open);
  return history_;
}

std::optional<std::string> AcceptQueueSampler::take_error() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(error_, std::nullopt);
}

void AcceptQueueSampler::run(const std::stop_token& stop, const kernel::NetlinkFactory& factory) {
  CpuBudget budget(max_cpu_share);
  auto spent = thread_cpu();
  std::unique_ptr<kernel::Netlink> netlink;
  while (true) {
    const auto begin = Clock::now();
    sample(stop, factory, netlink);
    // With what it took to wait for this sample.
    const auto cpu = thread_cpu();
    budget.spend(begin, cpu - std::exchange(spent, cpu));
    const auto next = std::max(begin + interval_, budget.next());

    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, stop, next, [] { return false; });
    if (stop.stop_requested() || Clock::now() - last_read_ > max_idle) {
      is_running_ = false;
      return;
    }
  }
}

void AcceptQueueSampler::sample(const std::stop_token& stop, const kernel::NetlinkFactory& factory,
                                std::unique_ptr<kernel::Netlink>& netlink) {
  try {
    if (netlink == nullptr) {
      netlink = factory(NETLINK_SOCK_DIAG);
    }
    const auto waiting =
        kernel::waiting_accept_queues(*netlink, {Clock::now() + sample_timeout, stop});
    const std::scoped_lock lock(mutex_);
    history_.add(Clock::now(), waiting);
  } catch (const std::exception& error) {
    netlink.reset();
    const std::scoped_lock lock(mutex_);
    history_.resume(Clock::now());
    try {
      error_ = error.what();
    } catch (const std::bad_alloc&) {
      error_.reset();  // the next sample fails, too
    }
  }
}

}  // namespace inetdiag
