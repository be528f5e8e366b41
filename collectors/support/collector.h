#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/netlink/netlink.h"
#include "collectors/kernel/netlink/tcp_table.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/netns/pod_names.h"
#include "collectors/kernel/proc/cached_files.h"
#include "collectors/support/family.h"
#include "collectors/support/recent_fill.h"
#include "collectors/support/settings.h"

namespace inetdiag {

/// The sources of one scrape in one network namespace. `proc`, `cgroups`, `pods` and `tcp` cache
/// what they read for all collectors.
struct ScrapeContext {
  kernel::CachedFiles& proc;
  kernel::CgroupTree& cgroups;
  kernel::PodNames& pods;
  kernel::TcpTable& tcp;
  const kernel::NetlinkFactory& netlink;
  const kernel::Deadline& deadline;
  bool is_other_namespace = false;  ///< not the exporter's own: omit host-wide metrics
  /// A time at which the namespace did not exist yet, so that its counters were 0.
  CreatedTime namespace_created{};
};

/// The result of a collector, which can be partial.
struct Collection {
  std::vector<prometheus::MetricFamily> families;  ///< those without series are omitted
  std::vector<RecentFill> recent_fills{};          ///< of the listeners in `families`
  /// Logged, and any of them sets inetdiag_scrape_collector_success to 0.
  std::vector<std::string> errors;
  /// Features that this kernel does not have: not an error, logged once.
  std::vector<std::string> missing;
  /// Settings without effect, such as a pattern that matches nothing: logged once, as a warning.
  std::vector<SettingError> unmatched;
};

/// Collects metrics. Used by one thread at a time; may keep state between scrapes. If collect()
/// throws, the metrics of this scrape are discarded.
class Collector {
 public:
  virtual ~Collector() = default;
  virtual Collection collect(const ScrapeContext& context) = 0;
};

struct NamedCollector {
  std::string name;
  std::unique_ptr<Collector> collector;
};

/// How a collector runs in network namespaces other than the exporter's own.
enum class NetnsMode {
  host_wide,  ///< not at all: its metrics describe the host, or each namespace would cost too much
  stateless,  ///< one instance for all namespaces
  stateful,   ///< an instance for each namespace: it keeps state between scrapes
};

/// An entry of the registry.
struct CollectorEntry {
  std::string_view name;
  std::string_view help;
  bool on_by_default;
  std::span<const SettingSpec> settings;
  /// Throws SettingError if a value is invalid.
  std::unique_ptr<Collector> (*make)(const Settings& settings);
  NetnsMode netns_mode = NetnsMode::host_wide;
};

}  // namespace inetdiag
