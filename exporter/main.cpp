#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
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
#include <unistd.h>

#include "collectors/family.h"
#include "exporter/access.h"
#include "exporter/background_sink.h"
#include "exporter/build_info.h"
#include "exporter/check.h"
#include "exporter/client_limit.h"
#include "exporter/log.h"
#include "exporter/netns_flags.h"
#include "exporter/options.h"
#include "exporter/process_metrics.h"
#include "exporter/registry.h"
#include "exporter/sandbox/sandbox.h"
#include "exporter/scraper.h"
#include "exporter/server.h"
#include "exporter/web.h"
#include "exporter/web_settings.h"

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

std::function<std::vector<prometheus::MetricFamily>()> own_families(bool with_process) {
  return [process = with_process ? std::optional<ProcessMetrics>(std::in_place) : std::nullopt] {
    auto families = process ? process->collect() : std::vector<prometheus::MetricFamily>();
    families.push_back(build_info_family());
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

/// Each of the many threads that hold a client counts with its whole stack where memory is not
/// overcommitted.
void bound_stacks() {
  constexpr std::size_t stack_bytes = 1U << 20U;
  pthread_attr_t attributes{};
  if (pthread_attr_init(&attributes) == 0) {
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
  }
}

/// Ends the program without waiting for its threads.
[[noreturn]] void leave(int status, const Log& log) {
  log.flush();
  std::_Exit(status);
}

std::vector<std::string> all_collectors() {
  std::vector<std::string> names;
  for (const CollectorEntry& entry : registry()) {
    names.emplace_back(entry.name);
  }
  return names;
}

/// What serving needs once it listens.
SandboxPolicy sandbox_policy(const Options& options, WebSettings* settings,
                             const std::vector<std::uint16_t>& own_ports) {
  SandboxPolicy policy{.read_paths = {options.proc, options.sys, "/proc", "/sys"},
                       .connect_to_ports = own_ports};
  if (settings != nullptr) {
    const auto folders = settings->folders();
    policy.read_paths.insert(policy.read_paths.end(), folders.begin(), folders.end());
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

void tell_missing_privileges(const NetnsOptions& netns, const Log& log) {
  const std::string missing = missing_privileges(netns);
  if (!missing.empty()) {
    log.warn("privileges are missing to ask all other network namespaces; the own one is asked",
             {{"missing", missing}, {"flag", "--netns.discover"}});
  }
}

void serve(Options options, const Log& log) {
  const EndSignals signals;
  Scraper scraper(
      {kernel::FileTree(options.proc), kernel::FileTree(options.sys), kernel::open_sock_diag},
      std::move(options.collectors), own_families(options.exporter_metrics), log);
  std::vector<std::string> known_collectors = all_collectors();
  if (options.netns.discovery != Discovery::off) {
    known_collectors.emplace_back(netns_collector);
  }
  Web web(options.web, scraper, std::move(known_collectors));
  const auto settings = options.web_config_file.empty()
                            ? nullptr
                            : std::make_shared<WebSettings>(options.web_config_file, log);
  Access access(settings, [&web](const HttpRequest& request) { return web.answer(request); });
  std::vector<SandboxStage> sandbox;
  Server server(
      options.listen_addresses,
      [&access](const HttpRequest& request) { return access.answer(request); }, settings,
      [&](const std::vector<std::uint16_t>& own_ports) {
        if (options.sandbox) {
          sandbox = enter_sandbox(sandbox_policy(options, settings.get(), own_ports));
        }
      },
      log);
  tell(sandbox, log);
  if (options.sandbox && settings != nullptr) {
    settings->reread();
  }
  for (const ListenAddress& address : server.addresses()) {
    log.info("listening",
             {{"address", address.url(server.has_tls())}, {"version", build_info::version}});
  }

  const std::string signal = signals.wait();
  log.info("stopping", {{"signal", signal}});
  try {
    std::promise<void> promise;
    std::future<void> ended = promise.get_future();
    const std::jthread farewell([&] {
      try {
        scraper.stop();
        server.stop();
        scraper.wait_until_idle(Scraper::Clock::time_point::max());
        promise.set_value();
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    });
    if (ended.wait_for(longest_farewell) != std::future_status::ready) {
      // A thread is held up by a client or inside the kernel; nothing is lost by leaving it there.
      leave(EXIT_SUCCESS, log);
    }
    ended.get();
  } catch (const std::exception& error) {
    log.warn("no thread or memory to end in order", {{"error", error.what()}});
    leave(EXIT_SUCCESS, log);
  }
  log.info("stopped");
}

bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

int check(Options options, const Log& log) {
  Scraper scraper(
      {kernel::FileTree(options.proc), kernel::FileTree(options.sys), kernel::open_sock_diag},
      std::move(options.collectors), [] { return std::vector<prometheus::MetricFamily>(); }, log);
  const int status = check(scraper, options.check, std::cout, wants_colour());
  if (!std::cout) {
    log.error("cannot write to standard output");
    leave(could_not_check, log);
  }
  // A thread that the kernel does not answer must not hold up who asked.
  scraper.stop();
  if (!scraper.wait_until_idle(Scraper::Clock::now() + longest_farewell)) {
    leave(status, log);
  }
  return status;
}

int run(std::span<const char* const> arguments) {
  CommandLine command_line = parse_command_line(arguments, registry());
  if (!command_line.options) {
    (command_line.exit_status == 0 ? std::cout : std::cerr) << command_line.text;
    return command_line.exit_status;
  }
  const LogFormat format = command_line.options->log_format;
  const Log log(command_line.options->log_level, format,
                std::make_shared<BackgroundSink>(STDERR_FILENO, [format](std::size_t lines) {
                  return lost_lines(format, lines);
                }));
  const bool is_check = command_line.options->command == Command::check;
  try {
    tell_missing_privileges(command_line.options->netns, log);
    if (is_check) {
      return check(std::move(*command_line.options), log);
    }
    serve(std::move(*command_line.options), log);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    log.error(error.what());
    return is_check ? could_not_check : EXIT_FAILURE;
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
    inetdiag::bound_stacks();
    inetdiag::raise_descriptor_limit();
    return inetdiag::run(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  } catch (const std::exception& error) {
    std::cerr << "inetdiag_exporter: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
