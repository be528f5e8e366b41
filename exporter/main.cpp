#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include "collectors/family.h"
#include "exporter/build_info.h"
#include "exporter/check.h"
#include "exporter/http_server.h"
#include "exporter/log.h"
#include "exporter/netns_flags.h"
#include "exporter/options.h"
#include "exporter/output.h"
#include "exporter/print.h"
#include "exporter/process_metrics.h"
#include "exporter/registry.h"
#include "exporter/scraper.h"
#include "exporter/sockets.h"
#include "exporter/statsd/push.h"
#include "exporter/statsd/tally.h"
#include "exporter/web.h"

namespace inetdiag {
namespace {

// How long a client or the kernel may hold up the end of the program.
constexpr std::chrono::seconds longest_farewell{1};

constexpr int could_not_check = 3;
constexpr int could_not_print = 2;

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

prometheus::MetricFamily build_info_family() {
  auto info = gauge_family("inetdiag_exporter_build_info",
                           "1, labelled with what this exporter was built from.");
  add_series(info,
             {{"version", build_info::version},
              {"revision", build_info::revision},
              {"compiler", build_info::compiler}},
             1);
  return info;
}

using OwnFamilies = std::function<std::vector<prometheus::MetricFamily>()>;

/// `pushes` is null where there are none.
OwnFamilies own_families(bool with_process, const statsd::Tally* pushes) {
  return [process = with_process ? std::optional<ProcessMetrics>(std::in_place) : std::nullopt,
          pushes] {
    auto families = process ? process->collect() : std::vector<prometheus::MetricFamily>();
    families.push_back(build_info_family());
    if (pushes != nullptr) {
      std::ranges::move(pushes->families(), std::back_inserter(families));
    }
    return families;
  };
}

/// A closed standard stream would give its number to a socket, and a log line to its client.
void open_standard_streams() {
  int fd = -1;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) {
    ::close(fd);
  }
}

/// A scrape takes and frees the same memory each time: one arena for all threads that keeps it, so
/// that it is neither held several times over nor given back and taken anew.
void tune_malloc() {
  constexpr int kept_bytes = 4'000'000;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, kept_bytes);
  mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

std::vector<std::string> all_collectors() {
  std::vector<std::string> names;
  for (const CollectorEntry& entry : registry()) {
    names.emplace_back(entry.name);
  }
  return names;
}

void tell_missing_privileges(const NetnsOptions& netns, const Log& log) {
  const std::string missing = missing_privileges(netns);
  if (!missing.empty()) {
    log.warn("other network namespaces cannot be asked, the own one can",
             {{"missing", missing}, {"flag", "--netns.discover"}});
  }
}

void serve(Options options, const Log& log) {
  const EndSignals signals;
  statsd::Tally pushes;
  Scraper scraper(
      {kernel::FileTree(options.proc), kernel::FileTree(options.sys), kernel::open_sock_diag},
      std::move(options.collectors),
      own_families(options.exporter_metrics, options.statsd.address ? &pushes : nullptr), log);
  std::vector<std::string> known_collectors = all_collectors();
  if (options.netns.discovery != Discovery::off) {
    known_collectors.emplace_back(netns_collector);
    tell_missing_privileges(options.netns, log);
  }
  Web web(options.web, scraper, std::move(known_collectors));
  std::optional<HttpServer> server;
  if (!options.no_web) {
    server.emplace(
        options.listen_addresses,
        [&web](const HttpRequest& request) { return web.answer(request); }, log);
    for (const ListenAddress& address : server->addresses()) {
      log.info("listening", {{"address", address.url()}, {"version", build_info::version}});
    }
  }
  std::optional<statsd::Timer> timer;
  if (options.statsd.address) {
    timer.emplace(scraper, options.statsd, log, pushes);
    log.info("pushing to StatsD", {{"address", options.statsd.address->text()}});
  }

  const std::string signal = signals.wait();
  std::promise<void> ended;
  std::jthread farewell([&] {
    log.info("stopping", {{"signal", signal}});
    scraper.stop();
    timer.reset();
    if (server) {
      server->stop();
    }
    scraper.wait_until_idle(Scraper::Clock::time_point::max());
    log.info("stopped");
    ended.set_value();
  });
  if (ended.get_future().wait_for(longest_farewell) != std::future_status::ready) {
    // A thread is held up by a client, by the reader of the log or inside the kernel; nothing is
    // lost by leaving it there.
    std::_Exit(EXIT_SUCCESS);
  }
}

bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

/// Runs `command` with a scraper that is not waited for longer than need be: a thread that the
/// kernel does not answer must not hold up who asked.
int run_once(Options& options, const Log& log, OwnFamilies own,
             const std::function<int(Scraper&)>& command) {
  Scraper scraper(
      {kernel::FileTree(options.proc), kernel::FileTree(options.sys), kernel::open_sock_diag},
      std::move(options.collectors), std::move(own), log);
  const int status = command(scraper);
  scraper.stop();
  if (!scraper.wait_until_idle(Scraper::Clock::now() + longest_farewell)) {
    std::_Exit(status);
  }
  return status;
}

int check(Options options, const Log& log) {
  const auto nothing = [] { return std::vector<prometheus::MetricFamily>(); };
  return run_once(options, log, nothing, [&](Scraper& scraper) {
    const int status = check(scraper, options.check, std::cout, wants_colour());
    if (!std::cout) {
      log.error("cannot write to standard output");
      std::_Exit(could_not_check);
    }
    return status;
  });
}

int print(Options options, const Log& log) {
  // Without process_*: node_exporter, which may read the output, has its own.
  return run_once(options, log, own_families(false, nullptr), [&](Scraper& scraper) {
    try {
      return print(scraper, options.print);
    } catch (const ReaderGone&) {
      return EXIT_SUCCESS;
    }
  });
}

int sockets(const Options& options) {
  try {
    list_sockets(kernel::open_sock_diag, options.sockets, STDOUT_FILENO);
  } catch (const ReaderGone&) {  // as `| head` is
  }
  return EXIT_SUCCESS;
}

int run_command(Options options, const Log& log) {
  switch (options.command) {
    case Command::check:
      return check(std::move(options), log);
    case Command::print:
      return print(std::move(options), log);
    case Command::sockets:
      return sockets(options);
    default:
      serve(std::move(options), log);
      return EXIT_SUCCESS;
  }
}

int status_of_failure(Command command) {
  switch (command) {
    case Command::check:
      return could_not_check;
    case Command::print:
      return could_not_print;
    default:
      return EXIT_FAILURE;
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
  const Command command = command_line.options->command;
  try {
    return run_command(std::move(*command_line.options), log);
  } catch (const std::exception& error) {
    log.error(error.what());
    return status_of_failure(command);
  }
}

}  // namespace
}  // namespace inetdiag

int main(int argc, char** argv) {
  try {
    inetdiag::open_standard_streams();
    // A reader that went away is an error of write(), not the end.
    std::signal(SIGPIPE, SIG_IGN);
    inetdiag::tune_malloc();
    return inetdiag::run(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  } catch (const std::exception& error) {
    std::cerr << "inetdiag_exporter: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
