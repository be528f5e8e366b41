#include <array>
#include <atomic>
#include <chrono>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "collectors/support/family.h"
#include "exporter/statsd/pusher.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::statsd {
namespace {

using kernel::UniqueFd;
using testing::CapturedLog;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TemporaryTree;
using Families = std::vector<prometheus::MetricFamily>;

const Labels listener_labels = {{"address", "[::1]"}, {"port", "443"}};

TEST(StatsdLine, AppendsLabelsToTheName) {
  const Style style{.prefix = "web.eu"};
  EXPECT_EQ(format_gauge(style, "queue", listener_labels, 3),
            "web.eu.queue.address.___1_.port.443:3|g");
  EXPECT_EQ(format_counter(style, "drops", listener_labels, 2),
            "web.eu.drops.address.___1_.port.443:2|c");
  EXPECT_EQ(format_gauge({}, "up", {}, 1), "up:1|g");
}

TEST(StatsdLine, WritesLabelsAsTags) {
  EXPECT_EQ(format_gauge({.tags = TagFormat::dogstatsd}, "queue", listener_labels, 3),
            "queue:3|g|#address:_::1_,port:443");
  EXPECT_EQ(format_gauge({.tags = TagFormat::influxdb}, "queue", listener_labels, 3),
            "queue,address=___1_,port=443:3|g");
}

TEST(StatsdLine, SanitizesLabelValues) {
  const Labels labels = {{"unit", "a|b,c#d:e=f g\nh.i/j\xC3\xA4@"}};
  EXPECT_EQ(format_gauge({}, "q", labels, 1), "q.unit.a_b_c_d_e_f_g_h_i_j___:1|g");
  EXPECT_EQ(format_gauge({.tags = TagFormat::dogstatsd}, "q", labels, 1),
            "q:1|g|#unit:a_b_c_d:e_f_g_h.i/j___");
  EXPECT_EQ(format_gauge({.tags = TagFormat::influxdb}, "q", labels, 1),
            "q,unit=a_b_c_d_e_f_g_h.i/j___:1|g");
}

TEST(StatsdLine, ResetsAGaugeBeforeANegativeValue) {
  EXPECT_EQ(format_gauge({}, "q", {}, -5), "q:0|g\nq:-5|g");
  EXPECT_EQ(format_gauge({.tags = TagFormat::influxdb}, "q", {}, -5), "q:0|g\nq:-5|g");
  EXPECT_EQ(format_gauge({.tags = TagFormat::dogstatsd}, "q", {}, -5), "q:-5|g");
}

TEST(StatsdLine, WritesNoExponent) {
  EXPECT_EQ(format_gauge({}, "q", {}, 0.0000001), "q:0.0000001|g");
  EXPECT_EQ(format_gauge({}, "q", {}, 1e22), "q:10000000000000000000000|g");
  EXPECT_EQ(format_gauge({}, "q", {}, 0.1), "q:0.1|g");
  EXPECT_THAT(format_gauge({}, "q", {}, std::numeric_limits<double>::denorm_min()), SizeIs(330));
}

TEST(CounterDeltas, ReturnsTheUnacknowledgedIncrease) {
  CounterDeltas deltas;
  EXPECT_EQ(deltas.pending("a", 100), 0) << "the first value is not an increase";
  EXPECT_EQ(deltas.pending("a", 103), 3);
  EXPECT_EQ(deltas.pending("a", 105), 5) << "the 3 are not acknowledged";
  deltas.acknowledge("a", 5);
  EXPECT_EQ(deltas.pending("a", 105), 0);
}

TEST(CounterDeltas, CountsFromZeroAfterAReset) {
  CounterDeltas deltas;
  deltas.pending("a", 100);
  EXPECT_EQ(deltas.pending("a", 7), 7);
  EXPECT_EQ(deltas.pending("a", 200), 200) << "the growth since the reset is not acknowledged";
  deltas.acknowledge("a", 200);
  EXPECT_EQ(deltas.pending("a", 201), 1);
}

TEST(CounterDeltas, KeepsPendingIncreasesAcrossResets) {
  CounterDeltas deltas;
  deltas.pending("a", 100);
  deltas.pending("a", 108);
  EXPECT_EQ(deltas.pending("a", 2), 10);
  EXPECT_EQ(deltas.pending("a", 1), 11);
}

TEST(CounterDeltas, KeepsIncreasesThatFollowTheAcknowledgedOne) {
  CounterDeltas deltas;
  deltas.pending("a", 100);
  EXPECT_EQ(deltas.pending("a", 103), 3);
  EXPECT_EQ(deltas.pending("a", 104), 4);
  deltas.acknowledge("a", 3);
  EXPECT_EQ(deltas.pending("a", 104), 1);
}

TEST(CounterDeltas, EvictsACounterAfterItsMaxAbsence) {
  CounterDeltas deltas;
  deltas.pending("a", 100);
  for (std::uint64_t push = 0; push < CounterDeltas::max_absence; ++push) {
    deltas.evict_absent();
  }
  EXPECT_EQ(deltas.pending("a", 101), 1);
  for (std::uint64_t push = 0; push <= CounterDeltas::max_absence; ++push) {
    deltas.evict_absent();
  }
  EXPECT_EQ(deltas.pending("a", 105), 0);
}

Families page(double queue, double drops) {
  auto gauges = gauge_family("queue", "help");
  add_series(gauges, {{"port", "443"}}, queue);
  auto counters = counter_family("drops_total", "help");
  add_series(counters, {{"port", "443"}}, drops);
  return {gauges, counters};
}

std::vector<std::string> texts(const Packed& packed) {
  std::vector<std::string> found;
  for (const Datagram& datagram : packed.datagrams) {
    found.push_back(datagram.text);
  }
  return found;
}

TEST(StatsdPack, OmitsCountersThatDoNotIncrease) {
  CounterDeltas deltas;
  EXPECT_THAT(texts(pack(page(1, 50), {}, deltas, 1432)), ElementsAre("queue.port.443:1|g"));
  EXPECT_THAT(texts(pack(page(1, 50), {}, deltas, 1432)), ElementsAre("queue.port.443:1|g"));
  EXPECT_THAT(texts(pack(page(1, 52), {}, deltas, 1432)),
              ElementsAre("queue.port.443:1|g\ndrops_total.port.443:2|c"));
}

TEST(StatsdPack, FillsDatagramsUpToTheMtu) {
  auto family = gauge_family("q", "help");
  for (const char* port : {"1", "2", "3"}) {
    add_series(family, {{"p", port}}, 1);
  }
  CounterDeltas deltas;
  const std::size_t two_lines = std::string("q.p.1:1|g\nq.p.2:1|g").size();
  EXPECT_THAT(texts(pack({family}, {}, deltas, two_lines)),
              ElementsAre("q.p.1:1|g\nq.p.2:1|g", "q.p.3:1|g"));
  EXPECT_THAT(texts(pack({family}, {}, deltas, two_lines - 1)), SizeIs(3));
}

TEST(StatsdPack, OmitsLongLinesAndNonFiniteValues) {
  auto family = gauge_family("q", "help");
  add_series(family, {{"p", std::string(300, 'x')}}, 1);
  add_series(family, {{"p", "nan"}}, std::numeric_limits<double>::quiet_NaN());
  add_series(family, {{"p", "inf"}}, std::numeric_limits<double>::infinity());
  CounterDeltas deltas;
  const Packed packed = pack({family}, {}, deltas, 256);
  EXPECT_THAT(packed.datagrams, IsEmpty());
  EXPECT_THAT(packed.too_long, SizeIs(1));
}

TEST(StatsdPack, DistinguishesCountersWithTheSameSanitizedName) {
  auto family = counter_family("drops", "help");
  add_series(family, {{"unit", "a b"}}, 10);
  add_series(family, {{"unit", "a_b"}}, 20);
  CounterDeltas deltas;
  pack({family}, {}, deltas, 1432);
  family.metric.at(1).counter.value = 21;
  EXPECT_THAT(texts(pack({family}, {}, deltas, 1432)), ElementsAre("drops.unit.a_b:1|c"));
}

TEST(StatsdAddress, ParsesHostsAndPaths) {
  EXPECT_EQ(parse_address("127.0.0.1:8125"), (Address{.host = "127.0.0.1", .port = "8125"}));
  EXPECT_EQ(parse_address("[::1]:1"), (Address{.host = "::1", .port = "1"}));
  EXPECT_EQ(parse_address("statsd.example:65535"),
            (Address{.host = "statsd.example", .port = "65535"}));
  EXPECT_EQ(parse_address("unix:///run/statsd.sock"), (Address{.path = "/run/statsd.sock"}));
  for (const char* text : {"127.0.0.1:8125", "[::1]:1", "unix:///run/statsd.sock"}) {
    EXPECT_EQ(parse_address(text).text(), text);
  }
}

TEST(StatsdAddress, HasAHostNameUnlessNumericOrAPath) {
  EXPECT_TRUE(parse_address("statsd.example:8125").has_host_name());
  EXPECT_TRUE(parse_address("localhost:8125").has_host_name());
  for (const char* text : {"127.0.0.1:8125", "[::1]:8125", "[fe80::1%lo]:8125", "unix:///x"}) {
    EXPECT_FALSE(parse_address(text).has_host_name()) << text;
  }
}

TEST(StatsdAddress, RejectsInvalidAddresses) {
  for (const std::string& text :
       {std::string(""), std::string("8125"), std::string(":8125"), std::string("host:0"),
        std::string("host:65536"), std::string("host:"), std::string("::1:8125"),
        std::string("[]:8125"), std::string("[[a]]:8125"), std::string("]:8125"),
        std::string("unix://"), std::string("unix://relative"),
        "unix:///" + std::string(107, 'x')}) {
    EXPECT_THROW(parse_address(text), std::invalid_argument) << text;
  }
}

/// A server on a UNIX datagram socket.
class Server {
 public:
  explicit Server(const std::string& path)
      : path_(path), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { ::unlink(path_.c_str()); }

  /// Returns the lines of all datagrams received so far.
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    std::array<char, 65536> datagram{};
    ssize_t length = 0;
    while ((length = ::recv(fd_.get(), datagram.data(), datagram.size(), 0)) >= 0) {
      std::istringstream text(std::string(datagram.data(), static_cast<std::size_t>(length)));
      for (std::string line; std::getline(text, line);) {
        found.push_back(line);
      }
    }
    return found;
  }

 private:
  std::string path_;
  UniqueFd fd_;
};

class StatsdPusher : public ::testing::Test {
 protected:
  Options options(Address address) {
    Options options;
    options.address = std::move(address);
    return options;
  }
  Options unix_options() { return options({.path = path()}); }
  std::string path() const { return tree_.path("statsd.sock").string(); }

  TemporaryTree tree_;
  CapturedLog captured_;
  PushCounters counters_;
};

TEST_F(StatsdPusher, SendsGaugesAndIncreases) {
  const Server server(path());
  Pusher pusher(unix_options(), captured_.log, counters_);
  pusher.push(page(1, 50));
  pusher.push(page(2, 57));
  EXPECT_THAT(server.lines(),
              ElementsAre("queue.port.443:1|g", "queue.port.443:2|g", "drops_total.port.443:7|c"));
  EXPECT_EQ(counters_.sent, 2U);
  EXPECT_EQ(counters_.errors, 0U);
}

TEST_F(StatsdPusher, ResendsIncreasesOnceThereIsAServer) {
  Pusher pusher(unix_options(), captured_.log, counters_);
  {
    const Server before(path());
    pusher.push(page(1, 50));
  }
  pusher.push(page(1, 52));
  pusher.push(page(1, 55));
  EXPECT_EQ(counters_.errors, 2U);
  EXPECT_EQ(captured_.count("push to StatsD failed"), 1) << "once a minute";
  EXPECT_THAT(captured_.text(), HasSubstr(path()));
  const Server after(path());
  pusher.push(page(1, 56));
  EXPECT_THAT(after.lines(), ElementsAre("queue.port.443:1|g", "drops_total.port.443:6|c"));
  EXPECT_EQ(counters_.sent, 2U);
}

TEST_F(StatsdPusher, CountsAFullSocketAndRecovers) {
  const Server server(path());
  Pusher pusher(unix_options(), captured_.log, counters_);
  pusher.push(page(1, 50));
  while (counters_.errors == 0) {  // net.unix.max_dgram_qlen
    pusher.push(page(1, 50));
    ASSERT_LT(counters_.sent, 100'000U);
  }
  EXPECT_THAT(captured_.text(), HasSubstr("Resource temporarily unavailable"));
  pusher.push(page(1, 60));
  EXPECT_EQ(counters_.errors, 2U);
  EXPECT_THAT(server.lines(), SizeIs(counters_.sent.load()));
  pusher.push(page(1, 61));
  EXPECT_THAT(server.lines(), ElementsAre("queue.port.443:1|g", "drops_total.port.443:11|c"));
}

TEST_F(StatsdPusher, CountsAnUnresolvedName) {
  Pusher pusher(options({.host = "no.such.host.invalid", .port = "8125"}), captured_.log,
                counters_);
  pusher.push(page(1, 50));
  pusher.push(page(1, 50));
  EXPECT_EQ(counters_.errors, 2U);
  EXPECT_EQ(counters_.sent, 0U);
  EXPECT_EQ(captured_.count("cannot resolve no.such.host.invalid"), 1);
}

TEST_F(StatsdPusher, CountsALongSeriesAndSendsTheOthers) {
  const Server server(path());
  Options small = unix_options();
  small.mtu = 256;
  Pusher pusher(small, captured_.log, counters_);
  Families families = page(1, 50);
  add_series(families.front(), {{"unit", std::string(300, 'x')}}, 1);
  pusher.push(families);
  EXPECT_EQ(counters_.errors, 1U);
  EXPECT_THAT(server.lines(), ElementsAre("queue.port.443:1|g"));
  EXPECT_THAT(captured_.text(), HasSubstr("longer than --statsd.mtu"));
}

TEST_F(StatsdPusher, ContinuesAfterAFailedScrape) {
  const Server server(path());
  std::atomic<int> scrapes = 0;
  Scraper scraper(
      {kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel::open_netlink}, {},
      [&scrapes]() -> Families {
        if (++scrapes == 1) {
          throw std::runtime_error("the scrape failed");
        }
        return page(1, 50);
      },
      captured_.log);
  Options options = unix_options();
  options.interval_seconds = 0.01;
  const PushTimer timer(scraper, options, captured_.log, counters_);
  while (counters_.sent == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(counters_.errors, 1U);
  EXPECT_THAT(server.lines(), Contains("queue.port.443:1|g"));
}

/// Returns a UDP socket on 127.0.0.1 and its port.
std::pair<UniqueFd, std::uint16_t> udp_server(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  socklen_t length = sizeof name;
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
  return {std::move(fd), ntohs(name.sin_port)};
}

TEST_F(StatsdPusher, RetriesIncreasesThatUdpRefused) {
  auto [fd, port] = udp_server(0);
  Pusher pusher(options({.host = "127.0.0.1", .port = std::to_string(port)}), captured_.log,
                counters_);
  pusher.push(page(1, 50));
  fd = UniqueFd();
  pusher.push(page(1, 53));
  EXPECT_EQ(counters_.errors, 1U);
  EXPECT_EQ(counters_.sent, 1U);
  fd = udp_server(port).first;
  pusher.push(page(1, 54));
  std::array<char, 2000> datagram{};
  const ssize_t length = ::recv(fd.get(), datagram.data(), datagram.size(), 0);
  ASSERT_GT(length, 0);
  EXPECT_EQ(std::string(datagram.data(), static_cast<std::size_t>(length)),
            "queue.port.443:1|g\ndrops_total.port.443:4|c");
}

}  // namespace
}  // namespace inetdiag::statsd
