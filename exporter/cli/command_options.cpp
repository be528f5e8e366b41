#include "exporter/cli/command_options.h"

#include <algorithm>
#include <utility>

#include <linux/capability.h>
#include <unistd.h>

#include "collectors/conntrack.h"
#include "collectors/kernel/proc/file_tree.h"
#include "collectors/netns.h"
#include "collectors/registry.h"

namespace inetdiag {
namespace {

ServeOptions serve_options(Options options) {
  ServeOptions serve{.paths = std::move(options.paths),
                     .collectors = std::move(options.collectors),
                     .has_web = !options.no_web,
                     .listen_addresses = std::move(options.listen_addresses),
                     .has_systemd_socket = options.systemd_socket,
                     .router = std::move(options.web),
                     .web_config_file = std::move(options.web_config_file),
                     .statsd = std::move(options.statsd),
                     .has_process_metrics = options.exporter_metrics,
                     .has_sandbox = options.sandbox};
  // Of root's capabilities the sandbox keeps none that nobody asked for.
  const bool has_conntrack = std::ranges::any_of(
      serve.collectors, [](const NamedCollector& each) { return each.name == "conntrack"; });
  if (::geteuid() != 0 && has_conntrack && needs_nfnetlink(kernel::FileTree(serve.paths.procfs))) {
    serve.keep_capabilities.push_back(CAP_NET_ADMIN);
  }
  for (const CollectorEntry& entry : registry()) {
    serve.known_collectors.emplace_back(entry.name);
  }
  if (options.netns.discovery != Discovery::off) {
    serve.known_collectors.emplace_back(netns_collector_name);
    serve.netns = NetnsAccess{.directories = std::move(options.netns.directories),
                              .inspect_processes = options.netns.discovers_processes()};
  }
  return serve;
}

CommandOptions command_options(Options options) {
  switch (options.command) {
    case Command::check:
      options.check.paths = std::move(options.paths);
      options.check.collectors = std::move(options.collectors);
      return std::move(options.check);
    case Command::print:
      options.print.paths = std::move(options.paths);
      options.print.collectors = std::move(options.collectors);
      return std::move(options.print);
    case Command::sockets:
      return std::move(options.sockets);
    case Command::serve:
      break;
  }
  return serve_options(std::move(options));
}

}  // namespace

Invocation make_invocation(Options options) {
  Invocation invocation{.failure_exit_status = failure_exit_status(options.command),
                        .log_level = options.log_level,
                        .log_format = options.log_format,
                        .unused_flags = std::move(options.unused_flags),
                        .missing_privileges = missing_privileges(options.netns)};
  invocation.command = command_options(std::move(options));
  return invocation;
}

CommandLine parse_command_line(std::span<const char* const> arguments) {
  return parse_command_line(arguments, registry());
}

}  // namespace inetdiag
