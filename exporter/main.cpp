#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include "exporter/cli/command_options.h"
#include "exporter/commands/check.h"
#include "exporter/commands/print.h"
#include "exporter/commands/serve.h"
#include "exporter/commands/sockets.h"
#include "exporter/log/background_sink.h"
#include "exporter/log/log.h"

namespace inetdiag {
namespace {

/// If descriptors 0-2 are closed, a socket may reuse one and receive log output.
void open_standard_streams() {
  int fd = -1;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) {
    ::close(fd);
  }
}

/// Each scrape allocates and frees the same amount of memory: one arena for all threads avoids
/// keeping that memory once per thread, and the thresholds avoid returning it to the kernel.
void tune_malloc() {
  constexpr int threshold_bytes = 4'000'000;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, threshold_bytes);
  mallopt(M_TRIM_THRESHOLD, threshold_bytes);
}

/// There is a thread per client, and without overcommit the stack size of each counts as used.
void limit_stack_size() {
  constexpr std::size_t stack_bytes = 1U << 20U;
  pthread_attr_t attributes{};
  if (pthread_attr_init(&attributes) == 0) {
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
  }
}

/// Runs a command and returns its exit status.
struct CommandRunner {
  const Log& log;
  BackgroundSink& sink;

  int operator()(ServeOptions& options) const {
    serve(std::move(options), log, [this] { sink.start(); });
    return EXIT_SUCCESS;
  }
  int operator()(CheckOptions& options) const {
    sink.start();
    return run_check(std::move(options), log);
  }
  int operator()(PrintOptions& options) const {
    sink.start();
    return run_print(std::move(options), log);
  }
  int operator()(const SocketsOptions& options) const {
    sink.start();
    return run_sockets(options);
  }
};

/// A reader at a terminal needs neither times nor levels of what a command says.
LogFormat default_log_format(const CommandOptions& command) {
  return !std::holds_alternative<ServeOptions>(command) && ::isatty(STDERR_FILENO) == 1
             ? LogFormat::plain
             : LogFormat::logfmt;
}

int run(std::span<const char* const> arguments) {
  CommandLine command_line = parse_command_line(arguments);
  if (!command_line.options) {
    (command_line.exit_status == 0 ? std::cout : std::cerr) << command_line.text;
    return command_line.exit_status;
  }
  Invocation invocation = make_invocation(std::move(*command_line.options));
  const LogFormat format = invocation.log_format.value_or(default_log_format(invocation.command));
  const auto sink = std::make_shared<BackgroundSink>(
      STDERR_FILENO, [format](std::size_t lines) { return lost_lines_message(format, lines); });
  const Log log(invocation.log_level, format, sink);
  try {
    for (const UnusedFlags& unused : invocation.unused_flags) {
      log.warn("flags have no effect", {{"flags", unused.flags}, {"reason", unused.reason}});
    }
    if (!invocation.missing_privileges.empty()) {
      log.warn("missing privileges for --netns.discover; monitoring own namespace only",
               {{"missing", invocation.missing_privileges}});
    }
    return std::visit(CommandRunner{log, *sink}, invocation.command);
  } catch (const std::exception& error) {
    log.error(error.what());
    return invocation.failure_exit_status;
  }
}

}  // namespace
}  // namespace inetdiag

int main(int argc, char** argv) {
  try {
    inetdiag::open_standard_streams();
    // write() fails with EPIPE instead.
    std::signal(SIGPIPE, SIG_IGN);
    inetdiag::tune_malloc();
    inetdiag::limit_stack_size();
    return inetdiag::run(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  } catch (const std::exception& error) {
    std::cerr << "inetdiag_exporter: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
