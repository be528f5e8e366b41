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
#include <malloc.h>
#include <pthread.h>

#include "collectors/support/family.h"
#include "exporter/build_info.h"
#include "exporter/commands/release_code.h"
#include "exporter/commands/shutdown.h"
#include "exporter/http/auth_handler.h"
#include "exporter/http/client_limit.h"
#include "exporter/http/handler_metrics.h"
#include "exporter/http/router.h"
#include "exporter/http/socket_activation.h"
#include "exporter/http/web_server.h"
#include "exporter/sandbox/sandbox.h"
#include "exporter/scrape/scraper.h"
#include "exporter/scrape/self_metrics.h"
#include "exporter/statsd/push_counters.h"
#include "exporter/statsd/pusher.h"
#include "exporter/web_config/web_config_watcher.h"

namespace inetdiag {
namespace {

/// Blocks SIGINT and SIGTERM in this thread and in those that it starts later.
class StopSignals {
 public:
  StopSignals() {
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

/// Returns the directory, or its nearest ancestor that exists: Landlock needs an open directory,
/// and /run/netns is created with the first pinned namespace. Empty if only the root directory
/// exists.
std::string nearest_existing(std::filesystem::path directory) {
  std::error_code error;
  while (!std::filesystem::exists(directory, error) && directory.has_relative_path()) {
    directory = directory.parent_path();
  }
  return directory.has_relative_path() ? directory.string() : std::string();
}

SandboxPolicy sandbox_policy(const ServeOptions& options, WebConfigWatcher* web_config) {
  SandboxPolicy policy{.read_paths = {options.paths.procfs, options.paths.sysfs, "/proc", "/sys"},
                       .has_http_server = options.has_web,
                       .keep_capabilities = options.keep_capabilities};
  const auto allow_reading = [&](const auto& paths) {
    policy.read_paths.insert(policy.read_paths.end(), std::begin(paths), std::end(paths));
  };
  for (const std::string& logs :
       {options.paths.kubelet_logs.pods, options.paths.kubelet_logs.containers}) {
    // With --netns.discover, kubelet may also create them later.
    std::error_code error;
    if (options.netns || std::filesystem::is_directory(logs, error)) {
      policy.list_paths.push_back(nearest_existing(logs));
    }
  }
  if (web_config != nullptr) {
    allow_reading(web_config->paths_to_read());
  }
  if (options.statsd.address) {
    policy.allow_outgoing_datagrams = true;
    if (options.statsd.address->has_host_name()) {
      allow_reading(statsd::resolver_paths);
      policy.connect_to_ports.push_back(statsd::resolver_port);
    }
  }
  if (options.netns) {
    for (const std::string& directory : options.netns->directories) {
      policy.read_paths.push_back(nearest_existing(directory));
    }
    policy.allow_setns = true;
    policy.keep_capabilities.push_back(CAP_SYS_ADMIN);
    if (options.netns->inspect_processes) {
      policy.inspect_processes = true;
      policy.keep_capabilities.push_back(CAP_SYS_PTRACE);
    }
  }
  return policy;
}

void log_incomplete_parts(const std::vector<SandboxPart>& sandbox, const Log& log) {
  std::string missing;
  for (const SandboxPart& part : sandbox) {
    if (!part.detail.empty()) {
      missing.append(missing.empty() ? "" : "; ").append(part.name).append(": ");
      missing.append(part.detail);
    }
  }
  if (!missing.empty()) {
    log.info("sandbox only partially applied", {{"missing", missing}});
  }
}

prometheus::MetricFamily sandbox_family(const std::vector<SandboxPart>& sandbox) {
  auto active = gauge_family("inetdiag_sandbox_active",
                             "Whether this part of the sandbox is applied to the exporter.");
  for (const SandboxPart& part : sandbox) {
    add_series(active, {{"part", part.name}}, part.is_applied ? 1 : 0);
  }
  return active;
}

/// Stops all threads. Exits if they do not stop within shutdown_timeout.
void shut_down(Scraper& scraper, std::optional<statsd::PushTimer>& push_timer,
               std::optional<WebServer>& server, WebConfigWatcher* web_config, const Log& log) {
  try {
    std::promise<void> promise;
    std::future<void> stopped = promise.get_future();
    const std::jthread stopper([&] {
      try {
        scraper.stop();
        push_timer.reset();
        if (server) {
          server->stop();
        }
        if (web_config != nullptr) {
          web_config->stop();
        }
        scraper.wait_until_idle(Scraper::Clock::time_point::max());
        promise.set_value();
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    });
    if (stopped.wait_for(shutdown_timeout) != std::future_status::ready) {
      // A client or the kernel blocks a thread. There is no state to save.
      exit_immediately(EXIT_SUCCESS, log);
    }
    stopped.get();
  } catch (const std::exception& error) {
    log.warn("clean shutdown failed, exiting immediately", {{"error", error.what()}});
    exit_immediately(EXIT_SUCCESS, log);
  }
}

/// Returns a source that concatenates the families of `sources`.
Scraper::FamilySource joined(std::vector<Scraper::FamilySource> sources) {
  return [sources = std::move(sources)] {
    std::vector<prometheus::MetricFamily> families;
    for (const Scraper::FamilySource& source : sources) {
      std::ranges::move(source(), std::back_inserter(families));
    }
    return families;
  };
}

}  // namespace

void serve(ServeOptions options, const Log& log, const std::function<void()>& after_sandbox) {
  std::vector<kernel::UniqueFd> passed_sockets;
  if (options.has_web && options.has_systemd_socket) {
    passed_sockets = take_passed_sockets();
  } else if (options.has_web && std::getenv("LISTEN_FDS") != nullptr) {
    log.warn("ignoring the sockets that systemd passes; use --web.systemd-socket");
  }
  raise_descriptor_limit();
  // A TLS context waits for entropy, so the signals still end the process.
  const auto web_config = options.web_config_file.empty()
                              ? nullptr
                              : std::make_shared<WebConfigWatcher>(options.web_config_file, log);
  const StopSignals signals;
  statsd::PushCounters push_counters;
  HandlerMetrics handler_metrics;
  std::vector<SandboxPart> sandbox = disabled_sandbox();
  std::vector<Scraper::FamilySource> self = {self_metrics(options.has_process_metrics)};
  if (options.has_process_metrics && options.has_web) {
    self.emplace_back([&handler_metrics] { return handler_metrics.families(); });
  }
  if (options.statsd.address) {
    self.emplace_back([&push_counters] { return push_counters.families(); });
  }
  self.emplace_back([&sandbox] { return std::vector{sandbox_family(sandbox)}; });
  Scraper scraper({kernel::FileTree(options.paths.procfs), kernel::FileTree(options.paths.sysfs),
                   kernel::open_netlink, options.paths.kubelet_logs},
                  std::move(options.collectors), joined(std::move(self)), log);
  Router router(options.router, scraper, options.known_collectors, handler_metrics);
  AuthHandler auth_handler(
      web_config, [&router](const HttpRequest& request) { return router.handle(request); }, log);
  const auto apply_sandbox = [&] {
    if (options.has_sandbox) {
      sandbox = enter_sandbox(sandbox_policy(options, web_config.get()));
    }
    after_sandbox();
  };
  std::optional<WebServer> server;
  if (options.has_web) {
    server.emplace(
        options.listen_addresses, std::move(passed_sockets),
        [&auth_handler](const HttpRequest& request) { return auth_handler.handle(request); },
        web_config, apply_sandbox, log);
  } else {
    apply_sandbox();
  }
  log_incomplete_parts(sandbox, log);
  if (options.has_sandbox && web_config != nullptr) {
    web_config->reload();
  }
  if (server && web_config != nullptr) {
    web_config->watch();
  }
  if (server) {
    for (const ListenAddress& address : server->addresses()) {
      log.info("listening",
               {{"address", address.url(server->has_tls())}, {"version", build_info::version}});
    }
  }
  std::optional<statsd::PushTimer> push_timer;
  if (options.statsd.address) {
    push_timer.emplace(scraper, options.statsd, log, push_counters);
    log.info("pushing to StatsD", {{"address", options.statsd.address->text()}});
  }

  release_code();
  malloc_trim(0);
  const std::string signal = signals.wait();
  log.info("stopping", {{"signal", signal}});
  shut_down(scraper, push_timer, server, web_config.get(), log);
  log.info("stopped");
}

}  // namespace inetdiag
