#include "collectors/kernel/proc/process.h"

#include <algorithm>
#include <cmath>

#include "collectors/kernel/netns/cgroup_limits.h"
#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  if (const auto stat = kernel::parse_task_stat(input)) {
    require(input.find("(" + stat->comm + ")") != input.npos, "names are in parentheses");
    require(!kernel::task_state_name(stat->state).empty(), "each state has a name");
  }
  (void)kernel::parse_schedule_times(input);
  (void)kernel::parse_open_files_limit(input);
  if (const auto inode = kernel::parse_socket_link(input)) {
    require(input.starts_with("socket:[") && input.ends_with("]"), "only links to sockets match");
    require(input.find(std::to_string(*inode)) != input.npos, "the inode is in the link");
  }
  if (const auto share = kernel::parse_pressure(input)) {
    require(std::isfinite(*share) && *share >= 0, "shares are finite and not negative");
  }
  if (const auto cpus = kernel::parse_cpu_max(input)) {
    require(std::isfinite(*cpus) && *cpus >= 0, "quotas are finite and not negative");
  }
  (void)kernel::parse_limit(input);
  (void)kernel::keyed_value(input, "nr_throttled");
  const auto cgroups = kernel::parse_process_cgroups(input);
  require(
      std::ranges::all_of(cgroups, [](const auto& each) { return each.second.starts_with("/"); }),
      "paths of cgroups are absolute");
}

std::vector<std::string> seeds() {
  return {"812 (nginx: (worker) 1) S 1 812 812 0 -1 4194560 1 0 0 0 150 20 0 0 20 0 4 0 1 2 3",
          "123456789 987654 42",
          "Limit                     Soft Limit           Hard Limit           Units\n"
          "Max open files            1024                 1048576              files\n",
          "Max open files            unlimited            unlimited            files\n",
          "socket:[4711]",
          "some avg10=12.34 avg60=0.00 avg300=0.00 total=99\nfull avg10=0.00 total=1\n",
          "max 100000\n",
          "1000 100000\n",
          "usage_usec 5\nnr_periods 10\nnr_throttled 9\nthrottled_usec 900000\n",
          "12:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/system.slice/web.service\n"};
}

}  // namespace inetdiag::fuzz
