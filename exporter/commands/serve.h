#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "exporter/commands/host_paths.h"
#include "exporter/http/listen_address.h"
#include "exporter/http/router.h"
#include "exporter/log/log.h"
#include "exporter/scrape/scraper.h"
#include "exporter/statsd/pusher.h"

namespace inetdiag {

/// The access that the collector of other network namespaces needs in the sandbox.
struct NetnsAccess {
  std::vector<std::string> directories{};  ///< of pinned namespaces
  bool inspect_processes = false;
};

struct ServeOptions {
  HostPaths paths{};
  std::vector<NamedCollector> collectors{};
  std::vector<std::string> known_collectors{};  ///< including the disabled ones
  std::optional<NetnsAccess> netns{};           ///< absent without --netns.discover
  bool has_web = true;
  std::vector<ListenAddress> listen_addresses{};
  bool has_systemd_socket = false;  ///< listen on the sockets that systemd passes
  RouterOptions router{};
  std::string web_config_file{};  ///< empty for none
  statsd::Options statsd{};
  bool has_process_metrics = true;
  bool has_sandbox = true;
  std::vector<int> keep_capabilities{};  ///< in the sandbox, besides those of `netns`
};

/// Serves HTTP and pushes to StatsD until SIGINT or SIGTERM. Calls `after_sandbox` once the sandbox
/// is applied, before other threads start. Throws std::runtime_error if it cannot start.
void serve(ServeOptions options, const Log& log, const std::function<void()>& after_sandbox);

}  // namespace inetdiag
