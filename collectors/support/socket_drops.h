// What the collectors of sockets without ports share: netlink, raw and packet sockets.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/kernel/netns/socket_processes.h"
#include "collectors/support/collector.h"
#include "collectors/support/cpu_budget.h"
#include "collectors/support/drop_counter.h"
#include "collectors/support/family.h"

namespace inetdiag {

struct ReceivingSocket {
  Labels labels;  ///< of its group, such as the protocol
  std::uint64_t inode = 0;
  std::uint64_t queued_bytes = 0;
  std::uint32_t drops = 0;
};

/// Metric name and help of each family.
struct SocketDropFamilies {
  struct Family {
    std::string_view name;
    std::string_view help;
  };
  Family sockets;
  Family queued_bytes;
  Family drops;
  // Of the open sockets with most drops.
  Family socket_drops;
  Family socket_queued_bytes;
  Family socket_info;
};

/// Sums sockets by their labels, counts their drops, and finds out which processes have those that
/// drop open. Used by one thread at a time.
class SocketDropCounter {
 public:
  /// `families` must outlive the object.
  explicit SocketDropCounter(const SocketDropFamilies& families);

  std::vector<prometheus::MetricFamily> collect(std::span<const ReceivingSocket> sockets,
                                                const ScrapeContext& context);

 private:
  struct Owner {
    kernel::FoundProcess process;
    std::string comm;
  };

  /// Searches the processes of sockets whose drops grew, unless they are known.
  void find_owners(std::span<const ReceivingSocket> dropping, const ScrapeContext& context);
  void add_sockets(std::span<const ReceivingSocket> dropping,
                   std::vector<prometheus::MetricFamily>& families) const;

  const SocketDropFamilies& names_;
  DropCounters<Labels> counters_;
  CreatedTime counted_at_;                                 ///< the previous collection
  std::map<std::uint64_t, std::uint32_t> previous_drops_;  ///< by inode, those above 0
  bool is_first_ = true;
  std::map<std::uint64_t, Owner> owners_;  ///< by inode
  CpuBudget search_budget_;
};

}  // namespace inetdiag
