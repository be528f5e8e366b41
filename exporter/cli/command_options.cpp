#include "exporter/cli/command_options.h"

#include <utility>

namespace inetdiag {

CommandOptions command_options(Options options) {
  KernelPaths paths{.procfs = std::move(options.proc), .sysfs = std::move(options.sys)};
  switch (options.command) {
    case Command::check:
      options.check.paths = std::move(paths);
      options.check.collectors = std::move(options.collectors);
      return std::move(options.check);
    case Command::print:
      options.print.paths = std::move(paths);
      options.print.collectors = std::move(options.collectors);
      return std::move(options.print);
    case Command::sockets:
      return std::move(options.sockets);
    case Command::serve:
      break;
  }
  return ServeOptions{.paths = std::move(paths),
                      .collectors = std::move(options.collectors),
                      .netns = std::move(options.netns),
                      .has_web = !options.no_web,
                      .listen_addresses = std::move(options.listen_addresses),
                      .router = std::move(options.web),
                      .web_config_file = std::move(options.web_config_file),
                      .statsd = std::move(options.statsd),
                      .has_process_metrics = options.exporter_metrics,
                      .has_sandbox = options.sandbox};
}

}  // namespace inetdiag
