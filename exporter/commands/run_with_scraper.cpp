#include "exporter/commands/run_with_scraper.h"

#include <exception>
#include <utility>

#include "exporter/commands/shutdown.h"
#include "exporter/http/client_limit.h"

namespace inetdiag {

int run_with_scraper(const HostPaths& paths, std::vector<NamedCollector> collectors,
                     Scraper::FamilySource self_metrics, int failure_status, const Log& log,
                     const std::function<int(Scraper&)>& command) {
  raise_descriptor_limit();
  Scraper scraper({kernel::FileTree(paths.procfs), kernel::FileTree(paths.sysfs),
                   kernel::open_netlink, paths.kubelet_logs},
                  std::move(collectors), std::move(self_metrics), log);
  int status = failure_status;
  try {
    status = command(scraper);
  } catch (const std::exception& error) {  // log before ~Scraper() waits for threads
    log.error(error.what());
  }
  scraper.stop();
  if (!scraper.wait_until_idle(Scraper::Clock::now() + shutdown_timeout)) {
    exit_immediately(status, log);
  }
  return status;
}

}  // namespace inetdiag
