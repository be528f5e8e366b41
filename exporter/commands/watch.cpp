#include "exporter/commands/watch.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include <poll.h>
#include <spdlog/sinks/null_sink.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/commands/atomic_file.h"
#include "exporter/commands/run_with_scraper.h"
#include "exporter/commands/signal_queue.h"
#include "exporter/commands/watch_output.h"
#include "exporter/diagnosis/take_snapshot.h"

namespace inetdiag {
namespace {

using Clock = Scraper::Clock;

/// Takes snapshots on another thread: a scrape that the kernel delays must not delay keys.
class Sampler {
 public:
  explicit Sampler(Scraper& scraper)
      : scraper_(scraper), done_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!done_) {
      throw std::system_error(errno, std::generic_category(), "cannot create an event descriptor");
    }
  }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  ~Sampler() {
    if (is_running()) {
      scraper_.stop();
    }
  }

  bool is_running() const { return snapshot_.valid(); }
  /// Readable once result() does not block.
  int fd() const { return done_.get(); }

  void start() {
    snapshot_ = std::async(std::launch::async, [this] {
      const Notifier notifier(done_.get());
      return take_snapshot(scraper_, Clock::now() + check_snapshot_timeout);
    });
  }

  diagnosis::TimedSnapshot result() {
    std::uint64_t count = 0;
    std::ignore = ::read(done_.get(), &count, sizeof(count));
    return snapshot_.get();
  }

 private:
  /// Its destructor makes the event descriptor readable.
  class Notifier {
   public:
    explicit Notifier(int fd) : fd_(fd) {}
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;
    ~Notifier() {
      const std::uint64_t one = 1;
      std::ignore = ::write(fd_, &one, sizeof(one));
    }

   private:
    int fd_;
  };

  Scraper& scraper_;
  kernel::UniqueFd done_;
  std::future<diagnosis::TimedSnapshot> snapshot_;  ///< last: its destructor waits
};

Clock::duration seconds(double count) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
}

/// Calls the output for each snapshot and each event.
class WatchLoop {
 public:
  WatchLoop(Scraper& scraper, const CheckOptions& options, const SignalQueue& signals,
            WatchOutput& output)
      : interval_(seconds(options.watch_seconds.value_or(1))),
        first_interval_(seconds(options.interval_seconds)),
        signals_(signals),
        output_(output),
        sampler_(scraper) {}

  /// Returns the exit status.
  int run() {
    try {
      while (!is_finished_) {
        start_snapshot();
        wait();
      }
    } catch (const BrokenPipe&) {  // not a failure: `| head`
    }
    return exit_status_;
  }

 private:
  void start_snapshot() {
    const auto now = Clock::now();
    if (!sampler_.is_running() && now >= next_) {
      sampler_.start();
      // Findings need two snapshots: the second one does not wait for a long interval.
      next_ = std::max(next_ + (previous_ ? interval_ : std::min(interval_, first_interval_)), now);
    }
  }

  int timeout_ms() const {
    if (sampler_.is_running()) {
      return -1;
    }
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next_ - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, rest.count()));
  }

  void wait() {
    // poll(2) ignores a negative descriptor. That of the output reports that its reader is gone.
    std::array<pollfd, 4> events = {{{signals_.fd(), POLLIN, 0},
                                     {sampler_.fd(), POLLIN, 0},
                                     {has_keys_ ? STDIN_FILENO : -1, POLLIN, 0},
                                     {STDOUT_FILENO, 0, 0}}};
    if (::poll(events.data(), events.size(), timeout_ms()) < 0) {
      if (errno == EINTR) {
        return;
      }
      throw std::system_error(errno, std::generic_category(), "cannot wait for events");
    }
    if (events[0].revents != 0) {
      handle_signals();
    }
    if (events[2].revents != 0) {
      read_keys();
    }
    if ((events[3].revents & (POLLERR | POLLHUP)) != 0) {
      is_finished_ = true;
    }
    if (events[1].revents != 0 && !is_finished_) {
      show(sampler_.result());
    }
  }

  void show(diagnosis::TimedSnapshot now) {
    diagnosis::Status status = diagnose(now, previous_ ? &*previous_ : nullptr);
    if (previous_) {
      exit_status_ = check_exit_status(status);
      output_.show(std::move(status), now.snapshot);
    } else {
      output_.show_first(status, now.snapshot);
    }
    previous_ = std::move(now);
  }

  void handle_signals() {
    while (const auto signal = signals_.next()) {
      switch (*signal) {
        case SIGWINCH:
          output_.redraw();
          break;
        case SIGTSTP:
          output_.suspend();
          SignalQueue::suspend();
          output_.resume();
          break;
        case SIGCONT:
          output_.resume();
          break;
        default:
          is_finished_ = true;
          return;
      }
    }
  }

  void read_keys() {
    std::array<char, 64> keys{};
    const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
    has_keys_ = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
    if (count > 0) {
      const std::string_view text(keys.data(), static_cast<std::size_t>(count));
      is_finished_ = is_finished_ || text.find_first_of("qQ") != std::string_view::npos;
    }
  }

  Clock::duration interval_;
  Clock::duration first_interval_;
  const SignalQueue& signals_;
  WatchOutput& output_;
  std::optional<diagnosis::TimedSnapshot> previous_;
  Clock::time_point next_ = Clock::now();
  bool has_keys_ = output_.has_keys();
  bool is_finished_ = false;
  int exit_status_ = check_exit_unknown;
  Sampler sampler_;
};

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

/// Returns whether the locale's encoding is UTF-8, by its name: the locale may not be installed.
bool is_utf8_locale() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string locale(environment(variable));
    if (!locale.empty()) {
      std::erase(locale, '-');
      std::ranges::transform(locale, locale.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return locale.find("utf8") != std::string::npos;
    }
  }
  return false;
}

bool uses_screen(const CheckOptions& options) {
  const std::string_view term = environment("TERM");
  return options.format == CheckFormat::text && ::isatty(STDOUT_FILENO) == 1 && !term.empty() &&
         term != "dumb";
}

std::unique_ptr<WatchOutput> make_output(const CheckOptions& options, bool use_color) {
  if (options.format == CheckFormat::json) {
    return make_json_output(STDOUT_FILENO);
  }
  return uses_screen(options)
             ? make_screen_output({.input = STDIN_FILENO, .output = STDOUT_FILENO},
                                  options.watch_seconds.value_or(1), use_color, is_utf8_locale())
             : make_changes_output(STDOUT_FILENO);
}

/// Log lines would overwrite the screen, which shows collectors that fail.
Log log_beside_output(const CheckOptions& options, const Log& log) {
  return uses_screen(options) && ::isatty(STDERR_FILENO) == 1
             ? Log(spdlog::level::off, LogFormat::logfmt,
                   std::make_shared<spdlog::sinks::null_sink_mt>())
             : log;
}

}  // namespace

int run_watch(CheckOptions options, bool use_color, const Log& log) {
  const SignalQueue signals{SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};
  const auto watch = [&](Scraper& scraper) {
    try {
      const auto output = make_output(options, use_color);
      return WatchLoop(scraper, options, signals, *output).run();
    } catch (const std::exception& error) {
      log.error(error.what());
      return check_exit_unknown;
    }
  };
  const auto no_self_metrics = [] { return std::vector<prometheus::MetricFamily>(); };
  return run_with_scraper(options.paths, std::move(options.collectors), no_self_metrics,
                          check_exit_unknown, log_beside_output(options, log), watch);
}

}  // namespace inetdiag
