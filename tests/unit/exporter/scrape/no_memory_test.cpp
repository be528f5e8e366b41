// A scrape or a push in which any one allocation fails, whichever it is, on whatever thread.

#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "collectors/listeners.h"
#include "collectors/sockstat.h"
#include "collectors/support/family.h"
#include "exporter/http/client_limit.h"
#include "exporter/scrape/scraper.h"
#include "exporter/statsd/pusher.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/collected.h"

namespace {

/// How many allocations of this process still succeed before one fails; below zero all do.
std::atomic<long> until_failure = -1;

}  // namespace

// Not inlined: GCC would see new meet free().
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (until_failure.load() >= 0 && until_failure.fetch_sub(1) == 0) {
    throw std::bad_alloc();
  }
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}
// The sorts of the standard library ask with it and give back without.
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return std::malloc(bytes == 0 ? 1 : bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using namespace testing;

TEST(NoMemory, CostsOneAnswerAtMostAndNoMore) {
  FakeKernel kernel{.sockets = {{.port = 80, .receive_queue = 3, .send_queue = 128, .drops = 7}}};
  const CapturedLog captured;
  const TemporaryTree sys;
  std::vector<NamedCollector> collectors;
  collectors.push_back({"listeners", make_listeners(settings({{"max", "500"}}))});
  collectors.push_back({"sockstat", make_sockstat({})});
  Scraper scraper(
      {kernel::FileTree(FIXTURES "/proc"), kernel::FileTree(sys.root()), kernel.factory()},
      std::move(collectors), [] { return std::vector<prometheus::MetricFamily>(); }, captured.log);
  const auto scrape = [&] { return scraper.scrape({0, 1}, Scraper::Clock::now() + 1h); };
  const auto series = [&](const Scraper::ResultPtr& result) {
    auto lines = lines_of(result->exposition.families());
    std::erase_if(lines, [](const std::string& line) {
      return line.find("duration_seconds") != std::string::npos;
    });
    return lines;
  };

  const auto whole = series(scrape());
  long failures = 0;
  long answers = 0;
  for (long nth = 0;; ++nth) {
    Scraper::ResultPtr result;
    until_failure = nth;
    try {
      result = scrape();
    } catch (const std::bad_alloc&) {
      // The client gets a 500.
    }
    ASSERT_TRUE(scraper.wait_until_idle(Scraper::Clock::now() + 1h)) << nth;
    const bool none_failed = until_failure.exchange(-1) >= 0;
    if (none_failed) {
      break;
    }
    ++failures;
    if (result) {
      ++answers;
      // What is missing from an answer is owned up to; one that lost only a log line is whole.
      const auto lines = series(result);
      const auto failed = std::ranges::count_if(lines, [](const std::string& line) {
        return line.starts_with("inetdiag_scrape_collector_success") && line.ends_with(" 0");
      });
      EXPECT_TRUE(failed > 0 || lines == whole) << nth;
    }
    ASSERT_EQ(series(scrape()), whole) << nth;
  }
  EXPECT_GT(failures, 100);
  EXPECT_GT(answers, 0);
  EXPECT_LT(answers, failures);
}

TEST(NoMemory, EndsTheTrialOfThreads) {
  long failures = 0;
  for (bool has_failed = true; has_failed; ++failures) {
    until_failure = failures;
    try {
      max_concurrent_clients(4, 1, 1);
    } catch (const std::exception&) {
      // Too few threads, or no memory to say so.
    }
    has_failed = until_failure.exchange(-1) < 0;
  }
  EXPECT_GT(failures, 20) << "one at least for each of the 20 threads";
}

/// The sum of drops_total that a listener on this socket received.
long told_drops(const kernel::UniqueFd& listener) {
  const std::string name = "drops_total:";
  long sum = 0;
  std::array<char, 2000> datagram{};
  while (::recv(listener.get(), datagram.data(), datagram.size() - 1, 0) > 0) {
    const std::string text(datagram.data());
    if (const auto at = text.find(name); at != std::string::npos) {
      sum += std::stol(text.substr(at + name.size()));
    }
    datagram.fill(0);
  }
  return sum;
}

TEST(NoMemory, LosesNoIncreaseOfAPushAndTellsNoneTwice) {
  const TemporaryTree tree;
  const std::string path = tree.path("statsd.sock").string();
  const kernel::UniqueFd listener(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  const CapturedLog captured;
  statsd::PushCounters tally;
  statsd::Options options;
  options.address = statsd::Address{.path = path};
  statsd::Pusher pusher(options, captured.log, tally);
  const auto page = [](long drops) {
    auto family = counter_family("drops_total", "help");
    add_series(family, {}, static_cast<double>(drops));
    return std::vector{single_gauge("queue", "help", 1), family};
  };

  pusher.push(page(0));
  long drops = 0;
  long acknowledge = 0;
  for (bool has_failed = true; has_failed; ++drops) {
    const auto families = page(drops + 1);
    until_failure = drops;
    pusher.push(families);
    has_failed = until_failure.exchange(-1) < 0;
    acknowledge += told_drops(listener);
  }
  EXPECT_GT(drops, 5);
  EXPECT_GT(tally.errors, 4U);
  EXPECT_EQ(acknowledge, drops) << "the last push, in which none failed, has what was left";
}

}  // namespace
}  // namespace inetdiag
