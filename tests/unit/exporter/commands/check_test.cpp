#include "exporter/commands/check.h"

#include <sstream>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/support/family.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/diag_messages.h"

namespace inetdiag {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Returns one listener whose listen drops grow with each snapshot; fails if `fill` is negative.
class OneListener : public Collector {
 public:
  OneListener(double fill, double new_drops) : fill_(fill), new_drops_(new_drops) {}

  Collection collect(const ScrapeContext& /*context*/) override {
    if (fill_ < 0) {
      throw std::runtime_error("no listeners");
    }
    const Labels labels = {{"address", "0.0.0.0"}, {"port", "80"}};
    auto fill = gauge_family("inetdiag_listener_accept_queue_fill_ratio", "help");
    add_series(fill, labels, fill_);
    auto backlog = gauge_family("inetdiag_listener_accept_queue_limit", "help");
    add_series(backlog, labels, 128);
    auto drops = counter_family("inetdiag_listener_listen_drops_total", "help");
    add_series(drops, labels, drops_ += new_drops_);
    Collection collection;
    collection.families = {fill, backlog, drops};
    return collection;
  }

 private:
  double fill_;
  double new_drops_;
  double drops_ = 0;
};

struct Outcome {
  int status;
  std::string text;
};

Outcome check_listener(double fill, double new_drops = 0, CheckFormat format = CheckFormat::text,
                       bool peers = false) {
  const testing::CapturedLog captured;
  std::vector<NamedCollector> collectors;
  collectors.push_back({"listeners", std::make_unique<OneListener>(fill, new_drops)});
  Scraper scraper(
      {kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel::open_netlink},
      std::move(collectors), [] { return std::vector<prometheus::MetricFamily>(); }, captured.log);
  testing::FakeKernel fake;
  fake.sockets = {{.address = "10.0.0.1",
                   .port = 80,
                   .state = kernel::TcpState::syn_recv,
                   .peer_address = "192.0.2.1",
                   .peer_port = 9}};
  std::ostringstream out;
  const int status = check(scraper, fake.factory(),
                           {.interval_seconds = 0, .format = format, .peers = peers}, out, false);
  return {status, out.str()};
}

TEST(Check, ExitsWithTheWorstSeverity) {
  EXPECT_EQ(check_listener(0).status, 0);
  EXPECT_EQ(check_listener(0.9).status, 1);
  EXPECT_EQ(check_listener(1).status, 2);
}

TEST(Check, ExitsWithThreeIfIncomplete) { EXPECT_EQ(check_listener(-1).status, 3); }

TEST(Check, ReportsTheErrorOfACollector) {
  EXPECT_THAT(check_listener(-1, 0, CheckFormat::json).text, HasSubstr("no listeners."));
  EXPECT_THAT(check_listener(0, 0, CheckFormat::json).text, Not(HasSubstr("no listeners")));
}

TEST(Check, ReportsGrowthBetweenSnapshots) {
  const Outcome outcome = check_listener(0, 5);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.text, HasSubstr("new listen drops 5 in 0.0 s"));
}

TEST(Check, ShowsPeersOfAffectedPortsOnRequest) {
  EXPECT_THAT(check_listener(1, 0, CheckFormat::text, true).text,
              HasSubstr("\n\nPeers of the ports above\n  port 80: 1 connection in the SYN and "
                        "accept queues, 1 peer\n             1  192.0.2.1\n\nListeners"));
  EXPECT_THAT(check_listener(1, 0, CheckFormat::json, true).text, HasSubstr("192.0.2.1"));
  for (const CheckFormat format : {CheckFormat::text, CheckFormat::json}) {
    EXPECT_THAT(check_listener(1, 0, format).text,
                AllOf(Not(HasSubstr("192.0.2.1")), Not(HasSubstr("\"peers\"")),
                      Not(HasSubstr("Peers of"))));
  }
}

TEST(Check, WritesJson) {
  EXPECT_THAT(check_listener(0, 0, CheckFormat::json).text, HasSubstr("\"schema_version\": 1"));
}

}  // namespace
}  // namespace inetdiag
