#include "collectors/qdisc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <net/if.h>

#include "collectors/kernel/netlink/qdisc.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::parse_root_qdisc;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A message of RTM_GETQDISC.
struct FakeQdisc {
  int device = 1;
  std::string kind = "pfifo_fast";
  std::uint32_t parent = TC_H_ROOT;
  std::uint32_t drops = 0;
  std::optional<std::uint64_t> packets64{};
  Bytes options{};

  Bytes payload() const {
    tcmsg message{};
    message.tcm_ifindex = device;
    message.tcm_parent = parent;
    Bytes bytes;
    append(bytes, message);
    Bytes name;
    for (const char c : kind + '\0') {
      name.push_back(static_cast<std::byte>(c));
    }
    append_attribute(bytes, TCA_KIND, name);
    append_attribute(bytes, TCA_OPTIONS, options);
    Bytes statistics;
    gnet_stats_basic basic{};
    basic.bytes = 5000;
    basic.packets = 40;
    Bytes value;
    append(value, basic);
    append_attribute(statistics, TCA_STATS_BASIC, value);
    if (packets64) {
      value.clear();
      append(value, *packets64);
      append_attribute(statistics, TCA_STATS_PKT64, value);
    }
    value.clear();
    append(value, gnet_stats_queue{
                      .qlen = 7, .backlog = 900, .drops = drops, .requeues = 2, .overlimits = 3});
    append_attribute(statistics, TCA_STATS_QUEUE, value);
    append_attribute(bytes, TCA_STATS2, statistics);
    return bytes;
  }
};

Bytes number_attribute(int type, std::uint32_t number) {
  Bytes value;
  append(value, number);
  Bytes bytes;
  append_attribute(bytes, type, value);
  return bytes;
}

TEST(ParseRootQdisc, ReadsTheStatistics) {
  const auto qdisc = parse_root_qdisc(FakeQdisc{.drops = 9}.payload());
  ASSERT_TRUE(qdisc);
  EXPECT_EQ(qdisc->device, 1U);
  EXPECT_EQ(qdisc->kind, "pfifo_fast");
  EXPECT_EQ(qdisc->bytes, 5000U);
  EXPECT_EQ(qdisc->packets, 40U);
  EXPECT_EQ(qdisc->queued_packets, 7U);
  EXPECT_EQ(qdisc->queued_bytes, 900U);
  EXPECT_EQ(qdisc->drops, 9U);
  EXPECT_EQ(qdisc->requeues, 2U);
  EXPECT_EQ(qdisc->overlimits, 3U);
  EXPECT_FALSE(qdisc->limit_packets);
  EXPECT_FALSE(qdisc->limit_bytes);
}

TEST(ParseRootQdisc, PrefersThePacketCountOf64Bits) {
  const std::uint64_t many = (1ULL << 40U) + 1;
  EXPECT_EQ(parse_root_qdisc(FakeQdisc{.packets64 = many}.payload())->packets, many);
}

TEST(ParseRootQdisc, ReadsTheLimitOfKindsWithOneQueue) {
  Bytes fifo;
  append(fifo, tc_fifo_qopt{.limit = 100});
  EXPECT_EQ(parse_root_qdisc(FakeQdisc{.kind = "pfifo", .options = fifo}.payload())->limit_packets,
            100U);
  EXPECT_EQ(parse_root_qdisc(FakeQdisc{.kind = "bfifo", .options = fifo}.payload())->limit_bytes,
            100U);
  EXPECT_EQ(parse_root_qdisc(FakeQdisc{.kind = "fq_codel",
                                       .options = number_attribute(TCA_FQ_CODEL_LIMIT, 10240)}
                                 .payload())
                ->limit_packets,
            10240U);
  tc_tbf_qopt tbf{};
  tbf.limit = 3000;
  Bytes value;
  append(value, tbf);
  Bytes parameters;
  append_attribute(parameters, TCA_TBF_PARMS, value);
  EXPECT_EQ(
      parse_root_qdisc(FakeQdisc{.kind = "tbf", .options = parameters}.payload())->limit_bytes,
      3000U);
  EXPECT_FALSE(
      parse_root_qdisc(FakeQdisc{.kind = "pfifo", .options = Bytes(3)}.payload())->limit_packets);
}

TEST(ParseRootQdisc, IgnoresOthersThanRoots) {
  EXPECT_FALSE(parse_root_qdisc(FakeQdisc{.kind = "clsact", .parent = TC_H_INGRESS}.payload()));
  EXPECT_FALSE(parse_root_qdisc(FakeQdisc{.parent = 0x10001}.payload()));
}

TEST(ParseRootQdisc, AcceptsMessagesOfAnyLength) {
  const Bytes complete = FakeQdisc{.drops = 9}.payload();
  for (std::size_t size = 0; size <= complete.size(); ++size) {
    const auto qdisc = parse_root_qdisc(std::span(complete).first(size));
    EXPECT_EQ(qdisc.has_value(), size >= sizeof(tcmsg));
    EXPECT_EQ(qdisc && qdisc->drops == 9, size == complete.size());
  }
}

TEST(QdiscCollector, ExportsTheRootOfEachDeviceByName) {
  CollectorFixture fixture;
  Bytes limit;
  append(limit, tc_fifo_qopt{.limit = 100});
  const int loopback = static_cast<int>(::if_nametoindex("lo"));
  fixture.kernel.qdiscs = {
      FakeQdisc{.device = loopback, .kind = "pfifo", .drops = 9, .options = limit}.payload(),
      FakeQdisc{.device = 9999, .kind = "noqueue"}.payload()};
  const std::string labels = R"({device="lo",kind="pfifo"})";
  EXPECT_THAT(fixture.lines(*make_qdisc(settings({{"max", "50"}}))),
              ElementsAre("inetdiag_qdisc_queue_packets" + labels + " 7",
                          "inetdiag_qdisc_queue_bytes" + labels + " 900",
                          "inetdiag_qdisc_limit_packets" + labels + " 100",
                          "inetdiag_qdisc_packets_total" + labels + " 40",
                          "inetdiag_qdisc_bytes_total" + labels + " 5000",
                          "inetdiag_qdisc_drops_total" + labels + " 9",
                          "inetdiag_qdisc_overlimits_total" + labels + " 3",
                          "inetdiag_qdisc_requeues_total" + labels + " 2"));
}

TEST(QdiscCollector, ShowsADeviceOnceIfItsRootIsReplacedDuringTheDump) {
  CollectorFixture fixture;
  fixture.kernel.qdiscs = {FakeQdisc{.device = 9999}.payload(),
                           FakeQdisc{.device = 9999}.payload()};
  const auto page = fixture.lines(*make_qdisc(settings({{"max", "50"}})));
  EXPECT_EQ(std::ranges::count_if(
                page, [](const auto& line) { return line.starts_with("inetdiag_qdisc_drops"); }),
            1);
}

TEST(QdiscCollector, PrefersDevicesWithDropsBeyondTheMaximum) {
  CollectorFixture fixture;
  fixture.kernel.qdiscs = {FakeQdisc{.device = 9997}.payload(), FakeQdisc{.device = 9998}.payload(),
                           FakeQdisc{.device = 9999, .drops = 1}.payload()};
  const auto page = fixture.lines(*make_qdisc(settings({{"max", "1"}})));
  EXPECT_THAT(page, Contains("inetdiag_qdiscs_omitted 2"));
  EXPECT_THAT(page, AllOf(Contains(HasSubstr("if9999")), Each(Not(HasSubstr("if9997")))));
}

}  // namespace
}  // namespace inetdiag
