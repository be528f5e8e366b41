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
#include "collectors/kernel/proc/cached_files.h"
#include "collectors/support/settings.h"

namespace inetdiag {

/// What a collector may ask in one scrape. What several collectors need is asked of the kernel
/// once: the files of `proc`, the tree of `cgroups` and the questions of `tcp`.
struct ScrapeContext {
  kernel::CachedFiles& proc;
  kernel::CgroupTree& cgroups;
  kernel::TcpTable& tcp;
  const kernel::NetlinkFactory& sock_diag;
  const kernel::Deadline& deadline;
  /// Another network namespace than the exporter's own: what is of the whole host has been told.
  bool is_other_namespace = false;
};

/// What a collector found. It can be part of what it should be: `errors` tell the rest.
struct Collection {
  std::vector<prometheus::MetricFamily> families;  ///< one without series is left out of the page
  /// What could not be read, for the log; any makes the collector's `success` 0.
  std::vector<std::string> errors;
  /// Features that this kernel lacks: not an error, told once in the log.
  std::vector<std::string> missing;
  /// Settings that match nothing, and may be mistyped: told once in the log, as a warning.
  std::vector<SettingError> unmatched;
};

/// One subject of the page. It is asked by one thread at a time, may keep state between scrapes,
/// and builds its families new each time. An exception counts as an error of the whole collector.
class Collector {
 public:
  virtual ~Collector() = default;
  virtual Collection collect(const ScrapeContext& context) = 0;
};

/// Who asks this in other network namespaces than the exporter's own.
enum class NetnsMode {
  nobody,     ///< it is of the whole host
  stateless,  ///< it remembers nothing of a namespace
  stateful,
};

/// One row of the registry: what the program knows of a collector before it is made.
struct CollectorEntry {
  std::string_view name;
  std::string_view help;
  bool on_by_default;
  std::span<const SettingSpec> settings;
  /// Throws SettingError where a setting's value is no good.
  std::unique_ptr<Collector> (*make)(const Settings& settings);
  NetnsMode elsewhere = NetnsMode::nobody;
};

}  // namespace inetdiag
