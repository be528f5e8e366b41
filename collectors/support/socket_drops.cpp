#include "collectors/support/socket_drops.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <utility>

#include "collectors/kernel/proc/process.h"
#include "collectors/kernel/proc/process_files.h"
#include "collectors/support/thread_cpu.h"

namespace inetdiag {
namespace {

// Maximum number of closed sockets, and of groups without sockets, whose drops are kept.
constexpr std::size_t max_absent_sockets = 1000;
constexpr std::size_t max_shown_sockets = 10;
// Share of one CPU for searching processes, and of the time that the scrape has left.
constexpr double max_owner_search_cpu_share = 0.01;
constexpr double max_owner_search_time_share = 0.5;

struct Group {
  std::uint64_t sockets = 0;
  std::uint64_t queued_bytes = 0;
  std::vector<SocketDrops> drops;
};

prometheus::MetricFamily empty_gauge(const SocketDropFamilies::Family& family) {
  return gauge_family(family.name, family.help);
}

}  // namespace

SocketDropCounter::SocketDropCounter(const SocketDropFamilies& families)
    : names_(families), counters_(max_absent_sockets), search_budget_(max_owner_search_cpu_share) {}

std::vector<prometheus::MetricFamily> SocketDropCounter::collect(
    std::span<const ReceivingSocket> sockets, const ScrapeContext& context) {
  std::map<Labels, Group> groups;
  std::vector<ReceivingSocket> with_drops;
  std::set<std::uint64_t> inodes;
  for (const ReceivingSocket& socket : sockets) {
    Group& group = groups[socket.labels];
    ++group.sockets;
    group.queued_bytes += socket.queued_bytes;
    // A socket that is being closed has no inode left; its drops were counted before. A dump can
    // report a socket twice.
    if (socket.drops > 0 && socket.inode != 0 && inodes.insert(socket.inode).second) {
      group.drops.push_back({socket.inode, socket.drops});
      with_drops.push_back(socket);
    }
  }
  auto count = empty_gauge(names_.sockets);
  auto queued = empty_gauge(names_.queued_bytes);
  auto drops = counter_family(names_.drops.name, names_.drops.help);
  if (!counted_at_) {
    counted_at_ = context.namespace_created;
  }
  for (const auto& [labels, group] : groups) {
    add_series(count, labels, static_cast<double>(group.sockets));
    add_series(queued, labels, static_cast<double>(group.queued_bytes));
    const auto updated = counters_.update(labels, group.drops, counted_at_);
    add_series(drops, labels, static_cast<double>(updated.total), updated.created);
  }
  counters_.end_round();
  counted_at_ = std::chrono::system_clock::now();
  std::ranges::sort(with_drops, std::greater<>(), &ReceivingSocket::drops);
  with_drops.resize(std::min(with_drops.size(), max_shown_sockets));
  find_owners(with_drops, context);
  std::vector<prometheus::MetricFamily> families;
  families.push_back(std::move(count));
  families.push_back(std::move(queued));
  families.push_back(std::move(drops));
  add_sockets(with_drops, families);
  return families;
}

void SocketDropCounter::find_owners(std::span<const ReceivingSocket> dropping,
                                    const ScrapeContext& context) {
  std::map<std::uint64_t, std::uint32_t> drops;
  std::map<std::uint64_t, Owner> owners;
  std::vector<kernel::SearchedSocket> searched;
  for (const ReceivingSocket& socket : dropping) {
    drops.emplace(socket.inode, socket.drops);
    const auto owner = owners_.find(socket.inode);
    if (owner != owners_.end() && !kernel::has_ended(context.proc.tree(), owner->second.process)) {
      owners.insert(*owner);
      continue;
    }
    const auto previous = previous_drops_.find(socket.inode);
    const std::uint32_t before = previous == previous_drops_.end() ? 0 : previous->second;
    if (!is_first_ && socket.drops > before && socket.inode != 0) {
      searched.push_back({.inode = socket.inode});
    }
  }
  is_first_ = false;
  owners_ = std::move(owners);
  previous_drops_ = std::move(drops);
  const auto begin = CpuBudget::Clock::now();
  if (searched.empty() || !search_budget_.allows(begin)) {
    return;
  }
  const auto cpu_before = thread_cpu();
  try {
    const auto found = kernel::find_processes(context.proc.tree(), context.cgroups.sys(), searched,
                                              context.deadline.share(max_owner_search_time_share));
    for (const auto& [inode, processes] : found) {
      if (!processes.processes.empty()) {
        const kernel::FoundProcess& process = processes.processes.front();
        const auto stat = kernel::parse_task_stat(
            kernel::read_if_possible(context.proc.tree(), std::to_string(process.pid) + "/stat")
                .value_or(""));
        owners_.insert_or_assign(inode, Owner{process, stat ? stat->comm : ""});
      }
    }
  } catch (const kernel::DeadlineExceeded&) {
    // The drops are known without the process.
  }
  search_budget_.spend(begin, thread_cpu() - cpu_before);
}

void SocketDropCounter::add_sockets(std::span<const ReceivingSocket> dropping,
                                    std::vector<prometheus::MetricFamily>& families) const {
  auto drops = counter_family(names_.socket_drops.name, names_.socket_drops.help);
  auto queued = empty_gauge(names_.socket_queued_bytes);
  auto info = empty_gauge(names_.socket_info);
  for (const ReceivingSocket& socket : dropping) {
    Labels labels = socket.labels;
    labels.push_back({"inode", std::to_string(socket.inode)});
    add_series(drops, labels, socket.drops);
    add_series(queued, labels, static_cast<double>(socket.queued_bytes));
    if (const auto owner = owners_.find(socket.inode); owner != owners_.end()) {
      labels.push_back({"pid", std::to_string(owner->second.process.pid)});
      labels.push_back({"comm", owner->second.comm});
      add_series(info, std::move(labels), 1);
    }
  }
  families.push_back(std::move(drops));
  families.push_back(std::move(queued));
  families.push_back(std::move(info));
}

}  // namespace inetdiag
