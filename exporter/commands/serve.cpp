#include "exporter/commands/serve.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <linux/capability.h>
#include <pthread.h>

#include "collectors/registry.h"
#include "exporter/build_info.h"
#include "exporter/cli/netns_flags.h"
#include "exporter/commands/shutdown.h"
#include "exporter/http/auth_handler.h"
#include "exporter/http/handler_metrics.h"
#include "exporter/http/router.h"
#include "exporter/http/web_server.h"
#include "exporter/sandbox/sandbox.h"
#include "exporter/scrape/scraper.h"
#include "exporter/scrape/self_metrics.h"
#include "exporter/statsd/push_counters.h"
#include "exporter/statsd/pusher.h"
#include "exporter/web_config/web_config_watcher.h"

namespace inetdiag {
namespace {

/// SIGINT and SIGTERM, blocked in every thread that starts from now on and waited for by main.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  std::string wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal == SIGINT ? "SIGINT" : "SIGTERM";
  }

 private:
  sigset_t set_{};
};

std::vector<std::string> known_collectors(const NetnsOptions& netns) {
  std::vector<std::string> names;
  for (const CollectorEntry& entry : registry()) {
    names.emplace_back(entry.name);
  }
  if (netns.discovery != Discovery::off) {
    names.emplace_back(netns_collector);
  }
  return names;
}

/// A folder that is made later, as that of pinned namespaces is by the first of them, can be
/// allowed only by the one it will be in.
std::string nearest_existing(std::filesystem::path folder) {
  std::error_code error;
  while (!std::filesystem::exists(folder, error) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  return folder.has_relative_path() ? folder.string() : std::string();
}

/// What is needed once it listens.
SandboxPolicy sandbox_policy(const Options& options, WebConfigWatcher* settings,
                             const std::vector<std::uint16_t>& own_ports) {
  SandboxPolicy policy{.read_paths = {options.proc, options.sys, "/proc", "/sys"},
                       .connect_to_ports = own_ports};
  const auto read = [&](const auto& paths) {
    policy.read_paths.insert(policy.read_paths.end(), std::begin(paths), std::end(paths));
  };
  if (settings != nullptr) {
    read(settings->paths_to_read());
  }
  if (options.statsd.address) {
    policy.allow_outgoing_datagrams = true;
    if (options.statsd.address->has_name()) {
      read(statsd::resolver_paths);
      policy.connect_to_ports.push_back(statsd::resolver_port);
    }
  }
  if (options.netns.discovery != Discovery::off) {
    read(std::vector{nearest_existing(options.netns.folder)});
    policy.list_paths.push_back(nearest_existing(options.netns.pod_logs));
    policy.allow_setns = true;
    policy.keep_capabilities.push_back(CAP_SYS_ADMIN);
  }
  if (options.netns.with_processes()) {
    policy.inspect_processes = true;
    policy.keep_capabilities.push_back(CAP_SYS_PTRACE);
  }
  return policy;
}

void tell(const std::vector<SandboxStage>& sandbox, const Log& log) {
  std::string missing;
  for (const SandboxStage& stage : sandbox) {
    if (!stage.is_on || !stage.detail.empty()) {
      missing.append(missing.empty() ? "" : "; ").append(stage.name).append(": ");
      missing.append(stage.detail);
    }
  }
  if (!missing.empty()) {
    log.info("the sandbox is not whole", {{"missing", missing}});
  }
}

/// Ends everything in order, or without that where something holds it up.
void end(Scraper& scraper, std::optional<statsd::Timer>& timer, std::optional<WebServer>& server,
         WebConfigWatcher* settings, const Log& log) {
  try {
    std::promise<void> promise;
    std::future<void> ended = promise.get_future();
    const std::jthread farewell([&] {
      try {
        scraper.stop();
        timer.reset();
        if (server) {
          server->stop();
        }
        if (settings != nullptr) {
          settings->stop();
        }
        scraper.wait_until_idle(Scraper::Clock::time_point::max());
        promise.set_value();
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    });
    if (ended.wait_for(shutdown_timeout) != std::future_status::ready) {
      // A thread is held up by a client or inside the kernel; nothing is lost by leaving it there.
      leave(EXIT_SUCCESS, log);
    }
    ended.get();
  } catch (const std::exception& error) {
    log.warn("no thread or memory to end in order", {{"error", error.what()}});
    leave(EXIT_SUCCESS, log);
  }
}

}  // namespace

void serve(Options options, const Log& log, const std::function<void()>& once_confined) {
  const EndSignals signals;
  statsd::PushCounters pushes;
  HandlerMetrics handler_metrics;
  const auto own_families =
      [self = self_metrics(options.exporter_metrics, options.statsd.address ? &pushes : nullptr),
       &handler_metrics, has_handler_metrics = options.exporter_metrics && !options.no_web] {
        auto families = self();
        if (has_handler_metrics) {
          std::ranges::move(handler_metrics.families(), std::back_inserter(families));
        }
        return families;
      };
  Scraper scraper(
      {kernel::FileTree(options.proc), kernel::FileTree(options.sys), kernel::open_sock_diag},
      std::move(options.collectors), own_families, log);
  Router web(options.web, scraper, known_collectors(options.netns), handler_metrics);
  const auto settings = options.web_config_file.empty()
                            ? nullptr
                            : std::make_shared<WebConfigWatcher>(options.web_config_file, log);
  AuthHandler access(
      settings, [&web](const HttpRequest& request) { return web.handle(request); }, log);
  std::vector<SandboxStage> sandbox;
  const auto confine = [&](const std::vector<std::uint16_t>& own_ports) {
    if (options.sandbox) {
      sandbox = enter_sandbox(sandbox_policy(options, settings.get(), own_ports));
    }
    once_confined();
  };
  std::optional<WebServer> server;
  if (options.no_web) {
    confine({});
  } else {
    server.emplace(
        options.listen_addresses,
        [&access](const HttpRequest& request) { return access.handle(request); }, settings, confine,
        log);
  }
  tell(sandbox, log);
  if (options.sandbox && settings != nullptr) {
    settings->reload();
  }
  if (server && settings != nullptr) {
    settings->watch();
  }
  if (server) {
    for (const ListenAddress& address : server->addresses()) {
      log.info("listening",
               {{"address", address.url(server->has_tls())}, {"version", build_info::version}});
    }
  }
  std::optional<statsd::Timer> timer;
  if (options.statsd.address) {
    timer.emplace(scraper, options.statsd, log, pushes);
    log.info("pushing to StatsD", {{"address", options.statsd.address->text()}});
  }

  const std::string signal = signals.wait();
  log.info("stopping", {{"signal", signal}});
  end(scraper, timer, server, settings.get(), log);
  log.info("stopped");
}

}  // namespace inetdiag
