// Dumps of more sockets than a collector keeps in memory.
#include <array>
#include <cstddef>
#include <functional>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/listeners.h"
#include "collectors/udp.h"
#include "collectors/unix.h"
#include "exporter/build_info.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;

/// Writes a number that makes a socket unique.
using Number = void (*)(std::byte* at, std::uint32_t number);

void write_binary(std::byte* at, std::uint32_t number) { std::memcpy(at, &number, sizeof number); }

void write_letters(std::byte* at, std::uint32_t number) {
  for (int i = 0; i < 8; ++i) {
    at[i] = static_cast<std::byte>('a' + (number >> (4 * i)) % 16);
  }
}

struct Case {
  std::string name;
  std::unique_ptr<Collector> (*make)(const Settings&);
  Bytes payload;
  std::size_t number_offset;  ///< within the payload
  Number write_number;
};

/// An endless dump of sockets that differ only in a number.
class EndlessDump : public ReplayNetlink {
 public:
  explicit EndlessDump(const Case& test)
      : ReplayNetlink({}), test_(test), message_(data_message(test.payload)) {}

  std::size_t receive(std::span<std::byte> buffer, const kernel::Deadline& /*deadline*/) override {
    std::size_t length = 0;
    for (; length + message_.size() <= buffer.size(); length += message_.size()) {
      test_.write_number(message_.data() + sizeof(nlmsghdr) + test_.number_offset, ++number_);
      std::ranges::copy(message_, buffer.begin() + static_cast<std::ptrdiff_t>(length));
    }
    return length;
  }

 private:
  const Case& test_;
  Bytes message_;
  std::uint32_t number_ = 0;
};

class KeptSockets : public ::testing::TestWithParam<Case> {};

TEST_P(KeptSockets, AreLimited) {
  if (build_info::sanitizers != "none") {
    GTEST_SKIP() << "a million sockets take too long with sanitizers";
  }
  const TemporaryTree tree;
  const kernel::FileTree files(tree.root());
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(60));
  const kernel::NetlinkFactory open = [&](int /*protocol*/) {
    return std::make_unique<EndlessDump>(GetParam());
  };
  kernel::CachedFiles proc(files, deadline);
  kernel::CgroupTree cgroups(files, deadline);
  kernel::PodNames pods({}, deadline);
  kernel::TcpTable tcp(open, deadline);
  const auto collector = GetParam().make(settings({{"max", "1"}, {"sample-interval", "0"}}));
  try {
    collector->collect({proc, cgroups, pods, tcp, open, deadline});
    FAIL() << "no limit";
  } catch (const std::length_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("more than 1000000"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, KeptSockets,
    ::testing::Values(
        Case{"Listeners", make_listeners, FakeSocket{}.payload(),
             offsetof(inet_diag_msg, id.idiag_cookie), write_binary},
        Case{"Udp", make_udp, FakeSocket{.port = 53, .state = kernel::TcpState::close}.payload(),
             offsetof(inet_diag_msg, id.idiag_src), write_binary},
        Case{"UdpClients", make_udp,
             FakeSocket{.state = kernel::TcpState::established, .drops = 1}.payload(),
             offsetof(inet_diag_msg, id.idiag_cookie), write_binary},
        Case{"UdpServersOnEphemeralPorts", make_udp,
             FakeSocket{.port = 40000, .state = kernel::TcpState::close, .drops = 1}.payload(),
             offsetof(inet_diag_msg, id.idiag_cookie), write_binary},
        Case{"Unix", make_unix, FakeUnixSocket{.name = "/12345678"}.payload(),
             sizeof(unix_diag_msg) + sizeof(nlattr) + 1, write_letters}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace inetdiag
