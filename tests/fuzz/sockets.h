// Runs collectors on sock_diag messages with arbitrary payloads.
#pragma once

#include <deque>
#include <memory>
#include <string_view>

#include "tests/fuzz/page.h"
#include "tests/unit/support/collected.h"

namespace inetdiag::fuzz {

/// Replays the same payloads for every dump.
inline kernel::NetlinkFactory replaying(std::string_view input) {
  std::deque<testing::Bytes> datagrams;
  while (!input.empty()) {
    const auto payload = std::as_bytes(std::span(take_chunk(input).substr(0, 4096)));
    datagrams.push_back(testing::data_message({payload.begin(), payload.end()}));
  }
  datagrams.push_back(testing::done_message());
  return
      [datagrams](int /*protocol*/) { return std::make_unique<testing::ReplayNetlink>(datagrams); };
}

/// Collects twice: first with the second half of the input, then with all of it.
inline void collect(Collector& collector, std::string_view input) {
  static const testing::TemporaryTree tree;
  static const kernel::FileTree files(tree.root());
  const auto deadline = kernel::Deadline::in(std::chrono::hours(1));
  for (const std::string_view part : {input.substr(input.size() / 2), input}) {
    const kernel::NetlinkFactory netlink = replaying(part);
    kernel::CachedFiles proc(files, deadline);
    kernel::CgroupTree cgroups(files, deadline);
    kernel::PodNames pods({}, deadline);
    kernel::TcpTable tcp(netlink, deadline);
    require_valid_page(collector.collect({proc, cgroups, pods, tcp, netlink, deadline}));
  }
}

inline std::vector<std::string> socket_seeds() {
  using kernel::TcpState;
  using testing::FakeSocket;
  std::string mixed;
  for (const FakeSocket& socket : std::initializer_list<FakeSocket>{
           {.port = 80, .cookie = 1, .receive_queue = 129, .send_queue = 128, .drops = 7},
           {.address = "::", .port = 80, .cookie = 2, .drops = 0, .cgroup = 5, .v6_only = true},
           {.address = "::1", .port = 443, .device = 1, .cookie = 3, .send_queue = 1},
           {.address = "127.0.0.1", .port = 80, .state = TcpState::syn_recv, .cookie = 4},
           {.address = "10.0.0.1",
           .port = 80,
           .state = TcpState::close_wait,
           .cookie = 5,
           .receive_queue = 9,
           .full = true},
           {.address = "10.0.0.1",
           .port = 80,
           .state = TcpState::fin_wait2,
           .cookie = 6,
           .timer = 3}}) {
    mixed += chunk(socket.payload());
  }
  const std::string one = chunk(FakeSocket{.port = 53,
                                           .state = TcpState::close,
                                           .cookie = 7,
                                           .receive_queue = 1,
                                           .receive_limit = 212992,
                                           .drops = 2}
                                    .payload());
  return {mixed, one, one + one};
}

}  // namespace inetdiag::fuzz
