// Datagrams of a dump: headers, control messages and payloads.
#include "collectors/kernel/netlink/netlink.h"

#include <deque>
#include <system_error>

#include "collectors/kernel/netlink/inet_diag.h"
#include "collectors/kernel/netlink/unix_diag.h"
#include "tests/fuzz/target.h"
#include "tests/unit/support/diag_messages.h"

namespace inetdiag::fuzz {

using namespace testing;

void run(std::string_view input) {
  constexpr std::size_t max_datagram_bytes = 32768;
  std::deque<Bytes> datagrams;
  std::size_t received = 0;
  while (!input.empty()) {
    const auto bytes = std::as_bytes(std::span(take_chunk(input).substr(0, max_datagram_bytes)));
    datagrams.emplace_back(bytes.begin(), bytes.end());
    received += bytes.size();
  }
  std::size_t parsed = 0;
  try {
    kernel::dump([&](int /*protocol*/) { return std::make_unique<ReplayNetlink>(datagrams); },
                 TCPDIAG_GETSOCK, {}, kernel::Deadline::in(std::chrono::hours(1)),
                 [&](std::span<const std::byte> payload) {
                   parsed += sizeof(nlmsghdr) + payload.size();
                   if (const auto socket = kernel::parse_inet_socket(payload)) {
                     require(!socket->local.text().empty(), "addresses can be formatted");
                     require(kernel::slot(socket->state) < kernel::tcp_state_slots,
                             "states are valid indices");
                   }
                   (void)kernel::parse_inet_attributes(payload);
                   if (const auto socket = kernel::parse_unix_socket(payload)) {
                     require(socket->name.size() <= payload.size(),
                             "names are not longer than the payload");
                   }
                 });
  } catch (const std::system_error& error) {
    require(error.code().value() > 0, "errors have an errno");
  } catch (const kernel::DeadlineExceeded&) {
    // Without NLMSG_DONE.
  }
  require(parsed <= received, "payloads are not longer than the datagrams");
}

std::vector<std::string> seeds() {
  const Bytes listener = data_message(FakeSocket{.drops = 7, .cgroup = 5}.payload());
  const Bytes dual = data_message(FakeSocket{.address = "::", .drops = 1}.payload());
  const Bytes local = message(SOCK_DIAG_BY_FAMILY, FakeUnixSocket{.name = "/run/a"}.payload());
  return {chunk(listener + dual) + chunk(done_message()),
          chunk(local) + chunk(done_message(-ENOENT)),
          chunk(listener) + chunk(error_message(-ENOMEM)), chunk(message(NLMSG_OVERRUN, {})),
          chunk(message(NLMSG_NOOP, {}) + listener + done_message())};
}

}  // namespace inetdiag::fuzz
