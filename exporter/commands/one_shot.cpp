#include "exporter/commands/one_shot.h"

#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "exporter/commands/atomic_file.h"
#include "exporter/commands/shutdown.h"
#include "exporter/scrape/scraper.h"
#include "exporter/scrape/self_metrics.h"

namespace inetdiag {
namespace {

using OwnFamilies = std::function<std::vector<prometheus::MetricFamily>()>;

bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

/// Runs `command` with a scraper that is not waited for longer than need be: a thread that the
/// kernel does not answer must not hold up who asked.
int with_scraper(Options& options, const Log& log, OwnFamilies own,
                 const std::function<int(Scraper&)>& command) {
  Scraper scraper(
      {kernel::FileTree(options.proc), kernel::FileTree(options.sys), kernel::open_sock_diag},
      std::move(options.collectors), std::move(own), log);
  int status = EXIT_SUCCESS;
  try {
    status = command(scraper);
  } catch (const std::exception& error) {  // not beyond the scraper, which would wait
    log.error(error.what());
    status = failure_exit_status(options.command);
  }
  scraper.stop();
  if (!scraper.wait_until_idle(Scraper::Clock::now() + shutdown_timeout)) {
    leave(status, log);
  }
  return status;
}

int check(Options& options, const Log& log) {
  const auto nothing = [] { return std::vector<prometheus::MetricFamily>(); };
  return with_scraper(options, log, nothing, [&](Scraper& scraper) {
    const int status = check(scraper, options.check, std::cout, wants_colour());
    if (!std::cout) {
      throw std::runtime_error("cannot write to standard output");
    }
    return status;
  });
}

int print(Options& options, const Log& log) {
  // Without process_*: node_exporter, which may read the output, has its own.
  return with_scraper(options, log, self_metrics(false, nullptr), [&](Scraper& scraper) {
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

}  // namespace

int run_once(Options options, const Log& log) {
  switch (options.command) {
    case Command::check:
      return check(options, log);
    case Command::print:
      return print(options, log);
    default:
      return sockets(options);
  }
}

}  // namespace inetdiag
