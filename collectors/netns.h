// Runs collectors in other network namespaces: those of pods, containers and `ip netns`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/kernel/base/regex.h"
#include "collectors/support/collector.h"

namespace inetdiag {

enum class Discovery { off, pinned, processes, all };

struct NetnsOptions {
  Discovery discovery = Discovery::off;
  std::vector<std::string> directories = {"/run/netns"};  ///< of pinned namespaces
  unsigned max = 500;                                     ///< namespaces to monitor
  std::optional<kernel::Regex> include;                   ///< by the value of the label `netns`
  std::optional<kernel::Regex> exclude;
  double cpu_budget = 0.01;  ///< share of one CPU for dumps of TCP sockets

  bool discovers_pinned() const {
    return discovery == Discovery::pinned || discovery == Discovery::all;
  }
  bool discovers_processes() const {
    return discovery == Discovery::processes || discovery == Discovery::all;
  }
};

/// A collector that runs in other namespaces: an instance that they share, or a factory that makes
/// an instance for each namespace.
struct NamespacedCollector {
  std::shared_ptr<Collector> shared;
  std::function<std::unique_ptr<Collector>()> make;
};

inline constexpr const char* netns_collector_name = "netns";

/// Makes a collector that discovers namespaces, runs `collectors` in each of them and adds the
/// label `netns` to their series. Each scrape starts a thread for this, because returning to the
/// exporter's own namespace can fail.
std::unique_ptr<Collector> make_netns(NetnsOptions options, kernel::FileTree proc,
                                      std::vector<NamespacedCollector> collectors);

/// Returns a description of the capabilities that this process lacks; empty if none.
std::string missing_privileges(const NetnsOptions& options);

}  // namespace inetdiag
