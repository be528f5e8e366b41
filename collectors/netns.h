// The network namespaces beside the exporter's own: pods, containers and what `ip netns` made.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "collectors/support/collector.h"

namespace inetdiag {

enum class Discovery { off, pinned, processes, all };

struct NetnsOptions {
  Discovery discovery = Discovery::off;
  std::string folder = "/run/netns";       ///< where namespaces are pinned
  std::string pod_logs = "/var/log/pods";  ///< whose names tell the pods
  unsigned max = 500;                      ///< most namespaces that are asked
  std::optional<std::regex> include;       ///< by the value of the label `netns`
  std::optional<std::regex> exclude;
  std::string nstat_include;  ///< regular expression over the counters' kernel names
  double dump_budget = 0.01;  ///< share of one CPU for passes over TCP sockets

  bool with_pinned() const { return discovery == Discovery::pinned || discovery == Discovery::all; }
  bool with_processes() const {
    return discovery == Discovery::processes || discovery == Discovery::all;
  }
};

/// A collector for use in other namespaces: one for all of them, or what makes one for each.
struct NamespacedCollector {
  std::shared_ptr<Collector> for_all;
  std::function<std::unique_ptr<Collector>()> make_for_one;
};

/// A collector that asks others in each namespace that it finds, in their order, and puts the label
/// `netns` on their series. A thread that entered a namespace never comes back: each scrape has one
/// of its own.
std::unique_ptr<Collector> make_netns(NetnsOptions options, kernel::FileTree proc,
                                      std::vector<NamespacedCollector> collectors);

/// What the process lacks for it, in words; empty where it lacks nothing.
std::string missing_privileges(const NetnsOptions& options);

}  // namespace inetdiag
