// Runs one collector against a fake kernel.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "collectors/kernel/proc/ephemeral_ports.h"
#include "collectors/support/collector.h"
#include "exporter/exposition/openmetrics_format.h"
#include "exporter/exposition/text_format.h"
#include "tests/unit/support/diag_messages.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::testing {

/// Returns the lines without comments.
inline std::vector<std::string> samples_of(const std::string& page) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < page.size();) {
    const std::size_t end = page.find('\n', begin);
    if (page[begin] != '#') {
      lines.push_back(page.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return lines;
}

inline std::vector<std::string> lines_of(const std::vector<prometheus::MetricFamily>& families) {
  return samples_of(text_format(families));
}

/// Returns the created time of a counter without `_total`, in seconds since the epoch.
inline std::optional<double> created_of(const std::vector<prometheus::MetricFamily>& families,
                                        const std::string& name, const std::string& labels = "") {
  const std::string series = name + "_created" + labels + " ";
  for (const std::string& line : samples_of(openmetrics_format(families))) {
    if (line.starts_with(series)) {
      return std::stod(line.substr(series.size()));
    }
  }
  return std::nullopt;
}

/// Temporary procfs and sysfs trees and a fake kernel for one collector.
struct CollectorFixture {
  TemporaryTree proc_tree;
  TemporaryTree sys_tree;
  TemporaryTree log_tree;  ///< with `pods` and `containers` of kubelet
  FakeKernel kernel;
  bool is_other_namespace = false;
  CreatedTime namespace_created{};
  kernel::DumpPolicy dump_policy{};
  /// Ports whose waiting connections another collector has dumped in the same scrape.
  std::vector<std::uint16_t> dumped_ports{};
  bool has_full_dump = false;  ///< another collector has made the full dump in the same scrape
  bool is_late = false;        ///< the deadline has passed once the listeners are read

  /// Creates a cgroup v2 and returns its ID.
  kernel::CgroupId make_cgroup(const std::string& path) const {
    sys_tree.write("fs/cgroup/cgroup.controllers", "");
    struct stat status {};
    ::stat(sys_tree.make_directory("fs/cgroup" + path).c_str(), &status);
    return status.st_ino;
  }

  kernel::KubeletLogs kubelet_logs() const {
    return {.pods = log_tree.path("pods"), .containers = log_tree.path("containers")};
  }

  Collection collect(Collector& collector) { return collect_from(collector, proc_tree.root()); }
  Collection collect_from(Collector& collector, const std::string& proc_root) {
    const kernel::FileTree proc_files(proc_root);
    const kernel::FileTree sys(sys_tree.root());
    const kernel::NetlinkFactory netlink = kernel.factory();
    const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
    kernel::CachedFiles proc(proc_files, deadline);
    kernel::TcpTable tcp(kernel.factory(), deadline, dump_policy);
    if (!dumped_ports.empty()) {
      (void)tcp.waiting_connections(dumped_ports, std::chrono::seconds(1), {});
    }
    if (has_full_dump) {
      (void)tcp.full_dump({.ephemeral_ports = kernel::read_ephemeral_ports(proc)});
    }
    kernel::CgroupTree cgroups(sys, deadline);
    kernel::PodNames pods(kubelet_logs(), deadline);
    const auto rest = is_late ? kernel::Deadline::in(std::chrono::seconds(0)) : deadline;
    return collector.collect(
        {proc, cgroups, pods, tcp, netlink, rest, is_other_namespace, namespace_created});
  }
  std::vector<std::string> lines(Collector& collector) {
    return lines_of(collect(collector).families);
  }
};

inline Settings settings(std::vector<std::pair<std::string, std::string>> values) {
  Settings settings;
  for (auto& [name, value] : values) {
    settings.add(name, std::move(value));
  }
  return settings;
}

}  // namespace inetdiag::testing
