#include "collectors/qdisc.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "tests/fuzz/sockets.h"

namespace inetdiag::fuzz {

void run(std::string_view input) { collect(*make_qdisc(testing::settings({{"max", "2"}})), input); }

std::vector<std::string> seeds() {
  using namespace std::string_literals;
  std::vector<std::string> all;
  for (const std::string& kind : {"pfifo\0"s, "tbf\0"s, "fq_codel\0"s}) {
    tcmsg message{};
    message.tcm_ifindex = 1;
    message.tcm_parent = TC_H_ROOT;
    testing::Bytes bytes;
    testing::append(bytes, message);
    const auto name = std::as_bytes(std::span(kind));
    testing::append_attribute(bytes, TCA_KIND, {name.begin(), name.end()});
    testing::append_attribute(bytes, TCA_OPTIONS, testing::Bytes(64, std::byte{9}));
    testing::Bytes queue;
    testing::append(
        queue,
        gnet_stats_queue{.qlen = 1, .backlog = 2, .drops = 3, .requeues = 4, .overlimits = 5});
    testing::Bytes statistics;
    testing::append_attribute(statistics, TCA_STATS_QUEUE, queue);
    testing::append_attribute(bytes, TCA_STATS2, statistics);
    all.push_back(chunk(bytes));
  }
  return all;
}

}  // namespace inetdiag::fuzz
