#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <span>
#include <utility>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include "collectors/netns.h"
#include "collectors/registry.h"
#include "exporter/cli/command_line.h"
#include "exporter/commands/one_shot.h"
#include "exporter/commands/serve.h"
#include "exporter/http/client_limit.h"
#include "exporter/log/background_sink.h"
#include "exporter/log/log.h"

namespace inetdiag {
namespace {

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

void tell_missing_privileges(const NetnsOptions& netns, const Log& log) {
  const std::string missing = missing_privileges(netns);
  if (!missing.empty()) {
    log.warn("privileges are missing to ask all other network namespaces; the own one is asked",
             {{"missing", missing}, {"flag", "--netns.discover"}});
  }
}

int run(std::span<const char* const> arguments) {
  CommandLine command_line = parse_command_line(arguments, registry());
  if (!command_line.options) {
    (command_line.exit_status == 0 ? std::cout : std::cerr) << command_line.text;
    return command_line.exit_status;
  }
  Options& options = *command_line.options;
  const Command command = options.command;
  const LogFormat format = options.log_format;
  const auto sink = std::make_shared<BackgroundSink>(
      STDERR_FILENO, [format](std::size_t lines) { return lost_lines_message(format, lines); });
  const Log log(options.log_level, format, sink);
  try {
    for (const UnusedFlags& unused : options.unused_flags) {
      log.warn("flags have no effect", {{"flags", unused.flags}, {"reason", unused.reason}});
    }
    tell_missing_privileges(options.netns, log);
    if (command != Command::serve) {
      sink->start();
      return run_once(std::move(options), log);
    }
    // Landlock and dropped capabilities reach only threads that start after them.
    serve(std::move(options), log, [&sink] { sink->start(); });
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    log.error(error.what());
    return failure_exit_status(command);
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
