#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <future>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "collectors/family.h"
#include "exporter/build_info.h"
#include "exporter/http_server.h"
#include "exporter/log.h"
#include "exporter/options.h"
#include "exporter/process_metrics.h"
#include "exporter/registry.h"
#include "exporter/scraper.h"
#include "exporter/web.h"

namespace inetdiag {
namespace {

// How long a client or the kernel may hold up the end of the program.
constexpr std::chrono::seconds longest_farewell{1};

/// SIGINT and SIGTERM, blocked in every thread that starts from now on and waited for by main.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    // A client that went away is an error of write(), not the end.
    std::signal(SIGPIPE, SIG_IGN);
  }

  std::string wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal == SIGINT ? "SIGINT" : "SIGTERM";
  }

 private:
  sigset_t set_{};
};

std::vector<prometheus::MetricFamily> own_families(bool with_process) {
  auto families = with_process ? process_metrics() : std::vector<prometheus::MetricFamily>();
  auto& info = families.emplace_back(gauge_family(
      "inetdiag_exporter_build_info", "1, labelled with what this exporter was built from."));
  add_series(info,
             {{"version", build_info::version},
              {"revision", build_info::revision},
              {"compiler", build_info::compiler}},
             1);
  return families;
}

std::vector<std::string> all_collectors() {
  std::vector<std::string> names;
  for (const CollectorEntry& entry : registry()) {
    names.emplace_back(entry.name);
  }
  return names;
}

void serve(Options options, const Log& log) {
  const EndSignals signals;
  Scraper scraper(
      {kernel::FileTree(options.proc), kernel::FileTree(options.sys), kernel::open_sock_diag},
      std::move(options.collectors),
      [with_process = options.exporter_metrics] { return own_families(with_process); }, log);
  Web web(options.web, scraper, all_collectors());
  HttpServer server(
      options.listen_addresses, [&web](const HttpRequest& request) { return web.answer(request); },
      log);
  for (const ListenAddress& address : server.addresses()) {
    log.info("listening", {{"address", address.url()}, {"version", build_info::version}});
  }

  log.info("stopping", {{"signal", signals.wait()}});
  scraper.stop();
  std::promise<void> stopped;
  std::jthread farewell([&] {
    server.stop();
    stopped.set_value();
  });
  const auto end = Scraper::Clock::now() + longest_farewell;
  if (stopped.get_future().wait_until(end) != std::future_status::ready ||
      !scraper.wait_until_idle(end)) {
    // A thread is held up by a client or inside the kernel; nothing is lost by leaving it there.
    std::_Exit(EXIT_SUCCESS);
  }
}

int run(std::span<const char* const> arguments) {
  CommandLine command_line = parse_command_line(arguments, registry());
  if (!command_line.options) {
    (command_line.exit_status == 0 ? std::cout : std::cerr) << command_line.text;
    return command_line.exit_status;
  }
  const Log log(command_line.options->log_level, command_line.options->log_format,
                std::make_shared<spdlog::sinks::stderr_sink_mt>());
  try {
    serve(std::move(*command_line.options), log);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    log.error(error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace
}  // namespace inetdiag

int main(int argc, char** argv) {
  try {
    return inetdiag::run(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  } catch (const std::exception& error) {
    std::cerr << "inetdiag_exporter: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
