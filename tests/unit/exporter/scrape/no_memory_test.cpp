// Scrapes and pushes in which a single allocation fails, for every allocation on any thread.

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
#include "exporter/http/http_server.h"
#include "exporter/scrape/scraper.h"
#include "exporter/statsd/pusher.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/collected.h"

namespace {

/// The number of allocations of this process that succeed before one fails; negative: none fails.
std::atomic<long> until_failure = -1;

}  // namespace

// Not inlined: GCC would warn that free() does not match new.
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
// Used by the sorts of the standard library, which release the memory with the plain delete.
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

TEST(NoMemory, FailsAtMostOneScrape) {
  FakeKernel kernel{.sockets = {{.port = 80, .receive_queue = 3, .send_queue = 128, .drops = 7}}};
  const CapturedLog captured;
  const TemporaryTree sys;
  std::vector<NamedCollector> collectors;
  collectors.push_back(
      {"listeners", make_listeners(settings({{"max", "500"}, {"sample-interval", "0"}}))});
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

  const auto complete = series(scrape());
  long failures = 0;
  long results = 0;
  for (long nth = 0;; ++nth) {
    Scraper::ResultPtr result;
    until_failure = nth;
    try {
      result = scrape();
    } catch (const std::bad_alloc&) {
      // The client gets status 500.
    }
    ASSERT_TRUE(scraper.wait_until_idle(Scraper::Clock::now() + 1h)) << nth;
    const bool all_succeeded = until_failure.exchange(-1) >= 0;
    if (all_succeeded) {
      break;
    }
    ++failures;
    if (result) {
      ++results;
      // Missing metrics are reported as a failed collector; a lost log line is not.
      const auto lines = series(result);
      const auto failed = std::ranges::count_if(lines, [](const std::string& line) {
        return line.starts_with("inetdiag_scrape_collector_success") && line.ends_with(" 0");
      });
      EXPECT_TRUE(failed > 0 || lines == complete) << nth;
    }
    ASSERT_EQ(series(scrape()), complete) << nth;
  }
  EXPECT_GT(failures, 100);
  EXPECT_GT(results, 0);
  EXPECT_LT(results, failures);
}

TEST(NoMemory, EndsTheThreadsThatTestTheLimit) {
  long failures = 0;
  for (bool has_failed = true; has_failed; ++failures) {
    until_failure = failures;
    try {
      require_threads();
    } catch (const std::exception&) {
      // Too few threads, or no memory for the message.
    }
    has_failed = until_failure.exchange(-1) < 0;
  }
  EXPECT_GT(failures, long{HttpServer::threads}) << "at least one allocation for each thread";
}

/// Returns the sum of drops_total in the datagrams that the server has received.
long received_drops(const kernel::UniqueFd& server) {
  const std::string name = "drops_total:";
  long sum = 0;
  std::array<char, 2000> datagram{};
  while (::recv(server.get(), datagram.data(), datagram.size() - 1, 0) > 0) {
    const std::string text(datagram.data());
    if (const auto at = text.find(name); at != std::string::npos) {
      sum += std::stol(text.substr(at + name.size()));
    }
    datagram.fill(0);
  }
  return sum;
}

TEST(NoMemory, NeitherLosesNorRepeatsAnIncreaseOfAPush) {
  const TemporaryTree tree;
  const std::string path = tree.path("statsd.sock").string();
  const kernel::UniqueFd server(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(server.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  const CapturedLog captured;
  statsd::PushCounters counters;
  statsd::Options options;
  options.address = statsd::Address{.path = path};
  statsd::Pusher pusher(options, captured.log, counters);
  const auto page = [](long drops) {
    auto family = counter_family("drops_total", "help");
    add_series(family, {}, static_cast<double>(drops));
    return std::vector{single_gauge("queue", "help", 1), family};
  };

  pusher.push(page(0));
  long drops = 0;
  long received = 0;
  for (bool has_failed = true; has_failed; ++drops) {
    const auto families = page(drops + 1);
    until_failure = drops;
    pusher.push(families);
    has_failed = until_failure.exchange(-1) < 0;
    received += received_drops(server);
  }
  EXPECT_GT(drops, 5);
  EXPECT_GT(counters.errors, 4U);
  EXPECT_EQ(received, drops) << "the last push succeeds and includes all pending increases";
}

}  // namespace
}  // namespace inetdiag
